"""An index that is damaged while its log is open: what the log and the sound records tell stays as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from besedka.serve.history import ChatHistory
from besedka.serve.history.index import HEADER
from besedka.serve.history.record import RECORD_BYTES, Flag
from tests.serve.history.logs import index_of, line

Damage = Callable[[Path], None]


LINES = [line(f"message {number}" + "\nand more" * (number % 2)) for number in range(1, 31)]
FLAGS = [(Flag.NONE, Flag.VERIFIED, Flag.UNVERIFIED)[number % 3] for number in range(30)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "talk.txt"


@pytest.fixture
def history(path: Path) -> ChatHistory:
    """A log with a preamble and lines that are not understood."""
    path.write_text(f"Minutes\n{LINES[0]}\n[19.11.2025 23:46:36] Anna: hi\n\tand more\n")
    history = ChatHistory.open(path)
    history.append(LINES[1:15], FLAGS[1:15])
    history.append(LINES[15:], FLAGS[15:])
    return history


def damage(*numbers: int) -> Damage:
    """Nothing but NULs in the records of these messages."""

    def damage_records(path: Path) -> None:
        with index_of(path).open("r+b") as index:
            for number in numbers:
                index.seek(HEADER.size + (number - 1) * RECORD_BYTES)
                index.write(bytes(RECORD_BYTES))

    return damage_records


def cut(count: int) -> Damage:
    return lambda path: os.truncate(index_of(path), HEADER.size + count * RECORD_BYTES + 5)


def empty(path: Path) -> None:
    os.truncate(index_of(path), 0)


def flags(history: ChatHistory) -> list[Flag]:
    return [flag & ~Flag.BEGINS_BATCH for flag in history.flags(1, history.count)]


@pytest.mark.parametrize(
    ("hurt", "lost"),
    [
        (damage(1), {1}),
        (damage(2), {2}),
        (damage(12), {12}),
        (damage(5, 6, 7, 9), {5, 6, 7, 9}),
        (damage(30), {30}),
        (damage(1, 30), {1, 30}),
        (cut(14), set(range(15, 31))),
        (empty, set(range(1, 31))),
    ],
)
def test_an_index_that_is_damaged_while_it_is_read_costs_no_epoch_and_only_the_flags_that_it_lost(
    path: Path, history: ChatHistory, hurt: Damage, lost: set[int]
) -> None:
    epoch, latest, begins = history.epoch, history.latest, history.extents(1, 30)
    hurt(path)
    kept = [Flag.NONE if number in lost else flag for number, flag in enumerate(FLAGS, 1)]
    for _ in range(2):
        assert history.read(1, 99) == LINES
        assert flags(history) == kept
        assert (history.epoch, history.extents(1, 30)) == (epoch, begins)
    assert history.latest.lines == latest.lines
    assert history.append([line("next")], [Flag.VERIFIED]) == 31
    assert history.epoch == epoch
    strange = history.restored.strange
    history.close()
    again = ChatHistory.open(path)
    assert (again.read(1, 99), flags(again)) == ([*LINES, line("next")], [*kept, Flag.VERIFIED])
    assert (again.epoch, again.restored.strange) == (epoch, strange)
    again.close()


@pytest.mark.parametrize("hurt", [damage(2), cut(14), empty])
def test_a_log_that_was_changed_when_its_index_turns_out_to_be_damaged_has_another_epoch(
    path: Path, history: ChatHistory, hurt: Damage
) -> None:
    epoch = history.epoch
    path.write_text(path.read_text().replace("message 2\n", "MESSAGE 2\n"))
    hurt(path)
    assert history.read(2, 1) == [line("MESSAGE 2")]
    assert history.append([line("next")]) == 31
    assert history.epoch != epoch
    assert history.read(1, 99) == [LINES[0], line("MESSAGE 2"), *LINES[2:], line("next")]
    history.close()


def test_what_was_added_to_a_log_when_its_index_turns_out_to_be_damaged_is_found(
    path: Path, history: ChatHistory
) -> None:
    with path.open("a") as other:
        other.write(f"{line('added')}\n")
    damage(2)(path)
    assert history.read(1, 30) == LINES
    assert history.append([line("next")]) == 32
    assert history.read(30, 9) == [LINES[29], line("added"), line("next")]
    history.close()


def test_a_torn_end_that_waits_for_room_is_no_message_when_the_index_turns_out_to_be_damaged(
    path: Path, history: ChatHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.close()
    torn = b"[2025-11-19 23:46:40] Boris: to"
    with path.open("ab") as crashed:
        crashed.write(torn)

    def copy_beside(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("besedka.serve.history.torn_file.copy_beside", copy_beside)
        history = ChatHistory.open(path)
    epoch = history.epoch
    damage(2)(path)
    assert history.read(1, 99) == LINES
    assert history.append([line("next")]) == 31
    assert (history.read(30, 9), history.epoch) == ([LINES[29], line("next")], epoch)
    assert [kept.read_bytes() for kept in path.parent.glob("*.torn-*")] == [torn]
    history.close()


def test_a_damaged_message_keeps_its_id_when_the_index_turns_out_to_be_damaged(
    path: Path, history: ChatHistory
) -> None:
    history.close()
    data = path.read_bytes()
    place = data.index(LINES[4].encode())
    path.write_bytes(data[:place] + b"?" + data[place + 1 :])
    history = ChatHistory.open(path)
    found, epoch = history.read(1, 99), history.epoch
    assert found[5:] == LINES[5:]
    damage(12)(path)
    assert (history.read(1, 99), history.epoch) == (found, epoch)
    history.close()


@pytest.mark.parametrize("number", [2, 12, 29])
def test_a_record_that_is_damaged_while_the_server_is_down_costs_no_flag_but_its_own(
    path: Path, history: ChatHistory, number: int
) -> None:
    epoch = history.epoch
    history.close()
    damage(number)(path)
    again = ChatHistory.open(path)
    assert (again.read(1, 99), again.epoch) == (LINES, epoch)
    assert flags(again) == [Flag.NONE if one == number else flag for one, flag in enumerate(FLAGS, 1)]
    again.close()


@pytest.mark.parametrize("number", [1, 2, 12, 29])
@pytest.mark.parametrize("is_added_to", [True, False])
def test_a_damaged_record_is_no_harm_where_only_the_last_records_are_looked_at_when_a_log_is_opened(
    path: Path, history: ChatHistory, monkeypatch: pytest.MonkeyPatch, number: int, *, is_added_to: bool
) -> None:
    epoch = history.epoch
    history.close()
    damage(number)(path)
    expected = LINES
    if is_added_to:
        expected = [*LINES, line("added")]
        with path.open("a") as other:
            other.write(f"{line('added')}\n")
    for module in ("opening.findings", "index", "opening.index_trust"):
        monkeypatch.setattr(f"besedka.serve.history.{module}.SYNC_RECORDS", 4)
    for open_ in (ChatHistory.open_to_read, ChatHistory.open):
        again = open_(path)
        assert (again.read(1, 99), again.epoch) == (expected, epoch)
        again.close()
    again = ChatHistory.open(path)
    assert flags(again)[:30] == [Flag.NONE if one == number else flag for one, flag in enumerate(FLAGS, 1)]
    again.close()


def test_a_message_is_redacted_though_its_record_is_damaged(path: Path, history: ChatHistory) -> None:
    epoch = history.epoch
    damage(12)(path)
    wanted = history.subject(12)
    damage(12)(path)
    history.redact(wanted)
    assert history.read(12, 1) == [line("[removed]-")]
    assert (history.read(1, 11), history.epoch) == (LINES[:11], epoch)
    history.close()


def test_a_redaction_that_a_crash_cut_off_is_done_though_a_record_is_damaged(
    path: Path, history: ChatHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = history.subject(12)
    history.close()
    damage(12)(path)
    for module in ("opening.findings", "index", "opening.index_trust"):
        monkeypatch.setattr(f"besedka.serve.history.{module}.SYNC_RECORDS", 4)
    again = ChatHistory.open(path, wanted)
    assert again.read(12, 1) == [line("[removed]-")]
    assert (again.append([line("next")]), again.epoch) == (31, wanted.epoch)
    again.close()
