"""The epoch: it names a log, and stays as long as what was told stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from besedka.serve.history import ChatHistory
from tests.serve.history.logs import index_of_version_1, line, no_room_for


def epoch_of(path: Path) -> str:
    history = ChatHistory.open(path)
    history.close()
    return history.epoch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "talk.txt"


@pytest.fixture
def epoch(path: Path) -> str:
    history = ChatHistory.open(path)
    history.append([line("one"), line("two\nof two lines")])
    history.close()
    return epoch_of(path)


@pytest.mark.parametrize("gone", [["talk.txt.index"], ["talk.txt.epoch"]])
def test_what_stands_beside_a_log_can_be_deleted_and_the_epoch_stays(
    path: Path, epoch: str, gone: list[str]
) -> None:
    for name in gone:
        path.with_name(name).unlink()
    assert epoch_of(path) == epoch
    assert (
        path.with_name("talk.txt.epoch").read_text() == f"epoch {epoch}\nfirst [2025-11-19 23:46:36] Anna:\n"
    )


def test_a_redacted_first_message_and_a_deleted_index_leave_it_as_it_is(path: Path, epoch: str) -> None:
    history = ChatHistory.open(path)
    history.redact(history.subject(1))
    history.close()
    path.with_name("talk.txt.index").unlink()
    assert epoch_of(path) == epoch


@pytest.mark.parametrize("has_index", [True, False])
def test_another_log_in_its_place_has_another_one(path: Path, epoch: str, *, has_index: bool) -> None:
    path.write_text(line("other", "Eve", "2026-01-01 00:00:00") + "\n")
    if not has_index:
        path.with_name("talk.txt.index").unlink()
    assert epoch_of(path) != epoch
    assert epoch_of(path) == epoch_of(path)


def test_a_log_that_was_edited_while_nobody_looked_has_another_one(path: Path, epoch: str) -> None:
    path.write_text(path.read_text().replace("one\n", "one and more\n"))
    assert epoch_of(path) != epoch


def test_a_file_that_says_something_else_is_written_anew(path: Path, epoch: str) -> None:
    path.with_name("talk.txt.epoch").write_bytes(b"\xffnonsense")
    assert epoch_of(path) == epoch
    assert path.with_name("talk.txt.epoch").read_text().startswith(f"epoch {epoch}\n")


def test_where_there_is_no_room_for_it_the_index_knows_it(
    path: Path, epoch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", no_room_for(lambda name: ".epoch" in name))
        history = ChatHistory.open(path)
        path.write_text(f"{line('another')}\n")
        history.append([line("two")])
        changed = history.epoch
        history.close()
    assert changed != epoch
    assert epoch_of(path) == changed


def test_an_index_of_the_first_version_is_taken_over_and_the_epoch_stays(path: Path) -> None:
    messages = [line("one"), line("two\nof two lines"), line("three")]
    path.write_text("".join(f"{message}\n" for message in messages))
    path.with_name("talk.txt.index").write_bytes(index_of_version_1("0123456789ab", *messages))
    history = ChatHistory.open(path)
    assert (history.epoch, history.read(1, 9)) == ("0123456789ab", messages)
    history.append([line("four")])
    history.close()
    assert epoch_of(path) == "0123456789ab"


def test_ids_that_changed_because_lines_are_not_understood_any_more_give_a_new_one(path: Path) -> None:
    swallowed = line("one") + "\n[2011-10-12 11:12:00 | Edited 11:13:01] Boris: fixed"
    path.write_text(f"{swallowed}\n{line('two')}\n")
    path.with_name("talk.txt.index").write_bytes(index_of_version_1("0123456789ab", swallowed, line("two")))
    history = ChatHistory.open(path)
    assert history.read(1, 9) == [line("one"), line("two")]
    assert history.epoch != "0123456789ab"
    history.close()


@pytest.mark.parametrize("left", ["two", "two\n\tof", "two\n\tof th", "two\n\tof three\n\tli"])
@pytest.mark.parametrize("ends_line", [True, False])
def test_a_message_that_is_shorter_than_an_index_of_the_first_version_says_is_left_and_reported(
    path: Path, left: str, *, ends_line: bool
) -> None:
    """Perhaps a crash has cut it off; perhaps the record is that of another message, which never came into the log."""
    whole = [line("one\nof two lines"), line("two\nof three\nlines")]
    shorter = f"{line('').removesuffix(' ')} {left}"
    content = f"{whole[0]}\n{shorter}" + "\n" * ends_line
    path.write_text(content)
    path.with_name("talk.txt.index").write_bytes(index_of_version_1("0123456789ab", *whole))
    history = ChatHistory.open(path)
    is_cut = left == "two" and not ends_line
    assert path.read_text() == (f"{whole[0]}\n" if is_cut else content)
    assert history.read(1, 9) == ([whole[0]] if is_cut else [whole[0], shorter])
    assert (history.restored.changed_line, bool(history.restored.torn)) == (None if is_cut else 3, is_cut)
    assert history.epoch == "0123456789ab"
    history.close()


def test_a_torn_end_is_repaired_by_an_index_of_the_first_version_too(path: Path) -> None:
    messages = [line("one"), line("two")]
    path.write_text(f"{messages[0]}\n{messages[1][:-2]}")
    path.with_name("talk.txt.index").write_bytes(index_of_version_1("0123456789ab", *messages))
    history = ChatHistory.open(path)
    assert (history.epoch, history.read(1, 9)) == ("0123456789ab", messages[:1])
    assert history.restored.torn
    history.close()
