"""`ChatHistory`: a text file, whoever made it, and what it gives back."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from operator import neg
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.errors import HistoryInUse, HistoryLost, HistoryUnusable, StorageFull
from besedka.serve.files.descriptor import BLOCK_BYTES, Descriptor
from besedka.serve.history import LATEST_MESSAGES, ChatHistory, Query, newcomers_begin, room_path, scan
from besedka.serve.history.index import Index
from besedka.serve.history.log_state import LATEST_BYTES, LATEST_ENTRIES, SHOWN_BYTES
from besedka.serve.history.opening import loading
from besedka.serve.history.record import RECORD_BYTES
from besedka.serve.history.scan import Entry, Run
from besedka.serve.history.verifying import verdict
from besedka.serve.history.verifying.verdict import judge
from besedka.wire.log_line import ENTRY, FIRST_LINE
from tests.lengths import often
from tests.serve.history.logs import history_of, index_of, line, read_all, write

REACTION = "[2025-11-19 23:46:36] *Anna: react #1 [2025-11-19 23:46:36] Boris: ok"


def test_a_new_history_is_an_empty_private_file(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    assert (history.count, read_all(history), history.read(0, 5)) == (0, [], [])
    assert history.epoch
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    history.close()


def test_what_was_appended_is_in_the_file_and_comes_back_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    assert history.append([line("one"), line("two\nthree")]) == 1
    assert history.append([line("four")]) == 3
    assert path.read_text() == (
        "[2025-11-19 23:46:36] Anna: one\n"
        "[2025-11-19 23:46:36] Anna: two\n\tthree\n"
        "[2025-11-19 23:46:36] Anna: four\n"
    )
    epoch = history.epoch
    history.close()
    again = ChatHistory.open(path)
    assert (again.count, again.epoch) == (3, epoch)
    assert read_all(again) == [line("one"), line("two\nthree"), line("four")]
    assert again.append([line("five")]) == 4
    again.close()


def test_the_last_ten_stay_in_memory(tmp_path: Path) -> None:
    history = ChatHistory.open(tmp_path / "talk.txt")
    for number in range(1, 26):
        history.append([line(str(number))])
    assert history.latest.first == 16
    assert history.latest.lines == tuple(line(str(number)) for number in range(16, 26))
    history.close()
    again = ChatHistory.open(tmp_path / "talk.txt")
    assert again.latest == history.latest
    again.close()


@pytest.mark.parametrize(
    "sizes", [[5_000] * 12, [10, 5_000, 5_000, 5_000, 10, 10], [LATEST_BYTES, 10], [LATEST_BYTES]]
)
@pytest.mark.parametrize("letter", ["x", "ж", "\N{GRINNING FACE}"])
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_of_long_messages_only_the_last_that_fit_stay_in_memory(
    tmp_path: Path, sizes: list[int], letter: str, *, is_one_batch: bool
) -> None:
    history = ChatHistory.open(tmp_path / "talk.txt")
    lines = [line(letter * size) for size in sizes]
    for batch in [lines] if is_one_batch else [[one] for one in lines]:
        history.append(batch)
    latest = history.latest
    assert latest.first + len(latest.lines) - 1 == history.count
    assert [*latest.lines] == lines[latest.first - 1 :][-LATEST_MESSAGES:]
    assert len(latest.flags) == len(latest.lines)
    sizes_in_memory = [*map(sys.getsizeof, latest.lines)]
    assert sum(sizes_in_memory) <= LATEST_BYTES
    if len(latest.lines) < min(len(lines), LATEST_MESSAGES):
        assert sum(sizes_in_memory) + sys.getsizeof(lines[latest.first - 2]) > LATEST_BYTES
    history.close()
    again = ChatHistory.open(tmp_path / "talk.txt")
    assert again.latest == latest
    again.close()


@often(15)
@given(counts=st.lists(st.integers(-12, 12).filter(bool) | st.integers(250, 260).map(neg), max_size=8))
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_newcomers_begin_at_the_tenth_last_message_whatever_was_added_to_them(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], *, is_one_batch: bool
) -> None:
    """Numbers of messages, or of annotations."""
    path = tmp_path_factory.mktemp("history") / "talk.txt"
    lines = [line("x") if count > 0 else REACTION for count in counts for _ in range(abs(count))]
    history = ChatHistory.open(path)
    for batch in filter(None, [lines] if is_one_batch else [[one] for one in lines]):
        history.append(batch)
    ids = [number for number, one in enumerate(lines, 1) if one != REACTION][-LATEST_MESSAGES:]
    latest = history.latest
    shown = [*latest.lines]
    assert shown == lines[latest.first - 1 :]
    assert [*latest.messages] == [number for number in ids if number > len(lines) - LATEST_ENTRIES]
    begin = max(ids[0] if len(ids) == LATEST_MESSAGES else 1, len(lines) - LATEST_ENTRIES + 1)
    assert newcomers_begin(latest.messages, len(lines)) == begin <= latest.first
    history.close()
    again = ChatHistory.open(path)
    assert (again.latest.first, again.latest.lines, again.latest.messages) == (
        latest.first,
        latest.lines,
        latest.messages,
    )
    again.close()


@given(texts=st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))))
def test_any_text_is_one_message_and_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("history") / "talk.txt"
    lines = [line(text) for text in texts]
    history = ChatHistory.open(path)
    for one in lines:
        history.append([one])
    assert read_all(history) == lines
    history.close()
    again = ChatHistory.open(path)
    assert again.count == len(lines)
    assert read_all(again) == lines
    again.close()


@given(
    data=st.binary(max_size=2000)
    | st.lists(
        st.sampled_from(
            [
                b"[2025-11-19 23:46:36] Anna: hi",
                b"\n",
                b"\r\n",
                b"\t",
                b"\x00",
                b"\xff",
                b"\xef\xbb\xbf",
                b"[2025-11-19 23:46:36 | Edited 23:46:37] Anna: hi",
                b"[19.11.2025, 23:46] Anna: hi",
                b"[2025-11-19 23:46:36] <Boris> hi: all",
                b"[2025-11-19 23:46:36] Anna:",
                b"[2025",
                b"x: y",
                b"\xd0",
            ]
        ),
        max_size=40,
    ).map(b"".join)
)
def test_any_bytes_open_and_keep_their_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = write(tmp_path_factory.mktemp("history") / "talk.txt", data)
    try:
        history = ChatHistory.open(path)
    except HistoryUnusable:
        assert not FIRST_LINE.search(data)
        assert (path.read_bytes(), [*path.parent.iterdir()]) == (data, [path])
        return
    torn = history.restored.torn
    kept = torn.kept.read_bytes() if torn and torn.kept else b""
    there = path.read_bytes()
    assert there + kept == data
    assert not kept.strip(b"\0")  # without an index nothing but NULs at the very end is cut
    assert history.count == sum(bool(match["message"]) for match in ENTRY.finditer(there))
    assert len(read_all(history)) == history.count
    before = read_all(history)
    history.append([line("new")])
    assert read_all(history) == [*before, line("new")]
    assert path.read_bytes().startswith(there)
    history.close()
    path.with_name("talk.txt.index").unlink()
    again = ChatHistory.open(path)
    assert read_all(again) == [*before, line("new")]
    assert again.restored.torn is None
    assert again.epoch == history.epoch
    again.close()


def test_a_file_from_windows_reads_the_same_and_is_not_rewritten(tmp_path: Path) -> None:
    data = (
        "\ufeff[2025-11-19 23:46:36] Anna: Hello\r\n\tsecond\r\n[2025-11-19 23:46:39] Boris: Hi\r\n".encode()
    )
    history = ChatHistory.open(write(tmp_path / "talk.txt", data))
    assert read_all(history) == [
        "[2025-11-19 23:46:36] Anna: Hello\n\tsecond",
        "[2025-11-19 23:46:39] Boris: Hi",
    ]
    assert (tmp_path / "talk.txt").read_bytes() == data
    history.close()


def test_a_file_made_by_hand_is_read_as_it_is(tmp_path: Path) -> None:
    path = write(
        tmp_path / "talk.txt",
        "Minutes of the meeting\n\n",
        "[2025-11-19 23:46:36] Anna: Hello\n",
        "a line without a tab belongs to Anna's message\n",
        "[2025-11-19] this too\n",
        "[2025-11-19 23:46:39] Boris:\n",
    )
    before = path.read_bytes()
    history = ChatHistory.open(path)
    assert read_all(history) == [
        "[2025-11-19 23:46:36] Anna: Hello\na line without a tab belongs to Anna's message\n[2025-11-19] this too",
        "[2025-11-19 23:46:39] Boris:",
    ]
    assert path.read_bytes() == before
    history.close()


def test_bytes_that_are_no_utf8_are_shown_with_replacements_and_never_rewritten(tmp_path: Path) -> None:
    data = b"[2025-11-19 23:46:36] Anna: \xff\xfe caf\xe9\n"
    path = write(tmp_path / "talk.txt", data)
    history = ChatHistory.open(path)
    assert read_all(history) == ["[2025-11-19 23:46:36] Anna: \ufffd\ufffd caf\ufffd"]
    history.append([line("after")])
    assert path.read_bytes().startswith(data)
    history.close()


@pytest.mark.parametrize(
    "torn",
    [
        b"[2025-11-19 23:46:39] Boris: to",
        b"[2025-11-19 23:46:39] Boris: to\xd0",
        b"[2025",
        b"\0",
        b"\0" * 5000,
        b"[2025-11-19 23:46:39] Boris: to" + bytes(300),
    ],
)
def test_a_torn_end_is_cut_off_kept_and_reported(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("whole")])
    history.close()
    with path.open("ab") as crashed:
        crashed.write(torn)
    history = ChatHistory.open(path)
    assert path.read_text() == line("whole") + "\n"
    assert history.restored.torn
    kept = history.restored.torn.kept
    assert kept
    assert kept.name.startswith("talk.txt.torn-")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_bytes() == torn
    assert history.restored.torn.size == len(torn)
    assert read_all(history) == [line("whole")]
    history.close()


def test_a_message_that_ends_in_the_middle_of_its_lines_is_cut_off_whole(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("whole\nof two lines")])
    history.append([line("torn\nof\nthree lines")])
    history.close()
    whole = len(line("whole\nof two lines")) + 1
    for size in range(path.stat().st_size - 1, whole, -1):
        copy = tmp_path / f"copy{size}" / "talk.txt"
        copy.parent.mkdir()
        copy.write_bytes(path.read_bytes()[:size])
        copy.with_name("talk.txt.index").write_bytes((tmp_path / "talk.txt.index").read_bytes())
        again = ChatHistory.open(copy)
        is_only_the_end_missing = size == path.stat().st_size - 1
        assert again.count == 1 + is_only_the_end_missing
        assert (again.restored.torn is None) == is_only_the_end_missing
        again.append([line("next")])
        assert read_all(again)[-1] == line("next")
        again.close()


def test_a_last_line_without_its_end_is_reported_and_gets_it_with_the_next_message(tmp_path: Path) -> None:
    path = write(tmp_path / "talk.txt", line("one"), "\n", line("by hand"))
    before = path.read_bytes()
    history = ChatHistory.open(path)
    assert read_all(history) == [line("one"), line("by hand")]
    assert (history.restored.torn, history.restored.open_line) == (None, 2)
    assert path.read_bytes() == before
    assert history.append([line("next")]) == 3
    assert path.read_bytes() == before + b"\n" + line("next").encode() + b"\n"
    history.close()
    for index in (True, False):
        if not index:
            path.with_name("talk.txt.index").unlink()
        again = ChatHistory.open(path)
        assert read_all(again) == [line("one"), line("by hand"), line("next")]
        assert again.restored.open_line is None
        again.close()


def test_damage_in_the_middle_is_reported_and_left_as_it_is(tmp_path: Path) -> None:
    data = (
        b"[2025-11-19 23:46:36] Anna: one\n[2025-11-19 23:46:36] Anna: two\n\tlines\xd0\n"
        b"[2025-11-19 23:46:36] Anna: th\0ree\n[2025-11-19 23:46:36] Anna: four\n"
    )
    path = write(tmp_path / "talk.txt", data)
    history = ChatHistory.open(path)
    assert history.restored.damaged_line == 3
    assert (history.count, history.restored.torn) == (4, None)
    assert read_all(history)[1:3] == [line("two\nlines\ufffd"), line("th\0ree")]
    assert path.read_bytes() == data
    history.close()


@pytest.mark.parametrize("byte", [b"?", b"<", b"\n", b"\0"])
def test_a_log_opens_whose_last_message_is_damaged_with_lines_of_another_program_behind_it(
    tmp_path: Path, byte: bytes
) -> None:
    for at in range(len(line("two"))):
        path = history_of(tmp_path / f"talk{at}.txt", [line("one")], [line("two")])
        data = path.read_bytes()
        damaged = data.rindex(b"[") + at
        content = data[:damaged] + byte + data[damaged + 1 :] + b"by hand\nand more\n"
        path.write_bytes(content)
        read_only = read_all(ChatHistory.open_to_read(path))
        for _ in range(2):
            history = ChatHistory.open(path)
            assert read_all(history) == read_only
            assert history.read(1, 1) == [line("one")]
            history.close()
        history = ChatHistory.open(path)
        # A beginning with a NUL was perhaps never delivered: a disk leaves them where it has lost something.
        is_lost = byte == b"\0" and not FIRST_LINE.match(content, data.rindex(b"["))
        assert history.append([line("next")]) == (2 if is_lost else 3)
        assert path.read_bytes() == content + f"{line('next')}\n".encode()
        history.close()


def test_what_a_killed_server_left_unsynced_is_on_disk_before_anyone_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "talk.txt", line("written, perhaps not synced"), "\n")
    synced = []
    really = os.fdatasync

    def watch(number: int) -> None:
        synced.append(os.fstat(number).st_ino)
        really(number)

    monkeypatch.setattr(os, "fdatasync", watch)
    ChatHistory.open(path).close()
    assert path.stat().st_ino in synced


def test_every_page_of_a_long_history_is_right(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    lines = [line(f"message {number} " + "x" * (number % 300)) for number in range(1, 5001)]
    write(path, "".join(f"{one}\n" for one in lines))
    assert path.stat().st_size > 10 * BLOCK_BYTES
    history = ChatHistory.open(path)
    assert history.count == 5000
    for first in (1, 2, 499, 500, 2500, 4991, 5000):
        assert history.read(first, 10) == lines[first - 1 : first + 9]
    assert history.read(5001, 10) == []
    assert read_all(history) == lines
    history.close()


def test_pages_are_right_too_when_the_history_grew_under_the_server(tmp_path: Path) -> None:
    history = ChatHistory.open(tmp_path / "talk.txt")
    lines = [line(f"message {number} " + "y" * 200) for number in range(1, 2001)]
    for start in range(0, 2000, 50):
        history.append(lines[start : start + 50])
    for first in (1, 300, 1234, 1999):
        assert history.read(first, 5) == lines[first - 1 : first + 4]
    history.close()


def test_of_a_long_message_the_beginning_is_shown_and_where_to_read_on(tmp_path: Path) -> None:
    long = line("\n".join(["ж" * 1000] * 200))
    path = write(tmp_path / "talk.txt", line("before"), "\n", long, "\n", line("after"), "\n")
    history = ChatHistory.open(path)
    assert history.count == 3
    assert (history.read(1, 1), history.read(3, 1)) == ([line("before")], [line("after")])
    shown, mark = history.read(2, 1)[0].rsplit("\n\t", 1)
    assert long.startswith(shown)
    assert len(shown.encode()) in range(SHOWN_BYTES - 4, SHOWN_BYTES + 1)
    rest = len(long.encode()) + 1 - len(shown.encode())
    shown = f"{rest:,}".replace(",", "\u202f")
    assert mark == f"[… {shown} more bytes: message 2 in talk.txt, or /history.txt?since=1]"
    assert history.read_bytes(history.span(2, 2)) == f"{long}\n".encode()
    assert history.latest.lines == (line("after"),)
    history.close()


def test_a_second_holder_is_refused_with_the_process_that_has_the_file(tmp_path: Path) -> None:
    history = ChatHistory.open(tmp_path / "talk.txt")
    with pytest.raises(HistoryInUse, match=f"process {os.getpid()}"):
        ChatHistory.open(tmp_path / "talk.txt")
    history.close()
    ChatHistory.open(tmp_path / "talk.txt").close()


@pytest.mark.parametrize("what", ["directory", "nowhere"])
def test_a_path_that_cannot_be_a_history_is_named(tmp_path: Path, what: str) -> None:
    path = tmp_path if what == "directory" else tmp_path / "no" / "talk.txt"
    with pytest.raises(HistoryUnusable, match=str(path)):
        ChatHistory.open(path)


@pytest.mark.parametrize(
    "change", ["removed", "replaced", "cut", "cut in the middle", "edited", "emptied", "continued"]
)
def test_a_log_that_another_program_has_changed_is_reread_and_has_another_epoch(
    tmp_path: Path, change: str
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one"), line("two")])
    epoch = history.epoch
    content = path.read_bytes()
    match change:
        case "removed":
            path.unlink()
            left = []
        case "replaced":
            write(tmp_path / "other.txt", line("other") + "\n").rename(path)
            left = [line("other")]
        case "cut":
            os.truncate(path, len(content) // 2)
            left = [line("one")]
        case "cut in the middle":
            os.truncate(path, 30)
            left = [line("one")[:30]]
        case "edited":
            write(path, content.replace(b"one", b"ONE"))
            left = [line("ONE"), line("two")]
        case "continued":
            write(path, content, "\tand more\n")
            left = [line("one"), line("two\nand more")]
        case _:
            os.truncate(path, 0)
            left = []
    first = history.append([line("three")])
    assert first == len(left) + 1
    assert history.epoch != epoch
    assert read_all(history) == [*left, line("three")]
    assert path.read_text().split("\n")[-2] == line("three")
    assert history.latest.lines == (*left, line("three"))
    history.close()
    again = ChatHistory.open(path)
    assert (again.epoch, read_all(again)) == (history.epoch, [*left, line("three")])
    again.close()


@pytest.mark.parametrize("change", ["touched", "added to"])
def test_a_log_that_was_only_added_to_keeps_its_epoch(tmp_path: Path, change: str) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one"), line("two")])
    epoch = history.epoch
    added = [line("by hand")] if change == "added to" else []
    with path.open("a") as by_hand:
        by_hand.writelines(f"{one}\n" for one in added)
    os.utime(path)
    history.append([line("three")])
    assert history.epoch == epoch
    assert read_all(history) == [line("one"), line("two"), *added, line("three")]
    history.close()


def test_those_who_read_while_a_log_is_taken_anew_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one"), line("two")])
    with path.open("a") as by_hand:
        by_hand.write(line("by hand") + "\n")
    read_meanwhile: list[list[str]] = []
    really = scan.runs

    def watch(log: Descriptor, offset: int, end: int) -> Iterator[Run | Entry]:
        for run in really(log, offset, end):
            read_meanwhile.append(history.read(1, 10))
            yield run

    monkeypatch.setattr(loading, "runs", watch)
    history.append([line("three")])
    assert read_meanwhile == [[line("one"), line("two")]]
    assert read_all(history) == [line("one"), line("two"), line("by hand"), line("three")]
    history.close()


def test_a_line_that_was_added_by_hand_to_the_last_message_belongs_to_it(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one"), line("two")])
    history.close()
    with path.open("a") as by_hand:
        by_hand.write("and more\n")
    for _ in range(2):
        again = ChatHistory.open(path)
        assert read_all(again) == [line("one"), line("two") + "\nand more"]
        again.close()


def test_the_file_of_another_server_is_not_taken_at_a_commit(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    other = ChatHistory.open(write(tmp_path / "other.txt", line("other") + "\n"))
    (tmp_path / "other.txt").rename(path)
    for _ in range(2):
        with pytest.raises(HistoryLost, match="in use"):
            history.append([line("two")])
    assert path.read_text() == line("other") + "\n"
    history.close()
    other.close()


def test_a_path_that_can_no_longer_be_looked_at_is_final_too(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    history = ChatHistory.open(tmp_path / "sub" / "talk.txt")
    (tmp_path / "sub").rename(tmp_path / "sub2")
    (tmp_path / "sub").touch()
    with pytest.raises(HistoryLost, match="not a directory"):
        history.append([line("one")])
    history.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_a_full_disk_leaves_no_half_batch_and_writing_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    write_really = os.write

    def write_half(fd: int, data: memoryview) -> int:
        write_really(fd, data[: len(data) // 2])
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as full:
        full.setattr(os, "write", write_half)
        with pytest.raises(StorageFull):
            history.append([line("two")])
    assert path.read_text() == line("one") + "\n"
    assert history.append([line("three")]) == 2
    assert read_all(history) == [line("one"), line("three")]
    history.close()


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_an_input_output_error_is_final(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    history = ChatHistory.open(tmp_path / "talk.txt")
    log_file = (tmp_path / "talk.txt").stat().st_ino
    really = getattr(os, call)
    failures = []

    def fail(number: int, *arguments: object) -> object:
        if os.fstat(number).st_ino != log_file:
            return really(number, *arguments)
        failures.append(call)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(os, call, fail)
        with pytest.raises(HistoryLost, match="input/output error"):
            history.append([line("one")])
    with pytest.raises(HistoryLost):
        history.append([line("two")])
    assert len(failures) == 1
    assert history.count == 0
    history.close()


@pytest.mark.parametrize(
    "how", ["deleted", "garbage", "of another log", "cut", "with a torn record", "zeros behind"]
)
def test_an_index_of_no_use_is_made_again(tmp_path: Path, how: str) -> None:
    path, index = tmp_path / "talk.txt", tmp_path / "talk.txt.index"
    history = ChatHistory.open(path)
    lines = [line(f"message {number}\nwith two lines") for number in range(1, 2001)]
    for start in range(0, 2000, 100):
        history.append(lines[start : start + 100])
    history.close()
    content = index.read_bytes()
    match how:
        case "deleted":
            index.unlink()
        case "garbage":
            index.write_bytes(os.urandom(5000))
        case "of another log":
            ChatHistory.open(tmp_path / "other.txt").append([line("other")] * 3000)
            index.write_bytes((tmp_path / "other.txt.index").read_bytes())
        case "cut":
            index.write_bytes(content[: len(content) // 2])
        case "with a torn record":
            index.write_bytes(content[:-3])
        case _:
            index.write_bytes(content + bytes(64))
    again = ChatHistory.open(path)
    assert again.count == 2000
    assert again.restored.torn is None
    assert [again.read(number, 1)[0] for number in (1, 777, 2000)] == [lines[0], lines[776], lines[1999]]
    again.append([line("new")])
    again.close()
    assert read_all(ChatHistory.open(path)) == [*lines, line("new")]


@pytest.mark.parametrize(
    ("preamble", "is_running"),
    [("\n", True), ("\n", False), ("[2025", True), ("[2025", False), ("Minutes of the meeting\n", True)],
)
def test_what_a_person_writes_into_an_empty_history_is_in_front_of_the_first_message(
    tmp_path: Path, preamble: str, *, is_running: bool
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    if not is_running:
        history.close()
    write(path, preamble)
    if not is_running:
        history = ChatHistory.open(path)
    assert (history.count, read_all(history)) == (0, [])
    history.append([line("one")])
    assert read_all(history) == [line("one")]
    history.close()


def test_a_log_that_was_cut_anywhere_is_read_without_repair_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    for number in range(5):
        history.append([line(f"message {number}\nof two lines"), line("short")])
    lines = read_all(history)
    history.close()
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        again = ChatHistory.open_to_read(path)
        found = read_all(again)
        whole = content[:size].count(b"\n[") + content[:size].endswith(b"\n")
        assert len(found) in {whole - 1, whole, whole + 1}
        assert found == lines[: len(found)]
        again.close()


def test_no_byte_of_an_index_keeps_a_log_from_being_read_or_verified(tmp_path: Path) -> None:
    lines = [line("one\nof two lines"), line("short"), line("two\nof two lines"), line("short")]
    path = history_of(tmp_path / "talk.txt", lines[:2], lines[2:])
    content = index_of(path).read_bytes()
    # A last message that should be longer is a torn one.
    for place in range(len(content) - RECORD_BYTES):
        for byte in {0x00, 0xFF, content[place] ^ 0x80, content[place] ^ 0x01} - {content[place]}:
            index_of(path).write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
            judge(path)
            for open_ in (ChatHistory.open_to_read, ChatHistory.open):
                again = open_(path)
                assert again.read(1, 9) == lines, (place, byte)
                assert again.search(Query("short"), 100, 100, 1).ids == [2, 4]
                again.close()


def test_messages_that_a_server_appends_meanwhile_are_not_another_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])

    def index_before_an_append(descriptor: Descriptor, name: str) -> Index:
        index = Index(descriptor, name)
        history.append([line("two")])
        return index

    monkeypatch.setattr(verdict, "Index", index_before_an_append)
    assert judge(path).confirmation == "its only message is as it was written"
    monkeypatch.undo()
    history.close()
    write(path, path.read_text(), line("three"), "\n")
    assert judge(path).confirmation.endswith(", 1 more was added by another program")


def test_an_empty_rooms_file_can_go_with_it_but_never_one_that_holds_words(tmp_path: Path) -> None:
    empty, full = ChatHistory.open(tmp_path / "empty.txt"), ChatHistory.open(tmp_path / "full.txt")
    full.append([line("one")])
    by_hand = ChatHistory.open(tmp_path / "by hand.txt")
    write(tmp_path / "by hand.txt", line("one"), "\n")
    for history in (empty, full, by_hand):
        history.close(remove_if_empty=True)
    assert sorted(path.name for path in tmp_path.glob("*.txt")) == ["by hand.txt", "full.txt"]
    assert not (tmp_path / "empty.txt.index").exists()


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("/a/chat_history.txt", "/a/chat_history.dev.txt"),
        ("/a/talk.log", "/a/talk.dev.log"),
        ("/a/talk", "/a/talk.dev"),
    ],
)
def test_a_rooms_file_stands_beside_the_history(history: str, expected: str) -> None:
    assert room_path(Path(history), "dev") == Path(expected)


@pytest.mark.parametrize("before", ["", "[2025-11-19 23:46:35] Boris: hi\n"])
def test_a_last_line_that_ends_with_a_cr_and_no_lf_is_read(tmp_path: Path, before: str) -> None:
    path = write(tmp_path / "talk.txt", before, "[2025-11-19 23:46:36] Anna:\r")
    history = ChatHistory.open(path)
    assert history.read(history.count, 1) == ["[2025-11-19 23:46:36] Anna:"]
    history.append([line("next")])
    assert history.read(history.count - 1, 2) == ["[2025-11-19 23:46:36] Anna:", line("next")]
    history.close()


def test_a_log_in_a_folder_that_takes_no_files_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "talk.txt", line("one"), "\n")
    really = os.open

    def deny(name: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT and not Path(name).exists() and Path(name).parent == tmp_path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return really(name, flags, mode)

    with monkeypatch.context() as disk:
        disk.setattr(os, "open", deny)
        history = ChatHistory.open(path)
        assert history.append([line("two")]) == 2
        epoch = history.epoch
        history.close()
    history = ChatHistory.open(path)
    assert (history.read(1, 9), history.epoch) == ([line("one"), line("two")], epoch)
    history.close()
