"""`ChatHistory`: a text file, whoever made it, and what it gives back."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from besedka.serve.errors import HistoryInUse, HistoryLost, HistoryUnusable, StorageFull
from besedka.serve.history import BLOCK_BYTES, ChatHistory, room_path
from besedka.wire.line import FIRST_LINE, Line, write_line

EVERY_TEXT = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def line(text: str, user: str = "Anna", stamp: str = "2025-11-19 23:46:36") -> str:
    return write_line(Line(stamp, user, text))


def write(path: Path, *parts: str | bytes) -> Path:
    path.write_bytes(b"".join(part.encode() if isinstance(part, str) else part for part in parts))
    return path


def read_all(history: ChatHistory) -> list[str]:
    found: list[str] = []
    while page := history.read(len(found) + 1, 100):
        found += page
    return found


def test_a_new_history_is_an_empty_private_file(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    assert (history.count, history.epoch, read_all(history)) == (0, "", [])
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


@EVERY_TEXT
@given(texts=st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"))))
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


@EVERY_TEXT
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
    history = ChatHistory.open(path)
    whole = data[: data.rfind(b"\n") + 1]
    assert path.read_bytes() == whole
    kept = history.restored.torn_kept
    assert (kept.read_bytes() if kept else b"") == data[len(whole) :]
    assert history.count == len(FIRST_LINE.findall(whole.removeprefix(b"\xef\xbb\xbf")))
    assert len(read_all(history)) == history.count
    history.append([line("new")])
    assert history.read(history.count, 1) == [line("new")]
    history.close()


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


def test_a_torn_last_line_is_cut_off_kept_and_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "talk.txt", line("whole"), "\n[2025-11-19 23:46:39] Boris: to", b"\xd0")
    history = ChatHistory.open(path)
    assert path.read_text() == line("whole") + "\n"
    kept = history.restored.torn_kept
    assert kept
    assert kept.name.startswith("talk.txt.torn-")
    assert kept.read_bytes() == b"[2025-11-19 23:46:39] Boris: to\xd0"
    assert history.restored.torn_bytes == len(kept.read_bytes())
    assert history.count == 1
    history.close()


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


def test_a_message_longer_than_a_block_is_one_message(tmp_path: Path) -> None:
    long = line("\n".join(["z" * 1000] * 200))
    path = write(tmp_path / "talk.txt", line("before"), "\n", long, "\n", line("after"), "\n")
    history = ChatHistory.open(path)
    assert history.count == 3
    assert [history.read(number, 1) for number in (1, 2, 3)] == [[line("before")], [long], [line("after")]]
    history.close()


def test_a_second_holder_is_told_who_has_the_file(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("change", ["removed", "replaced", "grown", "cut"])
def test_nothing_is_written_into_a_file_that_other_hands_have_changed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    match change:
        case "removed":
            path.unlink()
        case "replaced":
            write(tmp_path / "other.txt", line("other") + "\n").rename(path)
        case "grown":
            write(path, path.read_bytes(), "and more\n")
        case "cut":
            os.truncate(path, 3)
    before = path.read_bytes() if path.exists() else None
    for _ in range(2):
        with pytest.raises(HistoryLost, match=str(path)):
            history.append([line("two")])
    assert (path.read_bytes() if path.exists() else None) == before
    history.close()


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
    calls = []

    def fail(*_: object) -> int:
        calls.append(call)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(os, call, fail)
        with pytest.raises(HistoryLost, match="input/output error"):
            history.append([line("one")])
    with pytest.raises(HistoryLost):
        history.append([line("two")])
    assert len(calls) == 1
    assert history.count == 0
    history.close()


def test_an_empty_rooms_file_can_go_with_it_but_never_one_that_holds_words(tmp_path: Path) -> None:
    empty, full = ChatHistory.open(tmp_path / "empty.txt"), ChatHistory.open(tmp_path / "full.txt")
    full.append([line("one")])
    by_hand = ChatHistory.open(tmp_path / "by hand.txt")
    write(tmp_path / "by hand.txt", line("one"), "\n")
    for history in (empty, full, by_hand):
        history.close(remove_if_empty=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["by hand.txt", "full.txt"]


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
