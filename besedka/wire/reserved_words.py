"""The words that no name may hold: the server's, and those of the roles in a chat. Pure.

The rule: no word of a name is one of `RESERVED`, in whatever letters; and no name is nothing but these, `ALONE` and `FILLERS`. A word ends at
blanks, signs, digits, and before a capital (``AdminAnna``); it may be broken anywhere (``S y s t e m``, ``a.d.m.i.n``). A letter may be replaced
by whatever is read as it: one that looks like it in Latin, Cyrillic or Greek, one of the same sound, one with an accent or in a frame, a digit or
a sign (``0perator``, ``@dmin``). A longer word that holds a reserved one is another word: Adminov, Systems, Админка.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from besedka.wire.skeletons import prototype

RESERVED: Final = (
    *("system", "система", "системы", "системная", "системное", "системные", "besedka", "беседка", "беседки"),
    *("operator", "operators", "оператор", "оператора", "операторы"),
    *("moderator", "moderators", "moderation"),
    *("модератор", "модератора", "модераторы", "модерация", "модерации"),
    *("admin", "admins", "sysadmin", "sysadmins", "superadmin", "sysop", "superuser"),
    *("админ", "админа", "админы", "сисадмин", "сисадмины", "суперадмин"),
    *("administrator", "administrators", "administration"),
    *("администратор", "администратора", "администраторы", "администрация", "администрации"),
    *("support", "поддержка", "поддержки", "техподдержка"),
    *("verified", "unverified"),
)
"""Words of which none may stand in a name: roles, and what a mark of the chat says."""

ALONE: Final = ("server", "сервер", "root", "модер")
"""Words that are also names of people, or parts of them (Joan Root, Сервер): they may stand beside another word only."""

FILLERS: Final = ("the", "chat", "чат", "чата")
"""Words that make nobody's name of a reserved one."""


def _groups(text: str) -> dict[str, str]:
    """Groups of characters, each by its first one."""
    return {group[0]: group for group in text.split()}


_LATIN: Final = _groups(
    "aа@4αλδ∆ʌⲁ bвьбβ68 cсσ¢© dд∂ðδ eеєэε3€∑ⲉ fғƒ gг69 hнһ iиіι1!l|¡ⲓ kкκĸ lлι1|i! mмμⲙ "
    "nнпиηπⲛ oо0σοө°ⲟ߀߁⭕ pрпρπþ rряг® sсѕσ5$§ⲥ𐌔 tтτ7+†ⲧ uуцυμи vвνu√ xхχ× yуүγ¥ⲩ"
)
"""Each Latin letter, with all that is read as it: itself, letters of other scripts, digits and signs."""

_CYRILLIC: Final = _groups("аa бb вvb гgr дd еe жx иiu йiy кk мm нhn оo пpn рpr сcs тt уuy хxh цcu чh ы яr")
"""Each Cyrillic letter, with the Latin ones that are drawn like it or sound like it: whatever is read as them is read as it."""

_TOGETHER: Final = {"rn": "mм", "cl": "dд", "zh": "ж"} | dict.fromkeys(
    ("ьl", "ьi", "ьі", "ь1", "bl", "bi", "b1"), "ы"
)
"""Two letters, and those that they are read as together."""

_SIGNS: Final = frozenset("@$!|+¡€¢®©§∂∆∑√×†°¥⭕")
"""Signs that are read as letters."""

_BREAK: Final = "\0"
_DIGITS: Final = "0123456789"
_IN_A_FRAME: Final = re.compile(
    r".*\b(?:LATIN|REGIONAL INDICATOR|MODIFIER LETTER)\b.*\b([A-Z])(?: WITH [A-Z -]+)?"
)


@lru_cache(maxsize=4096)
def holds_reserved_word(name: str) -> bool:
    """Whether nobody may join under a name because of its words."""
    return any(map(_is_reserved, _readings(name)))


def _is_reserved(words: str) -> bool:
    # Behind the last break is nothing.
    begins = (at + 1 for at, each in enumerate(words[:-1]) if each == _BREAK)
    return _is_all_reserved(words) or any(_has_word(words, begin) for begin in begins)


def _readings(name: str) -> set[str]:
    """The words of a name, between breaks: with digits and signs among the letters, and without."""
    letters = "".join(_letters(name))
    return {_words(letters, is_read) for is_read in (str.isalpha, _is_read)}


