"""Searching a log: the same as looking at each message, however the log is cut into blocks."""

from __future__ import annotations

import itertools
import random
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from besedka.serve.history import ChatHistory, Hits
from besedka.serve.history.folding import LETTERS_END, MARKS_AT_MOST, PROBE_CHARACTERS, Probe, fold
from besedka.serve.history.resent import Resent
from besedka.serve.history.search import FOUND_BYTES, Block, Needle, Query, search
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.log_line import read_line, show_line
from besedka.wire.validation import clean_search
from tests.lengths import often
from tests.serve.history.logs import STAMP, line

OFTEN = often(150)

# Capitals and small letters that are near each other in UTF-8 and that are not, some that fold to two or three, some that
# are no capital and fold all the same; controls, and what headers are made of.
# And letters that may be written in two ways: composed and with marks, in full width, as a ligature.
SPELLINGS = "иИйЙ\u0306eéÉ\u0301\u0323\u0302ấâａＡｉ\u0307α\u0345ᾳ가\u1100\u1161한\u11abガｶ\uff9eカ\u3099…．."
LETTERS = (
    SPELLINGS
    + "aAkK\u212asS\u017fßẞﬀﬁﬄiİıоОо\u1c82тТ\u1c84\u1c85вВ\u1c80ёЁяЯрРеЕўЎσΣςωΩ\u2126ÅÅåłŁżŻᾳᾼΐǰ𐐀𐐨\n\t\r :]\ufffd0"
)
TEXTS = st.text(st.sampled_from(LETTERS), max_size=8)
NAMES = st.text(st.sampled_from("AnaАня ß"), min_size=1, max_size=5)
RAW = st.one_of(
    st.builds(lambda user, text: line(text, user).encode() + b"\n", NAMES, TEXTS),
    # By another program: line ends as on Windows, lines without a tab, and invalid UTF-8.
    st.builds(
        lambda user, parts: f"[{STAMP}] {user}: ".encode() + b"".join(parts) + b"\r\n",
        NAMES,
        st.lists(
            st.sampled_from([b"\xd0", b"\xff", b"\xe1\xb2", b"\r\n", b"\nA", b"\n\t", "Ая".encode(), b"a"]),
            max_size=6,
        ),
    ),
)
LOGS = st.lists(RAW, max_size=20)
CUTS = st.sets(st.integers(1, 19))


def block(first: int, *messages: bytes) -> Block:
    ends = [*itertools.accumulate(map(len, messages))]
    return Block(first, b"".join(messages), lambda: [*zip([0, *ends], ends, strict=False)])


def blocks(log: Sequence[bytes], cuts: set[int], before: int) -> Iterator[Block]:
    """A log cut into blocks in front of some messages; those from the one with the message before an id backwards."""
    places = [0, *sorted(cut for cut in cuts if cut < len(log)), len(log)]
    for begin, end in reversed(list(itertools.pairwise(places))):
        if begin + 1 < before and begin < end:
            yield block(begin + 1, *log[begin:end])


def by_looking_at_each(log: Sequence[bytes], text: str, before: int) -> list[tuple[int, str]]:
    lines = [(number, show_line(raw)) for number, raw in enumerate(log, 1) if number < before]
    return [(number, line) for number, line in lines if fold(text) in fold(read_line(line).text)]


def never() -> bool:
    return False


def found(hits: Hits) -> list[tuple[int, str]]:
    return list(zip(hits.ids, hits.lines, strict=True))


@OFTEN
@given(LOGS, TEXTS.filter(bool), CUTS, st.integers(1, 25))
@example([b"[2025-11-19 23:46:36] A: Stra\xc3\x9fe\n"], "STRASSE", set(), 2)
@example(["[2025-11-19 23:46:36] A: ЁЛКА\n".encode()], "ёлка", set(), 2)
@example([b"[2025-11-19 23:46:36] A: a\xff\n"], "A\ufffd", set(), 2)
def test_what_is_found_is_what_one_finds_who_looks_at_each_message(
    log: list[bytes], text: str, cuts: set[int], before: int
) -> None:
    hits = search(blocks(log, cuts, before), Needle(Query(text)), before, 100, never)
    assert found(hits) == by_looking_at_each(log, text, before)
    assert hits.before == 0


