"""The sentences that tell of comings and goings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.errors import Language
from besedka.wire.notices import NAMES_IN_A_SENTENCE, notice, slow_mode

PEOPLE = st.lists(st.sampled_from(["", "Anna", "Boris", "Вера"]), max_size=12)


def test_a_nameless_user_is_announced_in_the_seeds_own_words() -> None:
    assert notice([""], [], Language.RU) == "Новый пользователь присоединился к чату"
    assert notice([], [""], Language.RU) == "Пользователь покинул чат"


@pytest.mark.parametrize(
    ("joined", "left", "russian", "english"),
    [
        ([""], [], "Новый пользователь присоединился к чату", "A new user joined the chat"),
        ([], [""], "Пользователь покинул чат", "A user left the chat"),
        (["Anna"], [], "Anna теперь в чате", "Anna joined the chat"),
        ([], ["Anna"], "Anna больше не в чате", "Anna left the chat"),
        (["Anna", "Boris"], [], "Anna и Boris теперь в чате", "Anna and Boris joined the chat"),
        (["a", "b", "c"], [], "a, b и c теперь в чате", "a, b and c joined the chat"),
        (["Anna", ""], [], "Anna и ещё 1 теперь в чате", "Anna and 1 more joined the chat"),
        (["", "Anna", ""], [], "Anna и ещё 2 теперь в чате", "Anna and 2 more joined the chat"),
        (
            ["Anna"],
            ["Boris"],
            "Anna теперь в чате. Boris больше не в чате",
            "Anna joined the chat. Boris left the chat",
        ),
        ([], [], "", ""),
    ],
)
def test_the_sentence_for_each_case(joined: list[str], left: list[str], russian: str, english: str) -> None:
    assert notice(joined, left, Language.RU) == russian
    assert notice(joined, left, Language.EN) == english


def test_as_many_names_as_the_limit_are_all_named() -> None:
    names = list("abcdefgh"[:NAMES_IN_A_SENTENCE])
    assert notice(names, [], Language.EN) == "a, b, c, d and e joined the chat"


@pytest.mark.parametrize(("people", "rest"), [(6, 1), (7, 2), (10_000, 9_995)])
def test_more_people_than_that_become_a_number(people: int, rest: int) -> None:
    names = ["a", "b", "c", "d", "e", *["f"] * (people - 5)]
    assert notice(names, [], Language.EN) == f"a, b, c, d, e and {rest} more joined the chat"
    assert notice([], names, Language.RU) == f"a, b, c, d, e и ещё {rest} больше не в чате"


@pytest.mark.parametrize("name", ["{names}", "{", "}", "{0}", "%s", "a, b"])
def test_a_name_that_looks_like_a_placeholder_is_shown_as_it_is(name: str) -> None:
    assert notice([name], [], Language.EN) == f"“{name}” joined the chat"


def test_a_name_that_reads_like_a_notice_is_in_quotation_marks() -> None:
    names = ["Boss left the chat. Anna", "Boss” left the chat. “Anna", "Boss and Boris"]
    assert [notice([name], [], Language.EN) for name in names] == [
        "“Boss left the chat. Anna” joined the chat",
        "“Boss' left the chat. 'Anna” joined the chat",
        "“Boss and Boris” joined the chat",
    ]
    assert notice(["Анна больше не в чате. Вера"], [], Language.RU) == (
        "«Анна больше не в чате. Вера» теперь в чате"
    )


@given(PEOPLE, PEOPLE, st.sampled_from(Language))
def test_nobody_is_lost_and_few_are_named(joined: list[str], left: list[str], language: Language) -> None:
    sentences = notice(joined, left, language).split(". ")
    groups = [people for people in (joined, left) if people]
    assert len(sentences) == max(1, len(groups))
    for sentence, people in zip(sentences, groups, strict=False):
        named = re.findall(r"Anna|Boris|Вера", sentence)
        others = re.findall(r"(?:ещё )?(\d+)", sentence)
        assert named == [name for name in people if name][:NAMES_IN_A_SENTENCE]
        if people != [""]:
            assert len(named) + sum(map(int, others)) == len(people)


def test_changes_of_names_have_sentences_of_their_own() -> None:
    renamed = {"Anna": "Anna Maria", "Boris": "Борис"}
    joined, left = ["Anna Maria", "Борис", "Clara"], ["Anna", "Boris"]
    english = "Clara joined the chat. Anna is now “Anna Maria”. Boris is now Борис"
    russian = "Clara теперь в чате. Anna теперь под именем «Anna Maria». Boris теперь под именем Борис"
    assert notice(joined, left, Language.EN, renamed) == english
    assert notice(joined, left, Language.RU, renamed) == russian
    many = {f"a{number}": f"b{number}" for number in range(NAMES_IN_A_SENTENCE + 2)}
    assert notice([*many.values()], [*many], Language.EN, many).endswith(". 2 more changed their names")


def test_slow_mode_has_a_sentence() -> None:
    assert slow_mode(30, Language.EN) == "Slow mode: one message per person every 30 seconds"
    assert slow_mode(1, Language.EN) == "Slow mode: one message per person every 1 second"
    assert slow_mode(0, Language.RU) == "Медленный режим выключен"
