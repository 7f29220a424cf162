"""Changes of a log by another program at any moment: noticed before anyone is told, or at the next look at the latest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from besedka.serve.errors import HistoryInUse, HistoryLost, StorageFull
from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history import ChatHistory, Latest, redact
from besedka.serve.history.log_state import LogState
from besedka.serve.history.opening import loading, torn_end
from besedka.serve.history.record import Flag, Record
from tests.serve.history.logs import Edit, at_sync, line, name_of, no_room_for


def is_index(name: str) -> bool:
    return name.endswith(".index")


def add(path: Path) -> None:
    with path.open("a") as other:
        other.write(line("added") + "\n")


def add_half_a_line(path: Path) -> None:
    with path.open("a") as other:
        other.write(line("added"))


def add_something_strange(path: Path) -> None:
    with path.open("a") as other:
        other.write("[19.11.2025 23:46:36] Anna: hi\n\tand more\n")


def empty(path: Path) -> None:
    os.truncate(path, 0)


def cut(path: Path) -> None:
    os.truncate(path, 20)


def replace(path: Path) -> None:
    other = path.with_name("other.txt")
    other.write_text(line("another") + "\n")
    other.rename(path)


def remove(path: Path) -> None:
    path.unlink()


def rewrite(path: Path) -> None:
    """As an editor or ``sed -i`` does it."""
    other = path.with_name("other.txt")
    other.write_bytes(path.read_bytes().replace(b"one", b"1"))
    other.rename(path)


def edit_in_place(path: Path) -> None:
    with path.open("r+b") as other:
        data = other.read()
        other.seek(data.index(b"one"))
        other.write(b"ONE")


@pytest.mark.parametrize(
    "edit", [add, add_half_a_line, add_something_strange, empty, cut, replace, remove, rewrite, edit_in_place]
)
@pytest.mark.parametrize("moment", ["before the write", "before the sync", "after the sync"])
def test_an_edit_while_a_batch_is_written_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: Edit, moment: str
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one"), line("two")])
    epoch = history.epoch
    edits = [edit]

    def once(number: int) -> None:
        if edits and name_of(number) == str(path):
            edits.pop()(path)

    def write(number: int, data: bytes) -> int:
        once(number)
        return really_write(number, data)

    def sync(number: int) -> None:
        if moment == "before the sync":
            once(number)
        really_sync(number)
        if moment == "after the sync":
            once(number)

    really_write, really_sync = os.write, os.fdatasync
    with monkeypatch.context() as disk:
        if moment == "before the write":
            disk.setattr(os, "write", write)
        else:
            disk.setattr(os, "fdatasync", sync)
        first_id = history.append([line("three"), line("four\nof two lines")])
    assert not edits
    stands = path.read_text().split("\n")
    assert line("three") in stands, "what is told is in the file that is there"
    if edit is not edit_in_place or moment != "before the write":
        assert history.read(first_id, 2) == [line("three"), line("four\nof two lines")]
        assert history.epoch == epoch or edit not in {add, add_something_strange}
    # At the next look all of it is known: ids are the same for those who were told and for those who read pages.
    last = history.append([line("five")])
    assert history.count == last
    assert history.read(last, 1) == [line("five")]
    assert (history.epoch == epoch) == (edit in {add, add_half_a_line, add_something_strange})
    if edit in {add, add_half_a_line, add_something_strange}:
        assert history.read(first_id, 1) == [line("three")]
    numbered = [number for page in (history.read(1, 100),) for number in page]
    history.close()
    (tmp_path / "talk.txt.index").unlink()
    again = ChatHistory.open(path)
    assert again.read(1, 100) == numbered
    again.close()


def test_a_full_disk_cuts_off_our_half_batch_and_nothing_that_another_program_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    really = os.write

    def write_half(number: int, data: bytes) -> int:
        if name_of(number) != str(path):
            return really(number, data)
        if len(data) > 20:
            add(path)
            return really(number, data[:20])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", write_half)
        with pytest.raises(Exception, match="no room"):
            history.append([line("two" * 3)])
    assert path.read_text() == f"{line('one')}\n{line('added')}\n"
    assert history.append([line("three")]) == 3
    assert history.read(1, 9) == [line("one"), line("added"), line("three")]
    history.close()


@pytest.mark.parametrize("of", ["talk.txt", "talk.txt.index"])
def test_a_log_that_is_emptied_while_the_disk_is_full_stays_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line(f"message {number}") for number in range(100)])
    really = os.write

    def full(number: int, data: bytes) -> int:
        if name_of(number) != str(tmp_path / of):
            return really(number, data)
        empty(path)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        with pytest.raises(StorageFull):
            history.append([line("lost")])
    assert path.read_bytes() == b""
    assert history.append([line("new")]) == 1
    history.close()


def repeat(path: Path) -> None:
    with path.open("a") as other:
        other.write(f"{line('two')}\n{line('three')}\n")


def continue_it(path: Path) -> None:
    with path.open("a") as other:
        other.write("\tand more\n")


@pytest.mark.parametrize(("edit", "times", "id_"), [(rewrite, 1, 4), (repeat, 2, 6), (continue_it, 1, 4)])
def test_a_batch_that_another_program_has_moved_or_added_to_is_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: Edit, times: int, id_: int
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one"), line("two"), line("one, too")])
    with monkeypatch.context() as disk:
        at_sync(disk, path, edit)
        assert history.append([line("two"), line("three")]) == id_
    assert path.read_text().count(f"\n{line('three')}\n") == times
    assert history.read(id_, 1) == [line("two")]
    history.close()


@pytest.mark.parametrize(
    ("added", "is_continued"),
    [
        ("\tand more\n", True),
        (" and more\n", True),
        ("and more\n", True),
        ("\n", True),
        ("\tand more, without an end", True),
        (f"\tand more\n{line('added')}\n", True),
        (f"{line('added')}\n\tand more\n", False),
        ("[19.11.2025 23:46:36] Anna: hi\n\tand more\n", False),
    ],
)
def test_lines_that_continue_a_batch_while_it_is_synced_change_the_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, added: str, *, is_continued: bool
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")], [Flag.VERIFIED])
    epoch = history.epoch

    def continue_batch(log: Path) -> None:
        with log.open("a") as other:
            other.write(added)

    with monkeypatch.context() as disk:
        at_sync(disk, path, continue_batch)
        first_id = history.append([line("two"), line("three")], [Flag.VERIFIED, Flag.UNVERIFIED])
    assert first_id == 2
    assert (history.epoch != epoch) == is_continued, "whoever is told a text must find it by its id"
    assert (history.read(3, 1) != [line("three")]) == is_continued
    assert [flag & ~Flag.BEGINS_BATCH for flag in history.flags(1, 3)] == [
        Flag.VERIFIED,
        Flag.VERIFIED,
        Flag.UNVERIFIED,
    ]
    numbered, changed = history.read(1, 9), history.epoch
    assert history.append([line("four")]) == history.count
    assert history.epoch == changed
    history.close()
    for _ in range(2):
        again = ChatHistory.open(path)
        assert (again.read(1, 9), again.epoch) == ([*numbered, line("four")], changed)
        again.close()
        (tmp_path / "talk.txt.index").unlink()


def test_a_batch_that_lands_in_a_log_that_was_just_emptied_is_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    really = os.write

    def write(number: int, data: bytes) -> int:
        if name_of(number) == str(path):
            empty(path)
        return really(number, data)

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", write)
        assert history.append([line("two")]) == 1
    assert path.read_text() == f"{line('two')}\n"
    history.close()


def test_a_message_that_another_program_quotes_at_once_is_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)

    def quote(log: Path) -> None:
        with log.open("a") as other:
            other.write(f"> {line('one')}\n")

    with monkeypatch.context() as disk:
        at_sync(disk, path, quote)
        assert history.append([line("one")]) == 1
    assert path.read_text() == f"{line('one')}\n> {line('one')}\n"
    history.close()


def test_a_line_end_that_was_added_to_the_last_line_keeps_the_epoch_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    add_half_a_line(path)
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", no_room_for(is_index))
        with pytest.raises(StorageFull):
            history.append([line("lost")])
    history.append([line("two")])
    add_half_a_line(path)
    history.append([line("three")])
    add_half_a_line(path)
    epoch = history.epoch
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", no_room_for(lambda name: name == str(path)))
        with pytest.raises(StorageFull):
            history.append([line("lost")])
    with path.open("a") as other:
        other.write("\n")
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", no_room_for(is_index))
        with pytest.raises(StorageFull):
            history.append([line("lost")])
        assert history.read(6, 1) == [line("added")]
    assert history.append([line("four")]) == 7
    assert history.epoch == epoch
    history.close()


def test_a_delivered_line_without_its_end_outlives_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, index = tmp_path / "talk.txt", tmp_path / "talk.txt.index"
    history = ChatHistory.open(path)
    history.append([line("one")])
    add_half_a_line(path)
    synced = index.stat().st_size
    really = os.fdatasync

    def sync(number: int) -> None:
        nonlocal synced
        really(number)
        if name_of(number) == str(index):
            synced = index.stat().st_size

    with monkeypatch.context() as disk:
        disk.setattr(os, "fdatasync", sync)
        disk.setattr(os, "write", no_room_for(lambda name: name == str(path)))
        with pytest.raises(StorageFull):
            history.append([line("lost")])
    assert history.read(2, 1) == [line("added")]
    history.close()
    os.truncate(index, min(synced, index.stat().st_size))
    again = ChatHistory.open(path)
    assert again.read(1, 9) == [line("one"), line("added")]
    assert again.restored.torn is None
    again.close()


@pytest.mark.parametrize("edit", [remove, replace])
def test_a_log_that_is_gone_before_a_text_is_redacted_does_not_end_the_server(
    tmp_path: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    wanted = history.subject(1)
    really, edits = redact.covered, [edit]

    def covered(raw: bytes) -> bytes:
        if edits:
            edits.pop()(path)
        return really(raw)

    with monkeypatch.context() as module:
        module.setattr(redact, "covered", covered)
        history.redact(wanted)
    assert history.append([line("two")]) == history.count
    history.close()


def test_another_server_that_finds_the_log_in_use_does_not_have_it_read_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    for open_ in (ChatHistory.open, ChatHistory.probe):
        with pytest.raises(HistoryInUse):
            open_(path)
    history.append([line("two")])
    assert not caplog.records
    history.close()


def test_what_another_program_adds_while_a_log_is_opened_is_not_taken_for_torn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    history.close()
    really = torn_end.torn_offset

    def torn_offset(log: Descriptor, behind: int, record: Record | None, *, has_index: bool) -> int:
        offset = really(log, behind, record, has_index=has_index)
        add(path)
        return offset

    with monkeypatch.context() as module:
        module.setattr(loading, "torn_offset", torn_offset)
        history = ChatHistory.open(path)
    assert history.append([line("two")]) == 3
    assert history.read(1, 9) == [line("one"), line("added"), line("two")]
    assert not [*tmp_path.glob("*.torn-*")]
    history.close()


def test_an_edit_in_place_while_a_log_is_opened_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    history.close()
    really = LogState.latest

    def latest(body: LogState) -> Latest:
        found = really(body)
        edit_in_place(path)
        return found

    with monkeypatch.context() as module:
        module.setattr(LogState, "latest", latest)
        history = ChatHistory.open(path)
    history.append([line("two")])
    assert list(history.latest.lines) == history.read(1, 9) == [line("ONE"), line("two")]
    history.close()


@pytest.mark.parametrize("edit", [add, rewrite, replace])
def test_a_batch_that_is_in_the_log_is_never_refused_as_too_much_for_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: Edit
) -> None:
    """Its sender would say it again, and it would stand there twice."""
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])

    def edit_and_fill_up(log: Path) -> None:
        edit(log)
        monkeypatch.setattr(os, "write", no_room_for(is_index))

    with monkeypatch.context() as disk:
        at_sync(disk, path, edit_and_fill_up)
        try:
            first_id = history.append([line("two")])
            assert history.read(first_id, 1) == [line("two")]
        except HistoryLost:
            pass  # whether it is in the log is not said
        except StorageFull:
            assert line("two") not in path.read_text()
    history.close()


@pytest.mark.parametrize("is_running", [True, False])
def test_what_is_added_behind_a_line_without_its_end_is_a_part_of_that_line(
    tmp_path: Path, *, is_running: bool
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    add_half_a_line(path)
    with pytest.MonkeyPatch.context() as disk:
        disk.setattr(os, "write", no_room_for(lambda name: name == str(path)))
        with pytest.raises(StorageFull):
            history.append([line("lost")])
    assert history.read(2, 1) == [line("added")]
    if not is_running:
        history.close()
    add(path)
    if not is_running:
        history = ChatHistory.open(path)
    assert history.append([line("two")]) == 3
    numbered = [line("one"), line("added") + line("added"), line("two")]
    assert history.read(1, 9) == numbered
    history.close()
    (tmp_path / "talk.txt.index").unlink()
    again = ChatHistory.open(path)
    assert again.read(1, 9) == numbered
    again.close()


@pytest.mark.parametrize("edit", [add, rewrite, repeat])
def test_what_is_known_of_a_message_stays_known_when_another_program_writes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: Edit
) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    with monkeypatch.context() as disk:
        at_sync(disk, path, edit)
        first_id = history.append([line("mine"), line("yours")], [Flag.UNVERIFIED, Flag.VERIFIED])
    assert history.flags(first_id, 2) == [Flag.UNVERIFIED | Flag.BEGINS_BATCH, Flag.VERIFIED]
    assert [*history.latest.flags][first_id - history.latest.first :][:2] == history.flags(first_id, 2)
    history.close()


def test_a_picture_in_the_place_of_a_log_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append([line("one")])
    picture = b"\x89PNG\r\n\x1a\n" + bytes(100)
    (tmp_path / "picture.png").write_bytes(picture)
    (tmp_path / "picture.png").rename(path)
    for _ in range(2):
        with pytest.raises(HistoryLost, match="it holds no message of Besedka and looks like a picture"):
            history.append([line("two")])
    assert path.read_bytes() == picture
    history.close()