@OFTEN
@given(LOGS, st.sampled_from(["a", "А", "\n", "s", "я"]), CUTS, st.integers(1, 4), st.booleans())
def test_who_asks_on_finds_all_of_it_once(
    log: list[bytes], text: str, cuts: set[int], limit: int, is_short_of_time: bool
) -> None:
    seen: list[tuple[int, str]] = []
    before = len(log) + 1
    while before:
        hits = search(blocks(log, cuts, before), Needle(Query(text)), before, limit, lambda: is_short_of_time)
        assert len(hits.ids) <= limit
        assert hits.before < before
        seen = found(hits) + seen
        before = hits.before
    assert seen == by_looking_at_each(log, text, len(log) + 1)


@OFTEN
@given(st.text(max_size=60), st.data())
def test_a_text_is_found_by_any_part_of_it_however_its_letters_are_written(
    text: str, data: st.DataObject
) -> None:
    log = line(text).encode() + b"\n"
    read = read_line(show_line(log)).text
    begin = data.draw(st.integers(0, len(read)))
    piece = read[begin : data.draw(st.integers(begin, len(read)))]
    for written in (piece, piece.casefold(), piece.upper(), piece.lower()):
        is_there = fold(written) in fold(read)
        assert bool(search([block(1, log)], Needle(Query(written)), 2, 9, never).ids) is is_there


def test_letters_of_two_cases_all_lie_where_they_are_looked_for() -> None:
    beyond = map(chr, range(LETTERS_END, sys.maxunicode + 1))
    assert all(fold(letter) == letter for letter in beyond if not "\ud800" <= letter <= "\udfff")


@pytest.mark.parametrize("first", range(0, 0x2000, 0x400))
def test_a_letter_finds_all_that_is_the_same_letter(first: int) -> None:
    letters = [letter for letter in map(chr, range(first, first + 0x400)) if letter.casefold() != letter]
    for letter in letters:
        for written in {letter, letter.casefold(), letter.upper()}:
            log = block(1, line(f"xx{written}xx").encode() + b"\n")
            for looked_for in {letter, letter.casefold(), letter.upper(), letter.lower()}:
                hits = search([log], Needle(Query(f"x{looked_for}x")), 2, 9, never)
                is_same = fold(written) == fold(looked_for)
                assert bool(hits.ids) is is_same, (letter, written, looked_for)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("мой", "МОИ\u0306"),
        ("МОИ\u0306", "мой"),
        ("cafe\u0301", "CAFÉ"),
        ("Ｂｅｓｅｄｋａ", "besedka"),
        ("İstanbul", "istanbul"),
        ("I\u0307stanbul", "İSTANBUL"),
        ("i\u0307\u0301", "í"),
        ("ﬁne…", "FINE..."),
        ("ﾊﾟﾘ", "パリ"),
        ("\u1112\u1161\u11ab", "한"),
        ("a\u0323\u0302", "a\u0302\u0323"),
        ("\u09c7\u09be", "\u09cb"),
        ("â\u0323", "ậ"),
        ("\u0345\u0323k", "ιK"),
        ("ᾳ\u03011", "Ι1"),
    ],
)
def test_texts_that_look_the_same_are_found(written: str, wanted: str) -> None:
    log = block(1, line(f"so {written} there").encode() + b"\n", line("nothing").encode() + b"\n")
    assert search([log], Needle(Query(wanted)), 3, 9, never).ids == [1]


FOLDING = [chr(code) for code in range(LETTERS_END) if unicodedata.decomposition(chr(code))]
MARKS = [chr(code) for code in range(LETTERS_END) if unicodedata.combining(chr(code))]
SPELT = st.lists(
    st.sampled_from([*SPELLINGS]) | st.sampled_from(FOLDING) | st.sampled_from(MARKS), max_size=8
)


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\U0001d165\u0323", "\u0f73", "\u0301\uff9e"])
def test_marks_without_end_are_not_put_in_order(marks: str) -> None:
    """That takes time by the square of their number: for these, minutes."""
    text = f"a{marks * 100_000}b"
    assert len(fold(text)) <= 2 + 2 * MARKS_AT_MOST
    log = block(1, line(text).encode() + b"\n")
    assert search([log], Needle(Query("B")), 2, 9, never).ids == [1]


