"""``besedka search``: over the server, as the page searches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commanding import Person
from tests.conftest import ServerMaker
from tests.running import RunningServer, running
from tests.talking import WireClient

OLD = """\
[2026-11-01 10:00:00] Anna: The exam is on Monday
[2026-11-02 10:00:00] Boris: which EXAM?
[2026-11-02 10:00:01] Anna Maria: the exam
\tof spring
[2026-11-30 23:59:59] Anna: no exams in December
[2026-12-01 00:00:00] Anna: exam at last
"""
MESSAGES = [f"[{message}" for message in OLD.split("[")[1:]]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a past, over both ways; all who search in it leave it as it is."""
    directory = tmp_path_factory.mktemp("old")
    (directory / "chat_history.txt").write_text(OLD, encoding="utf-8")
    yield from running(RunningServer(directory, "--lang", "en", "--utc", grpc=True))


@pytest.fixture
def boris(tmp_path: Path) -> Iterator[Person]:
    """Somebody who searches."""
    home = tmp_path / "boris"
    home.mkdir()
    with Person(home) as person:
        yield person


@pytest.mark.parametrize("way", [0, 1], ids=["ws", "grpc"])
@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["exam"], [1, 2, 3, 4, 5]),
        (["-n", "2", "EXAM"], [4, 5]),
        (["exam", "of"], []),
        (["the", "exam", "is"], [1]),
        (["from:anna", "exam"], [1, 4, 5]),
        (['from:"Anna Maria" exam'], [3]),
        (["from:Boris"], [2]),
        (["since:2026-11-02", "until:2026-11-30", "exam"], [2, 3, 4]),
        (["от:Anna", "с:2026-12-01"], [5]),
        (["nothing of this"], []),
    ],
)
def test_a_search_prints_the_lines_of_the_log_in_their_order(
    old: RunningServer, boris: Person, way: int, arguments: list[str], ids: list[int]
) -> None:
    done = boris.run("search", "--url", old.urls[way], *arguments)
    if ids:
        assert done.assert_well() == "".join(MESSAGES[number - 1] for number in ids)
    else:
        done.assert_one_clear_line(1, "nothing was found")


def test_json_is_that_of_tail(old: RunningServer, boris: Person) -> None:
    found = boris.run("search", "--url", old.url(), "--json", "since:2026-11-01").assert_well()
    assert found == boris.run("tail", "--url", old.url(), "--json").assert_well()
    assert json.loads(found.splitlines()[2])["text"] == "the exam\nof spring"


def test_more_than_a_server_finds_at_once_is_found(
    make_server: ServerMaker, boris: Person, tmp_path: Path
) -> None:
    lines = [f"[2026-11-01 10:00:00] Anna: {number} cakes\n" for number in range(1, 251)]
    (tmp_path / "chat_history.dev.txt").write_text("".join(lines), encoding="utf-8")
    server = make_server().start()
    there = ("--url", server.url(), "--room", "dev")
    assert boris.run("search", *there, "-n", "240", "cake").assert_well() == "".join(lines[-240:])


def test_nobody_sees_a_search_and_a_mistyped_room_is_an_error(old: RunningServer, boris: Person) -> None:
    with WireClient(old) as anna:
        anna.join("Anna")
        boris.run("search", "--url", old.url(), "exam").assert_well()
        anna.send_frame("chat", text="end")
        frames = anna.receive_until(lambda frame: frame.get("text") == "end")
    assert all(frame["joined"] == ["Anna"] for frame in frames if frame["type"] == "system")
    boris.run("search", "--url", old.url(), "--room", "typo", "exam").assert_one_clear_line(4, "no room typo")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["WORDS"]),
        (["-n", "0", "x"], ["-n"]),
        (["since:yesterday"], ["'yesterday' is no day"]),
        (["from:Anna Maria"], ["""'from:"Anna Maria"'"""]),
    ],
)
def test_a_search_that_cannot_be_understood_is_used_wrongly(
    boris: Person, arguments: list[str], parts: list[str]
) -> None:
    boris.run("search", "--url", "localhost:1", *arguments).assert_one_clear_line(2, *parts)


def test_a_text_that_no_search_takes_is_refused_in_one_sentence(old: RunningServer, boris: Person) -> None:
    boris.run("search", "--url", old.url(), "x" * 5_001).assert_one_clear_line(4, "cannot be searched for")
    boris.run("search", "--url", old.url(), " ").assert_one_clear_line(4, "cannot be searched for")
