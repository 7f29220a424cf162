"""Files that are not ours, and lines of other programs: not touched, not swallowed, and named."""

from __future__ import annotations

import gzip
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from besedka.serve.errors import HistoryUnusable
from besedka.serve.history import ChatHistory, Query
from besedka.serve.history.index import StrangeLines
from tests.serve.history.logs import index_of_version_1, line


def database(path: Path) -> None:
    with sqlite3.connect(path) as made:
        made.execute("create table talk (text)")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("[2025-11-19 23:46:36] Anna: hi\r\n".encode("utf-16"), "text in UTF-16"),
        ("[2025-11-19 23:46:36] Anna: hi\n".encode("utf-16-be"), "text in UTF-16"),
        (b"\x89PNG\r\n\x1a\n" + bytes(5000), "a picture"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "a picture"),
        (gzip.compress(line("hi").encode(), mtime=0), "a compressed file"),
        (database, "a database"),
        ("2014-11-19 23:46:36\tBoris\tПривет\n".encode("cp1251"), "text that is not UTF-8"),
        (b"--- Log opened Wed Nov 19 23:46:30 2014\n23:46 < Boris> hi\n", "a log of irssi"),
        (b"[19.11.2025 23:46:36] Anna: hi\n", "text in another format"),
        (b"\x01\x02\x03\0\x04" * 100, "a binary file"),
    ],
)
@pytest.mark.parametrize("open_", [ChatHistory.open, ChatHistory.open_to_read])
def test_a_file_without_a_message_of_ours_is_refused_and_left_alone(
    tmp_path: Path, content: object, what: str, open_: object
) -> None:
    path = tmp_path / "talk.txt"
    if callable(content):
        content(path)
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(HistoryUnusable, match=f"it holds no message of Besedka and looks like {what}"):
        (ChatHistory.open if open_ is ChatHistory.open else ChatHistory.open_to_read)(path)
    assert (path.read_bytes(), [*tmp_path.iterdir()]) == (before, [path])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\xef\xbb\xbf\r\n",
        bytes(4096),
        b"[2025-11",
        line("hi").encode()[:40],
        b"[2025-11-19 23:46:36] An",
    ],
)
def test_what_a_power_cut_in_the_first_batch_leaves_is_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "talk.txt"
    path.write_bytes(content)
    history = ChatHistory.open(path)
    history.append([line("one")])
    assert history.read(history.count, 1) == [line("one")]
    history.close()