@OFTEN
@given(SPELT.map("".join), st.data())
def test_no_spelling_of_a_part_of_a_text_is_taken_for_absent(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    begin = data.draw(st.integers(0, len(folded)))
    part = fold(folded[begin : data.draw(st.integers(begin, len(folded)))])
    probe = Probe(part)
    for is_stretch in (False, True):
        assert part not in folded or probe.may_be_in(line(text).encode(), is_stretch=is_stretch)


def test_a_stretch_that_would_have_to_be_decoded_is_looked_at_block_by_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may take a second, in which nobody looks at the time."""
    probe = Probe(fold("x\u0323"))
    lines = (line("ﷺ" * 1_000).encode() + b"\n") * 3
    assert not probe.may_be_in(lines)

    def fold_nothing(text: str) -> str:
        raise AssertionError(text)

    monkeypatch.setattr("besedka.serve.history.folding.fold", fold_nothing)
    assert probe.may_be_in(lines, is_stretch=True)


@OFTEN
@given(LOGS, TEXTS, st.one_of(st.just(""), NAMES), st.sampled_from(["", STAMP]), CUTS)
def test_a_search_for_a_name_and_a_time_is_the_same_as_looking_at_each_message(
    log: list[bytes], text: str, user: str, since: str, cuts: set[int]
) -> None:
    assume(text or user.strip())
    before = len(log) + 1
    hits = search(blocks(log, cuts, before), Needle(Query(text, user, since)), before, 100, never)
    expected = [
        (number, line)
        for number, line in by_looking_at_each(log, text, before)
        if not user.strip() or " ".join(fold(read_line(line).user).split()) == " ".join(fold(user).split())
    ]
    assert found(hits) == expected


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Anna ❤️", "anna ❤"),
        ("Anna ❤", "Anna ❤️"),
        ("Old  Name", "old name"),
        ("Система", "система"),
        ("❤️", "❤"),
        ("x" * 100, "X" * 100),
        ("Ａnna", "anna"),
    ],
)
def test_an_author_is_found_by_whatever_name_the_log_has(name: str, wanted: str) -> None:
    log = block(1, line("hello", name).encode() + b"\n", line("hello", "Boris").encode() + b"\n")
    assert search([log], Needle(Query("", wanted)), 3, 9, never).ids == [1]
    assert search([log], Needle(Query("HELLO", wanted)), 3, 9, never).ids == [1]


def test_a_time_has_a_beginning_and_an_end() -> None:
    stamps = [f"2026-01-{day:02} 12:00:00" for day in range(1, 10)]
    log = block(1, *(f"[{stamp}] Anna: word\n".encode() for stamp in stamps))
    query = Query("word", from_stamp="2026-01-03 12:00:00", to_stamp="2026-01-06 12:00:00")
    assert search([log], Needle(query), 10, 9, never).ids == [3, 4, 5]
    assert search([log], Needle(Query("", "anna", to_stamp="2026-01-02")), 10, 9, never).ids == [1]
    assert search([log], Needle(Query("", from_stamp="2026-01-09")), 10, 9, never).ids == [9]


def test_names_and_times_are_no_text() -> None:
    log = line("hello: Boris").encode() + b"\n"
    for text in ("anna", "2025", "23:46", "] ", "anna: h", ": h"):
        assert search([block(1, log)], Needle(Query(text)), 2, 9, never).ids == []
    for text in ("HELLO", "o: b", "boris"):
        assert search([block(1, log)], Needle(Query(text)), 2, 9, never).ids == [1]


def test_a_long_text_is_compared_to_its_end() -> None:
    text = "Я" * PROBE_CHARACTERS + " конец"
    log = line(text).encode() + b"\n"
    assert search([block(1, log)], Needle(Query(text.lower())), 2, 9, never).ids == [1]
    assert search([block(1, log)], Needle(Query(text.lower() + "!")), 2, 9, never).ids == []


def test_an_answer_is_no_longer_than_a_page() -> None:
    log = [line(f"{number} " + "ж" * 5_000).encode() + b"\n" for number in range(50)]
    hits = search([block(1, *log)], Needle(Query("Ж")), 51, 100, never)
    assert hits.ids == [47, 48, 49, 50]
    assert sum(map(len, log[47:50])) <= FOUND_BYTES
    assert hits.before == 47


def test_a_stop_for_time_says_where_to_go_on() -> None:
    log = [line(f"word {number}").encode() + b"\n" for number in range(1, 10)]
    asked = iter([False, True])
    cut = blocks(log, {3, 6}, 10)
    assert search(cut, Needle(Query("nothing")), 10, 5, lambda: next(asked)) == Hits([], [], 4)
    assert [block.first for block in cut] == [1]


# Through the log's own file and places.


@given(
    st.lists(TEXTS.filter(lambda text: "\r" not in text), max_size=30),
    st.sampled_from(["a", "А", "к", "ss"]),
    st.integers(1, 2_000),
    st.integers(1, 40),
)
def test_a_log_is_searched_as_it_was_written_and_after_it_was_opened_again(  # noqa: PLR0917 - two are fixtures
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    texts: list[str],
    text: str,
    near: int,
    before: int,
) -> None:
    monkeypatch.setattr("besedka.serve.history.log_state._BLOCK_BYTES", near)
    path = tmp_path_factory.mktemp("history") / "talk.txt"
    lines = [line(one) for one in texts]
    log = [line.encode() + b"\n" for line in lines]
    history = ChatHistory.open(path)
    for begin in range(0, len(lines), 7):
        history.append(lines[begin : begin + 7])
    for _ in range(2):
        expected = by_looking_at_each(log, text, before)
        hits = history.search(Query(text), before, 100, 60)
        assert (found(hits), hits.before) == (expected, 0)
        ids: list[int] = []
        rest = before
        while rest:
            hits = history.search(Query(text), rest, 2, 0)
            ids, rest = hits.ids + ids, hits.before
        assert ids == [number for number, _ in expected]
        history.close()
        history = ChatHistory.open(path)
    history.close()


def test_a_log_without_messages_has_nothing_to_find(tmp_path: Path) -> None:
    history = ChatHistory.open(tmp_path / "talk.txt")
    assert history.search(Query("a"), 1, 10, 1) == history.search(Query("a"), 99, 10, 1) == Hits([], [], 0)
    history.close()


def test_a_search_yields_after_each_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeps: list[float] = []
    monkeypatch.setattr("time.sleep", sleeps.append)
    history = ChatHistory.open(tmp_path / "talk.txt")
    history.append([line("x" * 5_000) for _ in range(1_000)])
    history.search(Query("nothing"), 1_001, 10, 60)
    assert 15 < len(sleeps) < 30
    sleeps.clear()
    history.resent(Resent("Anna", "nothing"), range(1, 1_001), lambda _: False, 10, 60)
    assert 15 < len(sleeps) < 30
    sleeps.clear()
    history.close()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_found_is_found_wherever_it_is_in_a_long_log(tmp_path: Path, seed: int) -> None:
    """Most of a log is looked at in pieces of many messages: at their borders, behind a message longer than any of them, and in the first one."""
    chance = random.Random(seed)
    count = 12_000
    hits = {1, count, *chance.sample(range(1, count + 1), 60)}
    path, short = tmp_path / "talk.txt", 0
    with path.open("w") as log:
        for number in range(1, count + 1):
            more = "\n\tand so on" * (30_000 if number == count // 2 else chance.choice((0, 0, 0, 50)))
            log.write(line(f"{'Needle' if number in hits else 'hay'} {number}") + more + "\n")
            short = short if more or number in hits or number > count / 3 else number
    history = ChatHistory.open(path)
    found: list[int] = []
    before = count + 1
    while before:
        step = history.search(Query("nEEDLE"), before, 7, chance.choice((0, 60)))
        found = [*step.ids, *found]
        before = step.before
    assert found == sorted(hits)
    again = history.resent(Resent("Anna", f"hay {short}"), range(1, count + 1), lambda _: False, 9, 60)
    assert [one.id for one in again.found] == [short]
    history.close()


# What may be searched for.


@pytest.mark.parametrize(("text", "why"), [("", "empty"), (" \n\u200b", "empty"), ("x" * 5_001, "5000")])
def test_what_cannot_be_searched_for_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(Refused) as refusal:
        clean_search(text)
    assert refusal.value.code is ErrorCode.BAD_SEARCH
    assert why in refusal.value.sentence(Language.EN)
    assert refusal.value.sentence(Language.RU) != refusal.value.sentence(Language.EN)


def test_what_is_searched_for_is_cleaned_as_a_text_is() -> None:
    assert clean_search("\r\none\r\ntwo\x1b ") == "one\ntwo␛"
