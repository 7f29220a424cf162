"""Words that no name may hold, in whatever letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.reserved_words import (
    _CYRILLIC,
    _LATIN,
    ALONE,
    FILLERS,
    RESERVED,
    holds_reserved_word,
)
from besedka.wire.validation import clean_name

REFUSED = [
    *(
        "Администрация",
        "Модерация",
        "Chat Admin",
        "Admin Anna",
        "Anna (admin)",
        "Anna, admin",
        "Администратор чата",
    ),
    *(
        "System message",
        "Системное сообщение",
        "Besedka Team",
        "Besedka bot",
        "root",
        "Support",
        "Служба поддержки",
    ),
    *(
        "Head Moderator",
        "Moderators team",
        "the operators",
        "Server admin",
        "the server",
        "Chat Server",
        "Суперадмин",
    ),
    *(
        "AdminAnna",
        "AnnaAdmin",
        "chatadmin",
        "Admin2",
        "Admin2Anna",
        "admin-1",
        "admin_anna",
        "Admin's",
        "1admin",
        "Super Admin",
    ),
    *(
        "S y s t e m",
        "A-D-M-I-N",
        "ad min",
        "Anna a.d.m.i.n",
        "Anna ad min",
        "sYsTeM",
        "System operator",
        "theadmin",
    ),
    *("ᴀdmin", "A∂min", "🅰dmin", "🅐dmin", "🇦dmin", "ᵃdmin", "ꭺdmin"),
    *("Адм1н", "adm!n", "@dmin", "4dmin", "ádmıп", "Aдмин", "adm|n", "ADMİN", "Adrnin", "$y$tem", "5y5tem"),
    *("ⲤⲨⲤⲦⲈⲘ", "𐌔ystem", "߁perator", "⭕perator", "ʌdmin", "αδmιn", "Anna (verified)"),
    *("0perator", "Oпepaтop", "Администpaтоp", "Cистема", "Syst℮m", "аdмin", "Δdmin", "modеrat0r"),
]
ALLOWED = [
    *(
        "Adminov",
        "Админов",
        "Романов",
        "Админка",
        "Systems",
        "Systema Rex",
        "Системный",
        "Беседа",
        "Besed",
        "Modern",
        "Opera",
    ),
    *(
        "Joan Root",
        "Сервер Мустафаев",
        "Supporter",
        "Administratrix",
        "Moderatorka",
        "Amin",
        "Adam Minsk",
        "Admiral",
    ),
    *(
        "Chat",
        "The Chat",
        "Чат",
        "2026",
        "!",
        "Анна-Мария",
        "Anna (2)",
        "O'Brien",
        "Robot 5",
        "Sister",
        "Постер",
    ),
]


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_a_name_with_a_reserved_word_in_whatever_letters_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(name)
    assert refused.value.code is ErrorCode.NAME_RESERVED


@pytest.mark.parametrize("name", ALLOWED, ids=ascii)
def test_a_name_with_a_longer_word_or_with_a_persons_name_beside_it_is_taken(name: str) -> None:
    assert clean_name(name) == name


def spellings(word: str) -> st.SearchStrategy[str]:
    """A word with each of its letters as whatever is read as it, perhaps in parts."""
    return st.tuples(
        *(
            st.tuples(
                st.sampled_from(
                    "".join(_LATIN.get(each, each) for each in (letter, *_CYRILLIC.get(letter, "")))
                ),
                st.sampled_from(("", "", ".", " ")),
            )
            for letter in word
        )
    ).map(lambda letters: "".join(map("".join, letters)).strip(". "))


@given(
    st.sampled_from(RESERVED).flatmap(spellings),
    st.sampled_from(("", "Anna ", "(", "🙂", "chat ", "Анна, ")),
    st.sampled_from(("", " Anna", ")", "🙂", "77", ", Анна")),
)
def test_no_spelling_of_a_reserved_word_stands_in_a_name(word: str, before: str, after: str) -> None:
    assert holds_reserved_word(f"{before}{word}{after}")


@given(st.lists(st.sampled_from((*FILLERS, *ALONE, *RESERVED, "Anna", "Анна", "x", "5")), max_size=5))
def test_the_words_decide_and_the_blanks_between_them_do_not_matter(words: list[str]) -> None:
    has_person = not {"Anna", "Анна", "x"}.isdisjoint(words)
    is_refused = not {*RESERVED}.isdisjoint(words) or (not has_person and not {*ALONE}.isdisjoint(words))
    assert holds_reserved_word(" ".join(words)) is is_refused


@given(st.text(st.characters(), max_size=32))
def test_any_text_has_an_answer(text: str) -> None:
    assert holds_reserved_word(text) in {True, False}