def _letters(name: str) -> Iterable[str]:
    """The letters and signs of a name, as `_plain` gives them; a break before a capital within a word."""
    before = ""
    for character in unicodedata.normalize("NFKD", name):
        if unicodedata.category(character) in {"Mn", "Mc", "Me", "Cf"}:
            continue
        if before.islower() and character.isupper():
            yield _BREAK
        yield _plain(character)
        before = character


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """A small letter, without a frame; if it is none of those that are read as others, what it looks like (UTS #39)."""
    folded = character.casefold()
    plain = folded if folded in _READ_AS else _without_frame(folded)
    return plain if plain in _READ_AS or plain.isascii() else _without_frame(prototype(plain).casefold())


def _without_frame(text: str) -> str:
    """The Latin letter that a character is, turned, in small capitals or in a frame."""
    is_one = len(text) == 1 and not text.isascii()
    found = _IN_A_FRAME.fullmatch(unicodedata.name(text, "")) if is_one else None
    return found[1].lower() if found else text


def _words(text: str, is_read: Callable[[str], bool]) -> str:
    parts = "".join(each if is_read(each) else _BREAK for each in text).split(_BREAK)
    return _BREAK.join(["", *filter(None, parts), ""])


def _is_read(character: str) -> bool:
    return character.isalpha() or character.isdecimal() or character in _SIGNS


# Matching. A word is looked for letter by letter: few names share more than the first with any of the words, and thousands of spellings of each
# would take longer to compile, as patterns, than to compare.


def _has_word(words: str, begin: int) -> bool:
    """Whether a reserved word, or several without a break, begin here, digits aside, and end at a break."""
    begins = {begin, _behind_digits(words, begin)}
    if not any(_words_at(words, at) for at in begins):
        return False
    begins |= {end for at in begins for end, word in _words_at(words, at) if word in FILLERS}
    return any(
        words.startswith(_BREAK, _behind_digits(words, end))
        for end in _ends(words, begins, frozenset(RESERVED))
    )


def _is_all_reserved(words: str) -> bool:
    """Whether there is nothing but the words of all three kinds, and one of them is no filler."""
    begin = len(words) - len(words.lstrip(_BREAK + _DIGITS))
    if not _words_at(words, begin):
        return False
    fillers = {begin, *_ends(words, {begin}, frozenset(FILLERS))}
    ends = _ends(words, fillers, frozenset((*RESERVED, *ALONE)))
    return any(
        not words[end:].strip(_BREAK + _DIGITS) for end in _ends(words, ends, frozenset(_WORDS)) | ends
    )


def _ends(words: str, begins: set[int], kind: frozenset[str]) -> set[int]:
    """Where a row of words of a kind may end that begins at one of these places."""
    found, new = set[int](), begins
    while new:
        new = {end for at in new for end, word in _words_at(words, at) if word in kind} - found
        found |= new
    return found


@lru_cache(maxsize=256)
def _words_at(words: str, begin: int) -> set[tuple[int, str]]:
    """All words of all three kinds that may be read at a place, each with its end."""
    found = set[tuple[int, str]]()
    begun = {(begin, "")}
    while begun:
        begun = {longer for at, part in begun for longer in _longer(words, at, part)}
        found |= {(end, part) for end, part in begun if part in _WORDS}
    return found


def _longer(words: str, at: int, part: str) -> Iterable[tuple[int, str]]:
    """The beginnings of words that are one letter longer than another one that ends at a place; a break there does not count."""
    at += words.startswith(_BREAK, at)
    one, two = words[at : at + 1], words[at : at + 3].replace(_BREAK, "")[:2]
    longer = [(at + 1, beginning) for beginning in _with_letter(part, one)]
    if two in _TOGETHER:
        end = at + 2 + (_BREAK in words[at : at + 2])
        longer += [(end, part + letter) for letter in _TOGETHER[two] if part + letter in _BEGINNINGS]
    return longer


@lru_cache(maxsize=4096)
def _with_letter(part: str, character: str) -> tuple[str, ...]:
    """The beginnings of words that are another one and a letter as which a character may be read."""
    longer = (part + letter for letter in _READ_AS.get(character, ""))
    return tuple(beginning for beginning in longer if beginning in _BEGINNINGS)


def _behind_digits(words: str, at: int) -> int:
    return len(words) - len(words[at:].lstrip(_DIGITS))


def _readers() -> dict[str, str]:
    """The letters as which each character may be read."""
    twins = {
        letter: {letter, *"".join(_LATIN.get(each, "") for each in like)}
        for letter, like in _CYRILLIC.items()
    }
    readers: dict[str, str] = {}
    for letter, characters in (*_LATIN.items(), *twins.items()):
        for each in characters:
            readers[each] = readers.get(each, "") + letter
    return readers


_READ_AS: Final = _readers()
_WORDS: Final = frozenset((*RESERVED, *ALONE, *FILLERS))
_BEGINNINGS: Final = frozenset(word[:length] for word in _WORDS for length in range(1, len(word) + 1))