def test_lines_that_are_not_understood_belong_to_nobody_and_stay(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    content = (
        "Minutes\n"
        f"{line('one')}\n"
        "[2011-10-12 11:12:00 | Edited 11:13:01] Boris: fixed\n"
        "\tand more\n"
        "and more\n"
        f"{line('two')}\n"
        "[2025-11-19 23:46:38] SERVER:Anna has entered\n"
    )
    path.write_text(content)
    history = ChatHistory.open(path)
    assert history.read(1, 9) == [line("one"), line("two")]
    assert history.restored.strange == StrangeLines(5, 1)
    assert history.search(Query("fixed"), 99, 9, 9).ids == []
    assert history.search(Query("two"), 99, 9, 9).ids == [2]
    assert history.read_bytes(history.span(1, 2)) == content.encode()
    assert path.read_text() == content
    history.append([line("three")])
    history.redact(history.subject(2))
    assert history.read(1, 9) == [line("one"), line("-" * 3), line("three")]
    history.close()
    for has_index in (True, False):
        if not has_index:
            (tmp_path / "talk.txt.index").unlink()
        again = ChatHistory.open(path)
        assert again.read(1, 9) == [line("one"), line("-" * 3), line("three")]
        assert again.restored.strange == StrangeLines(5, 1)
        assert again.epoch == history.epoch
        again.close()


def seconds_to_open(path: Path, content: bytes) -> float:
    path.write_bytes(content)
    begun = time.process_time()
    history = ChatHistory.open(path)
    assert history.read(1, 1)
    history.search(Query("nowhere"), 99, 9, 9)
    history.close()
    return time.process_time() - begun


@pytest.mark.parametrize("filler", [b"x", b"x\n", b"[", b"[2025-11-19 23:46:36] <", b"\xd0\xbf"])
def test_a_log_with_one_huge_message_is_read_in_linear_time(tmp_path: Path, filler: bytes) -> None:
    head = line("hi").encode()
    small, large = (head + filler * (size // len(filler)) + b"\n" for size in (1_000_000, 16_000_000))
    one, sixteen = (seconds_to_open(tmp_path / f"{len(data)}.txt", data) for data in (small, large))
    assert sixteen < 16 * 4 * max(one, 0.02)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n" + bytes(5000), database, gzip.compress(b"hi", mtime=0)]
)
@pytest.mark.parametrize("is_reopened", [True, False])
def test_a_file_of_another_kind_in_place_of_a_log_is_left_alone_though_an_index_is_there(
    tmp_path: Path, content: object, *, is_reopened: bool
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one"), line("two")])
    history.close()
    if is_reopened:
        ChatHistory.open(path).close()
    path.unlink()
    if callable(content):
        content(path)
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    before = path.read_bytes()
    for open_ in (ChatHistory.open, ChatHistory.open_to_read):
        with pytest.raises(HistoryUnusable, match="it holds no message of Besedka"):
            open_(path)
    assert path.read_bytes() == before
    assert not [*tmp_path.glob("*.torn-*")]


def an_index_without_records(path: Path) -> None:
    ChatHistory.open(path).close()


def an_index_of_other_messages(path: Path) -> None:
    history = ChatHistory.open(path)
    history.append([line("one"), line("two")])
    history.close()


def an_index_without_an_epoch_beside_it(path: Path) -> None:
    an_index_of_other_messages(path)
    path.with_name("talk.txt.epoch").unlink()


def an_index_of_version_1(path: Path) -> None:
    index = index_of_version_1("0123456789ab", line("one"), line("two"))
    path.with_name("talk.txt.index").write_bytes(index)


def an_epoch_alone(path: Path) -> None:
    an_index_of_other_messages(path)
    path.with_name("talk.txt.index").unlink()


FOREIGN = b"--- Log opened Wed Nov 19 23:46:30 2014\n23:46 < Boris> hi\n"
LINE_BYTES = len(line("one")) + 1


@pytest.mark.parametrize(
    "leave",
    [
        an_index_without_records,
        an_index_of_other_messages,
        an_index_without_an_epoch_beside_it,
        an_index_of_version_1,
        an_epoch_alone,
    ],
)
@pytest.mark.parametrize(
    "content",
    [
        FOREIGN,
        b"x" * (LINE_BYTES - 1) + b"\nand a line end where the first message had its own\n",
        b"x" * (LINE_BYTES - 1) + b"\n" + b"x" * LINE_BYTES + b"\nand more",
    ],
)
def test_what_stands_beside_a_foreign_file_does_not_make_it_ours(
    tmp_path: Path, content: bytes, leave: Callable[[Path], None]
) -> None:
    path = tmp_path / "talk.txt"
    leave(path)
    path.write_bytes(content)
    before = {one: one.read_bytes() for one in tmp_path.iterdir()}
    for open_ in (ChatHistory.open, ChatHistory.open_to_read):
        with pytest.raises(HistoryUnusable, match="it holds no message of Besedka"):
            open_(path)
    assert {one: one.read_bytes() for one in tmp_path.iterdir()} == before


@pytest.mark.parametrize("leave", [an_index_without_records, an_index_of_version_1, an_epoch_alone])
def test_an_empty_file_is_ours_whatever_stands_beside_it(
    tmp_path: Path, leave: Callable[[Path], None]
) -> None:
    path = tmp_path / "talk.txt"
    leave(path)
    path.write_bytes(b"")
    history = ChatHistory.open(path)
    assert history.append([line("one")]) == 1
    history.close()


@pytest.mark.parametrize("leave", [an_index_of_other_messages, an_index_without_an_epoch_beside_it])
def test_a_log_whose_messages_are_all_damaged_keeps_their_ids_by_its_index(
    tmp_path: Path, leave: Callable[[Path], None]
) -> None:
    path = tmp_path / "talk.txt"
    leave(path)
    content = f"?{line('one')[1:]}\n?{line('two')[1:]}\n"
    path.write_text(content)
    for _ in range(2):
        assert ChatHistory.open_to_read(path).count == 2
        history = ChatHistory.open(path)
        assert history.restored.changed_line == 1
        assert path.read_text() == content
        history.close()
    history = ChatHistory.open(path)
    assert history.append([line("next")]) == 3
    assert history.read(1, 1) == [f"[0000-00-00 00:00:00] ?: ?{line('one')[1:]}"]
    assert path.read_text() == f"{content}{line('next')}\n"
    history.close()


@pytest.mark.parametrize("batch", [[line("x" * 2000)], [line("x" * 100), line("y" * 100), line("z" * 2000)]])
@pytest.mark.parametrize("kept", [512, 1024, 1100])
def test_a_first_batch_of_which_a_disk_lost_the_beginning_is_ours(
    tmp_path: Path, batch: list[str], kept: int
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append(batch)
    history.close()
    path.write_bytes(bytes(512) + path.read_bytes()[512 : 512 + kept])
    for _ in range(2):
        ChatHistory.open(path).close()
    path.with_name("talk.txt.index").unlink()
    history = ChatHistory.open(path)
    assert history.append([line("next")]) == 1
    assert history.read(1, 9) == [line("next")]
    history.close()
