"""A user's own secret: it makes them the same person to a chat over every door, and nobody else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka import home
from tests.commanding import Person, people_at_home
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient


@pytest.fixture
def people(tmp_path: Path) -> Iterator[list[Person]]:
    """Anna and Eve, who start commands, each at home."""
    with people_at_home(tmp_path, "anna", "eve") as people:
        yield people


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server with gRPC."""
    return make_server("--lang", "en", grpc=True).start()


def secret_of(person: Person, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as at:
        at.setenv("XDG_STATE_HOME", str(person.home / "state"))
        return home.secret_for(server.url())


def test_a_name_is_ones_own_by_every_way_and_no_others(server: RunningServer, people: list[Person]) -> None:
    anna, eve = people
    for number, url in enumerate((*server.urls, f"localhost:{server.port}"), 1):
        anna.run("send", "--url", url, "--name", "Anna", f"{number}").assert_well()
    anna.run("send", "--url", server.urls[1], "--name", "Anna", "--lines", stdin=b"4\n5\n").assert_well()
    assert [line.split("Anna: ")[1] for line in server.lines] == ["1", "2", "3", "4", "5"]
    for url in server.urls:
        refused = eve.run("send", "--url", url, "--name", "Anna", "I am Anna")
        refused.assert_one_clear_line(4, "besedka: The name Anna", "belongs to somebody else")


def test_what_is_shown_to_a_server_is_not_the_secret_that_all_are_made_from(
    server: RunningServer, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, _ = people
    anna.run("send", "--url", server.url(), "--name", "Anna", "hello").assert_well()
    server.stop()
    known = (server.directory / "known_names.txt").read_text(encoding="utf-8")
    own = (anna.home / "state" / "besedka" / "secret").read_text(encoding="ascii").strip()
    shown = secret_of(anna, server, monkeypatch)
    assert hashlib.sha256(shown.encode()).hexdigest() in known
    assert hashlib.sha256(own.encode()).hexdigest() not in known


def test_a_member_sends_into_a_private_room_and_reads_it_and_others_do_not(
    server: RunningServer, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, eve = people
    anna.run("send", "--url", server.url(), "--name", "Anna", "hello").assert_well()
    secret = secret_of(anna, server, monkeypatch)
    with WireClient(server) as client:
        client.join("Anna", secret=secret)
        client.ask("private", room="plans")
        client.join("Anna", "plans", secret=secret)
        token = client.ask("invite", room="plans")["token"]
    for url in server.urls:
        there = ("--url", url, "--room", "plans")
        anna.run("send", *there, "--name", "Anna", "a cake").assert_well()
        assert anna.run("tail", *there, "-n", "1").assert_well().endswith("] Anna: a cake\n")
        for command in (("tail",), ("send", "--name", "Eve", "hi")):
            eve.run(*command, *there).assert_one_clear_line(4, "besedka: The room plans is private")
    eve.run("send", "--url", f"{server.url()}#plans;invite={token}", "--name", "Eve", "hi").assert_well()
    assert eve.run("tail", "--url", f"{server.url()}#plans").assert_well().endswith("] Eve: hi\n")


def test_a_link_that_makes_one_somebody_is_not_for_a_script(people: list[Person]) -> None:
    for command in (("send", "hello"), ("tail",)):
        refused = people[0].run(*command, "--url", "http://localhost:1/#;device=x;name=Anna")
        assert refused.status == 2
        assert "open it with besedka chat" in refused.stderr
