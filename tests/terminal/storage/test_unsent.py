"""Unsent messages are stored, each once, whatever ends and however many terminals there are."""

from __future__ import annotations

import shutil
from pathlib import Path

from besedka.terminal.storage.unsent import UnsentMessages, remove_stale_locks
from besedka.wire.frames import Say

URL = "ws://localhost:8765/ws"


def messages(*texts: str) -> list[Say]:
    return [Say(text=text, key=f"key of {text}", after=7) for text in texts]


def failed(error: OSError) -> None:
    raise error


def unsent(folder: Path, room: str = "main", user: str = "Anna", url: str = URL) -> UnsentMessages:
    return UnsentMessages(folder, url, room, user, failed)


def test_unsent_messages_are_recovered_by_the_next_session(tmp_path: Path) -> None:
    with unsent(tmp_path) as first:
        assert first.recovered == []
        first.save(messages("one", "two\nlines"))
    with unsent(tmp_path) as second:
        assert second.recovered == messages("one", "two\nlines")
        second.save(messages("two\nlines"))
    with unsent(tmp_path) as third:
        assert third.recovered == messages("two\nlines")
        third.save([])
    assert not list(tmp_path.glob("*.jsonl"))


def test_unsent_messages_of_a_killed_program_are_recovered(tmp_path: Path) -> None:
    first = unsent(tmp_path)
    first.save(messages("one"))
    first.close()  # what the system does
    with unsent(tmp_path) as second:
        assert second.recovered == messages("one")


def test_another_room_name_or_chat_has_unsent_messages_of_its_own(tmp_path: Path) -> None:
    with unsent(tmp_path) as first:
        first.save(messages("one"))
    others = unsent(tmp_path, room="dev"), unsent(tmp_path, user="Boris"), unsent(tmp_path, url="unix:/x")
    assert [other.recovered for other in others] == [[], [], []]
    for other in others:
        other.close()


def test_concurrent_terminals_do_not_send_each_others_messages(tmp_path: Path) -> None:
    with unsent(tmp_path) as first:
        first.save(messages("of the first"))
        with unsent(tmp_path) as second:
            assert second.recovered == []
            second.save(messages("of the second"))
            with unsent(tmp_path) as third:
                assert third.recovered == []
    with unsent(tmp_path) as both:
        assert both.recovered == messages("of the first", "of the second")
        with unsent(tmp_path) as another:
            assert another.recovered == []
    with unsent(tmp_path) as again:
        assert again.recovered == messages("of the first", "of the second")


def test_unreadable_lines_are_moved_away_and_reported(tmp_path: Path) -> None:
    with unsent(tmp_path) as first:
        first.save(messages("one", "two"))
    (file,) = tmp_path.glob("*.jsonl")
    file.write_bytes(b"nonsense\n" + file.read_bytes() + b'{"type":"leave"}\n')
    with unsent(tmp_path) as second:
        assert second.recovered == messages("one", "two")
        assert second.is_damaged
        assert second.damaged.read_bytes() == b'nonsense\n{"type":"leave"}\n'


def test_a_failure_to_store_is_reported_and_raises_nothing(tmp_path: Path) -> None:
    errors: list[OSError] = []
    with UnsentMessages(tmp_path / "unsent", URL, "main", "Anna", errors.append) as first:
        shutil.rmtree(tmp_path / "unsent")
        first.save(messages("one"))
    assert [type(error) for error in errors] == [FileNotFoundError]


def test_a_text_with_other_line_ends_is_one_line_of_the_file(tmp_path: Path) -> None:
    texts = ["a\u2028b\u2029c\x85d\x7fe", "next\nline"]
    with unsent(tmp_path) as first:
        first.save(messages(*texts))
        (path,) = tmp_path.glob("*.jsonl")
        assert len(path.read_text(encoding="utf-8").splitlines()) == 2
    with unsent(tmp_path) as second:
        assert [message.text for message in second.recovered] == texts


def test_unreadable_lines_are_moved_away_once(tmp_path: Path) -> None:
    for whole in ([], ["one"]):
        with unsent(tmp_path, room=f"room {len(whole)}") as first:
            first.save(messages(*whole, "damaged"))
            (file,) = tmp_path.glob("*.jsonl")
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]) + b"nonsense\n")
        for is_damaged in (True, False, False):
            with unsent(tmp_path, room=f"room {len(whole)}") as again:
                assert (again.recovered, again.is_damaged) == (messages(*whole), is_damaged)
        assert file.with_name(f"{file.name.partition('.')[0]}.damaged").read_bytes() == b"nonsense\n"
        file.unlink(missing_ok=True)


def test_locks_of_rooms_without_messages_do_not_pile_up(tmp_path: Path) -> None:
    with unsent(tmp_path) as running, unsent(tmp_path, room="waiting") as waiting:
        waiting.save(messages("one"))
        for number in range(100):
            (tmp_path / f"{number:016x}.0.lock").touch()
        waiting.close()
        remove_stale_locks(tmp_path)
        assert len([*tmp_path.glob("*.lock")]) == 2
        running.save(messages("two"))
    for room, text in (("main", "two"), ("waiting", "one")):
        with unsent(tmp_path, room=room) as again:
            assert again.recovered == messages(text)
