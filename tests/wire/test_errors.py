"""Every refusal and its sentences."""

from __future__ import annotations

from string import Formatter

import pytest

from besedka.wire.errors import SENTENCES, ErrorCode, Language, Refused


def placeholders(code: ErrorCode, language: Language) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(SENTENCES[code][language]) if name is not None}


def test_no_code_is_without_sentences_and_no_sentences_without_a_code() -> None:
    assert set(SENTENCES) == set(ErrorCode)


@pytest.mark.parametrize("code", ErrorCode)
@pytest.mark.parametrize("language", Language)
def test_every_refusal_has_a_sentence_in_every_language(code: ErrorCode, language: Language) -> None:
    assert SENTENCES[code][language].strip()


@pytest.mark.parametrize("code", ErrorCode)
def test_the_sentences_of_two_languages_differ(code: ErrorCode) -> None:
    assert len({SENTENCES[code][language] for language in Language}) == len(Language)


@pytest.mark.parametrize("code", sorted({*ErrorCode} - {ErrorCode.BAD_JSON}))
def test_the_sentences_of_all_languages_have_the_same_figures(code: ErrorCode) -> None:
    assert placeholders(code, Language.RU) == placeholders(code, Language.EN)


def test_only_the_seeds_own_sentence_leaves_out_what_the_english_one_tells() -> None:
    assert SENTENCES[ErrorCode.BAD_JSON][Language.RU] == "Ошибка формата сообщения"
    assert placeholders(ErrorCode.BAD_JSON, Language.EN) == {"detail"}


@pytest.mark.parametrize("code", ErrorCode)
@pytest.mark.parametrize("language", Language)
def test_a_sentence_is_filled_with_the_figures_of_the_case(code: ErrorCode, language: Language) -> None:
    names = placeholders(code, language)
    figures = {name: f"<{name}>" for name in names - {"room", "wait"}}
    sentence = Refused(code, room="<room>", wait=1.25, **figures).sentence(language)
    assert all(f"<{name}>" in sentence for name in names - {"wait"})
    assert ("1.2" in sentence) == ("wait" in names)
    assert "{" not in sentence
    assert "}" not in sentence


def test_a_figure_may_have_a_sentence_of_its_own_in_each_language() -> None:
    refused = Refused(ErrorCode.BAD_NAME, why={Language.RU: "имя пустое", Language.EN: "it is empty"})
    assert refused.sentence(Language.RU) == "Такое имя не подходит: имя пустое"
    assert refused.sentence(Language.EN) == "This name cannot be used: it is empty"


@pytest.mark.parametrize("name", ["{name}", "{", "}", "{0}", "{name.__class__}", "%s"])
def test_a_figure_that_looks_like_a_placeholder_is_shown_as_it_is(name: str) -> None:
    for language in Language:
        assert name in Refused(ErrorCode.NAME_TAKEN, name=name).sentence(language)


def test_a_refusal_printed_is_its_english_sentence() -> None:
    refused = Refused(ErrorCode.TOO_MANY_CONNECTIONS, limit=20)
    assert (
        str(refused) == refused.sentence(Language.EN) == "Too many connections from your address, at most 20"
    )


def test_a_refusal_remembers_what_it_is_about() -> None:
    refused = Refused(ErrorCode.NOT_JOINED, key="k1", room="dev")
    assert (refused.code, refused.key, refused.room) == (ErrorCode.NOT_JOINED, "k1", "dev")
    assert (Refused(ErrorCode.EMPTY_TEXT).key, Refused(ErrorCode.EMPTY_TEXT).room) == ("", "")


def test_a_room_that_is_learnt_later_is_in_the_sentence() -> None:
    refused = Refused(ErrorCode.ROOM_UNAVAILABLE)
    refused.room = "dev"
    assert "dev" in str(refused)


def test_the_codes_are_plain_words_for_programs() -> None:
    assert all(code.value == code.name.lower() for code in ErrorCode)
