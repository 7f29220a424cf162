"""Redacting: a text is taken away, in the log and from all who read, and nothing else is touched."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from besedka.serve.errors import HistoryChanged, HistoryLost, StorageFull
from besedka.serve.history import ChatHistory, Subject
from besedka.serve.history.redact import covered
from besedka.serve.history.verifying.verdict import judge
from besedka.wire.log_line import FIRST_LINE, read_line, tombstone, written_bytes
from tests.serve.history.logs import line, read_all

TEXTS = st.text(
    alphabet=st.sampled_from("aя\n\t:[] 😀-") | st.characters(exclude_categories=["Cs"]), max_size=30
)
BYTES = st.lists(
    st.sampled_from(
        [
            b"[2025-11-19 23:46:36] Anna: hi",
            b"[2025-11-19 23:46:36] Boris:",
            b"\n",
            b"\r\n",
            b"\t",
            b": ",
            b"[2025-11-19 23:46:36] ",
            b"\xff",
            b"\x00",
            b"\xef\xbb\xbf",
            b"words",
        ]
    ),
    max_size=14,
).map(b"".join)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a log of three messages is, the second of several lines."""
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("first words")])
    history.append([line("a secret\nof three\nlines", "Boris"), line("last words")])
    history.close()
    return path


def redact(history: ChatHistory, number: int) -> Subject:
    subject = history.subject(number)
    history.redact(subject)
    return subject


def test_a_redacted_text_is_gone_and_all_else_stays_where_it_was(path: Path) -> None:
    before = path.read_bytes()
    history = ChatHistory.open(path)
    epoch = history.epoch
    redact(history, 2)
    after = path.read_bytes()
    assert len(after) == len(before)
    assert after.replace(b"[removed]" + b"-" * 16, b"a secret\n\tof three\n\tlines", 1) == before
    assert history.latest.lines[1] == history.read(2, 1)[0]
    assert history.append([line("more")]) == 4
    assert history.epoch == epoch
    history.close()
    assert judge(path).confirmation.startswith("all 4 messages are as they were written")
    again = ChatHistory.open(path)
    assert (again.epoch, again.count) == (epoch, 4)
    again.close()


def test_done_twice_it_changes_nothing(path: Path) -> None:
    history = ChatHistory.open(path)
    redact(history, 2)
    status = path.stat()
    redact(history, 2)
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    history.close()


@given(texts=st.lists(TEXTS, min_size=1, max_size=5), chance=st.integers(0, 100))
def test_any_text_is_redacted_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], chance: int
) -> None:
    path = tmp_path_factory.mktemp("history") / "talk.txt"
    texts = [text.replace("\r", "") for text in texts]
    lines = [line(text) for text in texts]
    history = ChatHistory.open(path)
    history.append(lines)
    number = 1 + chance % len(lines)
    redact(history, number)
    lines[number - 1] = line(tombstone(written_bytes(texts[number - 1])))
    assert read_all(history) == lines
    history.close()
    assert judge(path).problem == ""


