"""Repair, over all that a power cut may leave of a log and its index: stored messages stay, torn ones go whole."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.errors import StorageFull
from besedka.serve.history import ChatHistory
from besedka.serve.history.index import HEADER
from besedka.serve.history.record import RECORD_BYTES
from tests.lengths import often
from tests.serve.history.logs import epoch_of, history_of, index_of, line, lines_in, no_room_for

TEXTS = st.sampled_from(
    ["a", "longer words", "two\nlines", "three\nmore\nlines", "[2025-11-19 23:46:36] Eve: forged", "й" * 50]
)
BATCHES = st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=6)


def lines_of(batches: list[list[str]]) -> list[list[str]]:
    numbered = iter(range(1000))
    return [[line(f"{next(numbered)} {text}") for text in batch] for batch in batches]


def cut(data: bytes, kept: int, nulls_from: int) -> bytes:
    """The rest of a file: its beginning, and NULs where it was extended but never written."""
    return data[: min(kept, nulls_from)] + bytes(max(0, kept - nulls_from))


@often(100)
@given(batches=BATCHES, data=st.data())
def test_a_power_cut_in_the_last_batch_loses_no_stored_message_and_leaves_no_half_one(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("power") / "talk.txt"
    *stored, last = lines_of(batches)
    history = ChatHistory.open(path)
    for batch in stored:
        history.append(batch)
    synced = path.stat().st_size
    history.append(last)
    history.close()
    whole, whole_index, epoch = path.read_bytes(), index_of(path).read_bytes(), epoch_of(path).read_bytes()

    # The log is synced up to the last batch; the index up to the last batch that has a message of several lines, which
    # may be this one: then the index comes before the log.
    several = [number for number, batch in enumerate([*stored, last]) if any("\n" in line for line in batch)]
    records = sum(map(len, [*stored, last][: several[-1] + 1])) if several else 0
    safe_index = HEADER.size + records * RECORD_BYTES
    ends = [place for place in range(synced, len(whole) + 1) if whole[place - 1 : place] in {b"\n", b""}]
    anywhere = st.integers(synced, len(whole)) | st.sampled_from(ends)
    for _ in range(4):
        kept = data.draw(anywhere, "bytes of the log")
        nulls = data.draw(st.just(len(whole)) | anywhere, "written bytes of the log")
        kept_index = data.draw(st.integers(safe_index, len(whole_index)), "bytes of the index")
        kept_index -= (kept_index - HEADER.size) % RECORD_BYTES  # a page never parts a record
        path.write_bytes(cut(whole, kept, nulls))
        index_of(path).write_bytes(cut(whole_index, kept_index, len(whole_index)))
        epoch_of(path).write_bytes(epoch)
        start_after_the_cut(path, [line for batch in stored for line in batch], last)


def start_after_the_cut(path: Path, stored: list[str], last: list[str]) -> None:
    again = ChatHistory.open(path)
    found = again.read(1, 1000)
    assert found[: len(stored)] == stored
    assert found[len(stored) :] == last[: len(found) - len(stored)]
    again.append(["[2025-11-19 23:46:37] Boris: after"])
    again.close()
    once_more = ChatHistory.open(path)
    assert once_more.read(1, 1000) == [*found, "[2025-11-19 23:46:37] Boris: after"]
    assert once_more.restored.torn is None
    once_more.close()


def test_what_is_cut_off_is_kept_beside(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append(["[2025-11-19 23:46:37] Boris: one\n\ttwo\n\tthree"])
    history.close()
    torn = path.read_bytes()[:-8]
    path.write_bytes(torn)
    again = ChatHistory.open(path)
    assert again.count == 0
    assert again.restored.torn
    assert again.restored.torn.kept
    assert again.restored.torn.kept.read_bytes() == torn
    again.close()


# An index that contradicts its log.


@pytest.mark.parametrize(
    "dead", [line("dead\nand\nlong"), line("dead and of one line, but a long one"), line("d")]
)
@pytest.mark.parametrize(
    "delivered", [[line("delivered")], [line("delivered"), line("twice")], [line("told\nin two lines")]]
)
@pytest.mark.parametrize("before", [[], [line("before")]])
def test_the_record_of_a_lost_batch_takes_nothing_away_from_a_delivered_one(
    tmp_path: Path, before: list[str], delivered: list[str], dead: str
) -> None:
    """A crash leaves the record of a batch that never reached the log; what is told next has none when the power goes."""
    path, index = tmp_path / "talk.txt", tmp_path / "talk.txt.index"
    if before:
        history_of(path, before)
    history_of(path)
    log, epoch = path.read_bytes(), (tmp_path / "talk.txt.epoch").read_bytes()
    history_of(path, [dead])
    stale = index.read_bytes()
    path.write_bytes(log)
    history_of(path, delivered)
    index.write_bytes(stale)
    assert lines_in(path) == [*before, *delivered]
    assert not [*tmp_path.glob("*.torn-*")]
    assert not before or (tmp_path / "talk.txt.epoch").read_bytes() == epoch


def test_no_bit_of_the_last_record_cuts_the_last_message(tmp_path: Path) -> None:
    delivered = [line("one"), line("two\nof\nthree lines"), line("three")]
    path = history_of(tmp_path / "talk.txt", delivered)
    index = tmp_path / "talk.txt.index"
    content = index.read_bytes()
    for bit in range((len(content) - RECORD_BYTES) * 8, len(content) * 8):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        index.write_bytes(damaged)
        assert lines_in(path) == delivered, bit


def test_no_bit_of_a_log_keeps_it_from_being_opened_or_shifts_an_id(tmp_path: Path) -> None:
    delivered = [line("one\n1"), line("two"), line("three\n3"), line("four")]
    path = history_of(tmp_path / "talk.txt", delivered[:2], delivered[2:])
    lines_in(path)  # now the epoch is known with the first message's beginning
    content, index, epoch = path.read_bytes(), index_of(path).read_bytes(), epoch_of(path).read_bytes()
    begins = [0, *itertools.accumulate(len(one.encode()) + 1 for one in delivered)]
    for bit in range(len(content) * 8):
        place = bit // 8
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit % 8
        path.write_bytes(damaged)
        index_of(path).write_bytes(index)
        if place < len(line("")):
            epoch_of(path).unlink(missing_ok=True)  # or else it is that of another log
        elif place == len(line("")):
            epoch_of(path).write_bytes(epoch)
        history = ChatHistory.open(path)
        victim = next(number for number, end in enumerate(begins[1:]) if place < end)
        found = history.read(1, 1000)
        assert found[:victim] + found[victim + 1 :] == delivered[:victim] + delivered[victim + 1 :], bit
        named = {history.restored.changed_line, history.restored.damaged_line, history.restored.open_line}
        lines = {1 + damaged.count(b"\n", 0, offset) for offset in (begins[victim], place)}
        assert named - {None}, bit
        assert named <= {*lines, None}, bit
        history.close()


def test_the_message_that_is_redacted_is_the_one_that_readers_see_by_this_id(tmp_path: Path) -> None:
    delivered = [line(f"message {number}") for number in range(1, 21)]
    path = history_of(tmp_path / "talk.txt", delivered)
    data = path.read_bytes()
    place = data.index(delivered[4].encode())
    path.write_bytes(data[:place] + b"?" + data[place + 1 :])
    history = ChatHistory.open(path)
    assert history.read(12, 1) == [delivered[11]]
    history.redact(history.subject(12))
    assert history.read(11, 3) == [delivered[10], line("[removed]-"), delivered[12]]
    assert history.read(5, 1) == ["[0000-00-00 00:00:00] ?: ?" + delivered[4][1:]]
    history.close()


def test_messages_whose_sectors_a_disk_lost_are_cut_off_and_others_are_not(tmp_path: Path) -> None:
    path = history_of(tmp_path / "talk.txt", [line("whole")], [line("x" * 2000)])
    data = path.read_bytes()
    lost = data[:512] + bytes(1024) + data[1536:]
    path.write_bytes(lost)
    history = ChatHistory.open(path)
    assert history.read(1, 10) == [line("whole")]
    torn = history.restored.torn
    assert torn
    assert (torn.offset, torn.size) == (len(line("whole")) + 1, len(lost) - len(line("whole")) - 1)
    history.close()
    path = history_of(tmp_path / "other.txt", [line("whole")], [line("x" * 2000)])
    damaged = data[:600] + b"\0" + data[601:]
    path.write_bytes(damaged)
    assert len(lines_in(path)) == 2
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("batch", "behind"),
    [(["x" * 600, "y", "z"], 2), (["x\ny"] * 60, 45)],
    ids=["one message in the hole", "many messages in the hole"],
)
def test_a_hole_of_which_the_index_knows_the_messages_is_no_message(
    tmp_path: Path, batch: list[str], behind: int
) -> None:
    path = history_of(tmp_path / "talk.txt", [line("delivered")])
    delivered = path.stat().st_size
    history_of(path, [line(text) for text in batch])
    data = path.read_bytes()
    path.write_bytes(data[:delivered] + bytes(512 - delivered) + data[512:])
    assert lines_in(path) == [line("delivered"), *(line(text) for text in batch[-behind:])]


@pytest.mark.parametrize("kept", range(len("[2025-11-19 23:46:36] Anna: ")))
@pytest.mark.parametrize("end", ["", "\n"], ids=["torn", "with its end"])
def test_a_hole_that_begins_in_a_lines_beginning_leaves_the_message_above_as_it_was(
    tmp_path: Path, kept: int, end: str
) -> None:
    """The disk has the sector in front of the hole and the one behind it; the index has nothing of the batch."""
    path = history_of(tmp_path / "talk.txt", [line("delivered")])
    index = path.with_name("talk.txt.index")
    records = index.read_bytes()
    torn = line("x" * 600).encode()
    with path.open("ab") as log:
        log.write(torn[:kept] + bytes(512) + torn[kept + 512 :] + end.encode())
    index.write_bytes(records)
    history = ChatHistory.open(path)
    assert history.read(1, 1) == [line("delivered")]
    history.close()


def test_a_hole_in_front_of_whole_messages_is_glued_to_none_and_takes_none_away(tmp_path: Path) -> None:
    """A disk lost the first sectors of a batch and kept the later ones, and the index does not know the batch."""
    batch = [line(f"{number} " + "x" * 400) for number in range(8)]
    path = history_of(tmp_path / "talk.txt", [line("delivered")])
    index = (tmp_path / "talk.txt.index").read_bytes()
    history_of(path, batch)
    delivered = len(line("delivered")) + 1
    data = path.read_bytes()
    path.write_bytes(data[:delivered] + bytes(1024 - delivered) + data[1024:])
    (tmp_path / "talk.txt.index").write_bytes(index)
    for _ in range(2):
        assert lines_in(path) == [line("delivered"), *batch[3:]]
        (tmp_path / "talk.txt.index").unlink()
    assert not [*tmp_path.glob("*.torn-*")]


@pytest.mark.parametrize(
    "tail",
    [
        "[2025-11-19 23:46:40] Вера: привет\n".encode("utf-16-le"),
        "[2025-11-19 23:46:40] Anna: hi\r\n".encode("utf-16"),
        "[2025-11-19 23:46:40] Вера: привет".encode("cp1251"),
        "[2025-11-19 23:46:40] Вера: привет\n".encode("cp1251"),
        b"[2025-11-19 23:46:40] Anna: one \0 byte\n",
        b"[2025-11-19 23:46:40] Anna: one \0 byte",
        b"a line that no message of ours begins with",
        b"\tand more",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"[2011-10-12 11:12:00 | Edited 11:13:01] Boris: hi",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("when", ["stopped", "running", "without an index"])
def test_what_cannot_be_our_torn_tail_is_left_and_nothing_is_glued_to_it(
    tmp_path: Path, tail: bytes, when: str
) -> None:
    path = history_of(tmp_path / "talk.txt", [line("delivered")])
    history = ChatHistory.open(path)
    if when != "running":
        history.close()
    with path.open("ab") as other:
        other.write(tail)
    if when == "without an index":
        (tmp_path / "talk.txt.index").unlink()
    if when != "running":
        history = ChatHistory.open(path)
        assert path.read_bytes() == f"{line('delivered')}\n".encode() + tail
    history.append([line("next")])
    end = b"" if tail.endswith(b"\n") else b"\n"
    assert path.read_bytes() == f"{line('delivered')}\n".encode() + tail + end + f"{line('next')}\n".encode()
    assert not [*tmp_path.glob("*.torn-*")]
    assert history.read(history.count, 1) == [line("next")]
    numbered = history.read(1, 10)
    history.close()
    (tmp_path / "talk.txt.index").unlink()
    assert lines_in(path) == numbered


def test_a_line_without_its_end_that_is_added_while_the_server_runs_is_kept_and_delivered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("delivered")])
    with path.open("a") as other:
        other.write(line("by hand"))
    assert history.append([line("next")]) == 3
    assert history.read(1, 10) == [line("delivered"), line("by hand"), line("next")]
    assert "line 2 has no end and is possibly incomplete" in caplog.text
    history.close()


def test_a_torn_end_waits_where_it_is_as_long_as_a_full_disk_cannot_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = history_of(tmp_path / "talk.txt", [line("delivered")])
    torn = b"[2025-11-19 23:46:40] Boris: to"
    with path.open("ab") as crashed:
        crashed.write(torn)
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", no_room_for(lambda name: "torn" in name))
        history = ChatHistory.open(path)
        assert history.restored.torn
        assert history.restored.torn.kept is None
        assert history.read(1, 10) == [line("delivered")]
        for _ in range(3):
            with pytest.raises(StorageFull):
                history.append([line("next")])
        assert not [*tmp_path.glob("*.torn-*")]
        assert path.read_bytes().endswith(torn)
    assert history.append([line("next")]) == 2
    assert history.read(1, 10) == [line("delivered"), line("next")]
    assert [kept.read_bytes() for kept in tmp_path.glob("*.torn-*")] == [torn]
    history.close()


def test_a_log_whose_messages_were_changed_in_place_opens_without_reading_a_megabyte_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered = [line(f"message {number} " + "words " * 20) for number in range(1000)]
    path = history_of(tmp_path / "talk.txt", delivered)
    data = path.read_bytes()
    path.write_bytes(data[:1000] + data[1000:].replace(b"words", b"WORDS"))
    read = 0
    really = os.pread

    def pread(number: int, size: int, offset: int) -> bytes:
        nonlocal read
        found = really(number, size, offset)
        read += len(found)
        return found

    monkeypatch.setattr(os, "pread", pread)
    history = ChatHistory.open(path)
    assert history.count == 1000
    assert read < 100 * len(data)
    history.close()
