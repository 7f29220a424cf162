"""Texts that are searched for: which of them are the same, and whether some bytes of a log may hold one.

Two texts are the same if they differ in case, or in how a letter is written: composed or decomposed, full width, a ligature (`fold`).

Nearly no block of a log contains the text that is searched for. So its bytes are not decoded: they are compared in a form in which upper and
lower case are the same bytes (`SAME`). Some other letters become the same, too; that only costs a closer look. But what is the same letter must
never differ. Where it does (``ß`` folds to ``ss``, the Kelvin sign to ``k``, ``й`` may be written as ``и`` and a breve, and the bytes of ``Ё``
are far from those of ``ё``) the letter is *odd*: blocks that contain it are decoded.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final

LETTERS_END: Final = 0x30000
"""The end of the characters that fold to others (a test checks it)."""

FIRST_PLANE_END: Final = 0x10000

PROBE_CHARACTERS: Final = 64
"""The part of a long text that is looked for in whole blocks; a message that contains it is compared with the whole text."""

ODD_LETTERS_AT_MOST: Final = 16
"""So many odd letters are replaced one after the other in a block; if there are more, decoding it takes less time."""

LETTERS_A_TURN: Final = 100
"""Letters of the table of odd letters that are looked at before other threads have their turn: it is made once, and takes a quarter of a second."""

YIELD_SECONDS: Final = 0.000_01
"""Sleep of a thread that searches a log, now and then. Python passes its lock to another thread only after 5 ms, unless the holder
sleeps; and a message needs the lock a dozen times on its way to the disk and back."""

_IOTA_BELOW: Final = "\u0345"
_DOT_ABOVE: Final = "\u0307"
MARKS_AT_MOST: Final = 30
"""Marks in a row that are compared: no language has more."""

_BREAKS = re.compile("[\n\ufffd]")


def fold(text: str) -> str:
    """A text in the form in which it is compared: two texts whose letters are the same in any case and spelling are equal in it (UAX #15, NFKC).

    The dot that ``İ`` keeps as a small letter is dropped: who types ``i`` means it. Of more marks in a row than a text has (UAX #15, section 13,
    Stream-Safe Text Format) the first ones count: to put them in order takes time by the square of their number.
    """
    if text.isascii():
        return text.lower()
    composed = unicodedata.normalize("NFKC", _with_few_marks(text))
    folded = unicodedata.normalize("NFKC", composed.casefold())
    dotless = folded.replace("i" + _DOT_ABOVE, "i")
    return dotless if dotless is folded else unicodedata.normalize("NFKC", dotless)


def _same(byte: int) -> int:
    """A byte of UTF-8 in a form in which both cases are the same; this holds in Latin, Greek and Cyrillic, with few exceptions."""
    if ord("A") <= byte <= ord("Z"):
        return byte | 0x20
    if 0x80 <= byte < 0xC0:  # noqa: PLR2004 - all bytes behind the first one of a character
        return byte & ~0x20
    # Half of α to ω, and of а to я, have one first byte, and half the other.
    return {0xCF: 0xCE, 0xD1: 0xD0}.get(byte, byte)


SAME: Final = bytes(map(_same, range(256)))
"""For `bytes.translate`."""


def _with_few_marks(text: str) -> str:
    is_of_the_first_plane = len(text.encode("utf-16-le", "surrogatepass")) == 2 * len(text)
    runs = _too_many_marks(FIRST_PLANE_END if is_of_the_first_plane else LETTERS_END)
    return runs.sub(lambda run: run[0][:MARKS_AT_MOST], text)


def _is_mark(letter: str) -> bool:
    """Whether a character is put in order with the marks around it; of a few only the parts are."""
    if unicodedata.combining(letter):
        return True
    parts = unicodedata.decomposition(letter) and unicodedata.normalize("NFKD", letter)
    return bool(parts) and bool(unicodedata.combining(parts[0]))


@cache
def _too_many_marks(end: int) -> re.Pattern[str]:
    """A pattern of runs of marks; it is found eighty times faster if it has no character behind the first plane."""
    mark = f"[{''.join(filter(_is_mark, map(chr, range(end))))}]"
    # Written twice: a pattern that begins with a class is looked for by that.
    return re.compile(f"{mark}{mark}{{{MARKS_AT_MOST},}}")


class Probe:
    """A part of a text by which whole blocks of a log are looked through.

    Args:
        folded: the text, as `fold` returns it.
    """

    __slots__ = ("_bytes", "_is_marked", "_marks", "_odd", "_piece")

    def __init__(self, folded: str) -> None:
        # The log has the same bytes as the text only within a line, and without the replacement characters of invalid UTF-8.
        self._piece = max(_BREAKS.split(folded), key=len)[:PROBE_CHARACTERS]
        self._bytes = self._piece.encode().translate(SAME)
        # Marks may stand in another order in the log.
        self._is_marked = any(map(unicodedata.combining, self._piece))
        marks = frozenset[bytes]().union(*map(_marks_for, self._piece))
        letters = frozenset[bytes]().union(*map(_letters_for, self._piece))
        self._marks = marks | {letter for letter in letters if _moves(letter.decode())}
        self._odd = [*_by_first_byte(marks | letters)]

    def form(self, data: bytes) -> tuple[bytes, bytes]:
        """Some bytes of a log and those to look for in them; where letters are odd, nothing is looked for."""
        is_odd = self._is_marked or self._odd_in(data)
        return (data, b"") if is_odd else (data.translate(SAME), self._bytes)

    def may_be_in(self, data: bytes, *, is_stretch: bool = False) -> bool:
        """Whether some bytes of a log may contain the text.

        Args:
            data: the bytes.
            is_stretch: they are many: if they would have to be decoded, they may; its parts are looked at one by one then.
        """
        odd = self._odd_in(data)
        if self._is_marked or odd & self._marks or len(odd) > ODD_LETTERS_AT_MOST:
            if is_stretch:
                return True
            # Line by line: a long text would be folded at one go, while all other threads wait.
            lines = data.decode("utf-8", "replace").split("\n")
            return any(self._piece in fold(line) for line in lines)
        for letter in odd:
            data = data.replace(letter, fold(letter.decode()).encode())
        return self._bytes in data.translate(SAME)

    def _odd_in(self, data: bytes) -> set[bytes]:
        """The odd letters in some bytes. Most bytes have none, and are seen to have none by the first one of such letters."""
        return {letter for first, letters in self._odd if first in data for letter in letters.findall(data)}


def _moves(letter: str) -> bool:
    """Whether what a letter folds to may stand in another place than the letter: behind marks that follow it, or in front of them."""
    return bool(unicodedata.combining(letter)) or _IOTA_BELOW in unicodedata.normalize("NFD", letter)


def _by_first_byte(letters: Iterable[bytes]) -> Iterator[tuple[bytes, re.Pattern[bytes]]]:
    """Patterns of letters, each with the byte with which they begin."""
    by_first: defaultdict[bytes, defaultdict[bytes, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for letter in letters:
        by_first[letter[:1]][letter[1:2]].append(letter[2:])
    for first, by_second in by_first.items():
        rest = (re.escape(second) + _any_of(ends) for second, ends in sorted(by_second.items()))
        yield first, re.compile(re.escape(first) + b"(?:%s)" % b"|".join(rest))


def _any_of(pieces: Iterable[bytes]) -> bytes:
    return b"(?:%s)" % b"|".join(map(re.escape, sorted(pieces)))


def _letters_for(character: str) -> frozenset[bytes]:
    """The letters, as UTF-8, that fold to a character of a folded text, alone or with others, and have other bytes than it under `SAME`."""
    return _odd_letters().get(character, frozenset())


def _marks_for(character: str) -> frozenset[bytes]:
    """The characters, as UTF-8, of which a log holds at least one where such a character is written as several."""
    marks = _DOT_ABOVE if character == "i" else unicodedata.normalize("NFD", character)[1:]
    return frozenset(map(str.encode, marks)).union(*map(_letters_for, marks))


def _may_fold(letter: str) -> bool:
    """Whether a character may fold to another, told in a fifth of the time that `fold` takes."""
    return bool(unicodedata.decomposition(letter)) or letter.casefold() != letter


@cache
def _odd_letters() -> Mapping[str, frozenset[bytes]]:
    """For each folded character, the letters that fold to it, alone or with others, but differ from it under `SAME`; as UTF-8."""
    odd = defaultdict(set)
    for number, letter in enumerate(filter(_may_fold, map(chr, range(LETTERS_END)))):
        if number % LETTERS_A_TURN == 0:
            time.sleep(YIELD_SECONDS)
        folded, written = fold(letter), letter.encode()
        for character in folded:
            if letter != folded and (
                character != folded or written.translate(SAME) != character.encode().translate(SAME)
            ):
                odd[character].add(written)
    return {character: frozenset(letters) for character, letters in odd.items()}
