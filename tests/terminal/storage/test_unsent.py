"""What waits is kept, once, whatever ends and however many terminals there are."""

from __future__ import annotations

import shutil
from pathlib import Path

from besedka.terminal.storage.unsent import Unsent
from besedka.wire.frames import Say

URL = "ws://localhost:8765/ws"


def words(*texts: str) -> list[Say]:
    return [Say(text=text, key=f"key of {text}", after=7) for text in texts]


def failed(error: OSError) -> None:
    raise error


def unsent(folder: Path, room: str = "main", user: str = "Anna", url: str = URL) -> Unsent:
    return Unsent(folder, url, room, user, failed)


def test_what_waits_is_there_the_next_time(tmp_path: Path) -> None:
    with unsent(tmp_path) as first:
        assert first.left == []
        first.keep(words("one", "two\nlines"))
    with unsent(tmp_path) as second:
        assert second.left == words("one", "two\nlines")
        second.keep(words("two\nlines"))
    with unsent(tmp_path) as third:
        assert third.left == words("two\nlines")
        third.keep([])
    assert not list(tmp_path.glob("*.jsonl"))


def test_a_program_that_was_killed_has_kept_it_too(tmp_path: Path) -> None:
    first = unsent(tmp_path)
    first.keep(words("one"))
    first.close()  # what the system does
    with unsent(tmp_path) as second:
        assert second.left == words("one")


def test_another_room_name_or_chat_has_what_waits_of_its_own(tmp_path: Path) -> None:
    with unsent(tmp_path) as first:
        first.keep(words("one"))
    others = unsent(tmp_path, room="dev"), unsent(tmp_path, user="Boris"), unsent(tmp_path, url="unix:/x")
    assert [other.left for other in others] == [[], [], []]
    for other in others:
        other.close()


def test_terminals_at_the_same_time_do_not_send_what_the_other_one_sends(tmp_path: Path) -> None:
    with unsent(tmp_path) as first:
        first.keep(words("of the first"))
        with unsent(tmp_path) as second:
            assert second.left == []
            second.keep(words("of the second"))
            with unsent(tmp_path) as third:
                assert third.left == []
    with unsent(tmp_path) as both:
        assert both.left == words("of the first", "of the second")
        with unsent(tmp_path) as another:
            assert another.left == []
    with unsent(tmp_path) as again:
        assert again.left == words("of the first", "of the second")


def test_what_cannot_be_read_is_put_aside_and_told(tmp_path: Path) -> None:
    with unsent(tmp_path) as first:
        first.keep(words("one", "two"))
    (file,) = tmp_path.glob("*.jsonl")
    file.write_bytes(b"nonsense\n" + file.read_bytes() + b'{"type":"leave"}\n')
    with unsent(tmp_path) as second:
        assert second.left == words("one", "two")
        assert second.is_damaged
        assert second.damaged.read_bytes() == b'nonsense\n{"type":"leave"}\n'


def test_a_failure_to_store_is_reported_and_raises_nothing(tmp_path: Path) -> None:
    errors: list[OSError] = []
    with Unsent(tmp_path / "unsent", URL, "main", "Anna", errors.append) as first:
        shutil.rmtree(tmp_path / "unsent")
        first.keep(words("one"))
    assert [type(error) for error in errors] == [FileNotFoundError]