@given(data=BYTES)
def test_a_log_by_any_hands_keeps_its_other_messages(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("history") / "talk.txt"
    path.write_bytes(data)
    assume(not data or FIRST_LINE.search(data))
    history = ChatHistory.open(path)
    lines, epoch, size = read_all(history), history.epoch, path.stat().st_size
    for number in range(1, history.count + 1):
        redact(history, number)
        others = read_all(history)
        was, now = read_line(lines[number - 1]), read_line(others[number - 1])
        assert (now.stamp, now.user) == (was.stamp, was.user)
        assert not set(now.text) - set("[removed]-")
        assert others[: number - 1] + others[number:] == lines[: number - 1] + lines[number:]
        lines = others
    assert (path.stat().st_size, history.epoch) == (size, epoch)
    history.close()
    assert judge(path).problem == ""
    again = ChatHistory.open(path)
    assert (read_all(again), again.epoch) == (lines, epoch)
    again.close()


@given(
    number=st.integers(1, 3),
    cut=st.integers(0, 60),
    is_begun_at_the_end=st.booleans(),
    is_in_the_index=st.booleans(),
    has_index=st.booleans(),
)
def test_what_a_crash_has_cut_off_is_done_at_the_next_start(  # noqa: PLR0917 - drawn by name
    tmp_path_factory: pytest.TempPathFactory,
    number: int,
    cut: int,
    is_begun_at_the_end: bool,
    is_in_the_index: bool,
    has_index: bool,
) -> None:
    path = tmp_path_factory.mktemp("history") / "talk.txt"
    index = path.with_name("talk.txt.index")
    history = ChatHistory.open(path)
    history.append([line("first words")])
    history.append([line("a secret\nof three\nlines — и ещё", "Boris"), line("last words")])
    old, old_index, epoch = path.read_bytes(), index.read_bytes(), history.epoch
    subject = redact(history, number)
    new, new_index = path.read_bytes(), index.read_bytes()
    history.close()
    offset = 0 if number == 1 else old.index(b"Boris" if number == 2 else b"last")
    at = min(offset + cut, len(old))
    path.write_bytes(old[:at] + new[at:] if is_begun_at_the_end else new[:at] + old[at:])
    index.write_bytes(new_index if is_in_the_index else old_index)
    if not has_index:
        index.unlink()
    again = ChatHistory.open(path, subject)
    assert path.read_bytes() == new
    assert again.count == 3
    assert again.restored.torn is None
    assert again.epoch == epoch or not has_index
    assert not has_index or index.read_bytes() == new_index
    again.close()
    assert judge(path).problem == ""


@pytest.mark.parametrize("change", ["another time", "another length", "it is not there"])
def test_nothing_is_done_at_the_start_to_a_message_that_is_another_one(path: Path, change: str) -> None:
    history = ChatHistory.open(path)
    subject = history.subject(3)
    history.close()
    before = path.read_bytes()
    changed = {
        "another time": Subject(3, subject.epoch, "2025-11-19 23:46:37", subject.user, subject.size),
        "another length": Subject(3, subject.epoch, subject.stamp, subject.user, subject.size + 1),
        "it is not there": Subject(9, subject.epoch, subject.stamp, subject.user, subject.size),
    }[change]
    ChatHistory.open(path, changed).close()
    other_log = Subject(3, "another", subject.stamp, subject.user, subject.size)
    ChatHistory.open(path, other_log).close()
    assert path.read_bytes() == before


def test_a_message_that_another_program_has_changed_is_left_alone(path: Path) -> None:
    history = ChatHistory.open(path)
    subject = history.subject(2)
    path.write_bytes(path.read_bytes().replace(b"secret", b"Secret"))
    changed = path.read_bytes()
    with pytest.raises(HistoryChanged):
        history.subject(2)
    with pytest.raises(HistoryChanged):
        history.redact(subject)
    with pytest.raises(HistoryChanged):
        history.subject(4)
    redact(history, 3)  # they were not on this one
    assert path.read_bytes().startswith(changed[: changed.index(b"last")])
    history.close()


def test_a_file_that_was_replaced_is_left_alone(path: Path) -> None:
    history = ChatHistory.open(path)
    subject = history.subject(2)
    copy = path.read_bytes()
    path.unlink()
    path.write_bytes(copy)
    with pytest.raises(HistoryChanged):
        history.redact(subject)
    assert path.read_bytes() == copy
    history.close()


def test_an_external_edit_is_still_noticed_after_a_redaction(path: Path) -> None:
    history = ChatHistory.open(path)
    epoch = history.epoch
    with path.open("a") as file:
        file.write(line("by hand") + "\n")
    redact(history, 1)
    assert history.append([line("by the server")]) == 5
    assert history.epoch == epoch
    history.close()


@pytest.mark.parametrize(("number", "expected"), [("ENOSPC", StorageFull), ("EIO", HistoryLost)])
def test_a_disk_that_fails_leaves_the_message_or_ends_the_server(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: str, expected: type[Exception]
) -> None:
    history = ChatHistory.open(path)
    subject = history.subject(2)
    before = path.read_bytes()

    def fail(*_: object) -> int:
        raise OSError(getattr(errno, number), "no")

    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", fail)
        with pytest.raises(expected):
            history.redact(subject)
    assert path.read_bytes() == before
    if expected is StorageFull:
        history.redact(subject)
        assert history.append([line("more")]) == 4
    else:
        with pytest.raises(HistoryLost):
            history.append([line("more")])
    history.close()


@pytest.mark.parametrize("at", range(1, 5))
def test_after_a_crash_at_any_call_the_next_start_has_it_done(
    path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The calls are: write and sync the log, write and sync the index."""
    history = ChatHistory.open(path)
    subject, epoch = history.subject(1), history.epoch
    calls = 0

    def counted(really: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            nonlocal calls
            calls += 1
            if calls == at:
                raise KeyboardInterrupt  # what is not caught anywhere
            return really(*arguments)

        return call

    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", counted(os.pwrite))
        broken.setattr(os, "fdatasync", counted(os.fdatasync))
        with pytest.raises(KeyboardInterrupt):
            history.redact(subject)
    assert calls == at
    history.close()
    again = ChatHistory.open(path, subject)
    assert read_line(again.read(1, 1)[0]).text == "[removed]--"
    assert (again.epoch, again.count) == (epoch, 3)
    again.close()
    assert judge(path).problem == ""


def test_an_index_that_is_gone_is_not_needed(path: Path) -> None:
    index = path.with_name("talk.txt.index")
    index.unlink()
    index.mkdir()
    history = ChatHistory.open(path)
    redact(history, 2)
    assert read_line(history.read(2, 1)[0]).text.startswith("[removed]")
    history.close()


def test_a_text_that_begins_below_the_name_does_not_fall_to_the_message_above() -> None:
    raw = b"[2025-11-19 23:46:36] Anna:\nbelow\r\n"
    assert covered(raw) == b"[2025-11-19 23:46:36] Anna: -----\r\n"
    assert covered(covered(raw)) == covered(raw)
