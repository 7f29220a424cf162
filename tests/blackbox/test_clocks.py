"""The wall clock of the server is wrong, or is set: nobody's name, and nothing that was promised for a time, is lost by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import Frame, Talker

ANNA, BORIS, EVE = "a" * 64, "b" * 64, "e" * 64
HOUR, DAY = 3600, 24 * 3600
BANNED = 4005
PATIENCE_SECONDS = 15


class WallClock:
    """The clock of a `tests.clocked_server`.

    Args:
        directory: where its file is.
    """

    def __init__(self, directory: Path) -> None:
        self.file = directory / "clock"
        self.set_ahead(0)

    def set_ahead(self, seconds: float) -> None:
        """Set it ahead of the true time by so many seconds; for a server that runs as well."""
        new = self.file.with_suffix(".new")
        new.write_text(str(seconds), encoding="utf-8")
        new.replace(self.file)


@pytest.fixture
def clock(tmp_path_factory: pytest.TempPathFactory) -> WallClock:
    """A clock that is right so far."""
    return WallClock(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def server(make_server: Callable[..., RunningServer], clock: WallClock) -> RunningServer:
    """A server that goes by it."""
    return make_server("--lang", "en", module="tests.clocked_server", CLOCK=str(clock.file)).start()


@pytest.fixture
def people(server: RunningServer) -> Iterator[tuple[Talker, Talker]]:
    """Anna and Boris, who are there."""
    with Talker(server) as anna, Talker(server) as boris:
        anna.join("Anna", secret=ANNA)
        boris.join("Boris", secret=BORIS)
        yield anna, boris


def test_a_start_with_a_wrong_clock_sets_no_name_free(server: RunningServer, clock: WallClock) -> None:
    with Talker(server) as anna, Talker(server) as boris:
        anna.join("Anna", secret=ANNA)
        boris.join("Boris", secret=EVE)
    clock.set_ahead(400 * DAY)
    for _ in range(2):
        server.stop()
        server.start()
        with Talker(server) as eve:
            assert eve.refused("join", user="Anna", secret=EVE) == "name_claimed"
            assert eve.join("Boris", secret=EVE)["user"] == "Boris"
        clock.set_ahead(0)
    assert "is free" not in server.errors


def test_mutes_and_bans_are_in_force_again_when_the_clock_is_right(
    server: RunningServer, clock: WallClock, people: tuple[Talker, Talker]
) -> None:
    anna, boris = people
    with Operator(server) as operator, Talker(server) as eve:
        operator.do("mute", "Boris", seconds=HOUR)
        operator.do("ban", "Eve", seconds=HOUR)
        noticed(server, clock, 2 * HOUR)
        eve.join("Eve", secret=EVE)
        boris.tell("chat", text="free")
        # What was ended by that clock alone is not thrown away by whatever is done meanwhile.
        operator.do("mute", "Anna", seconds=60)
        clock.set_ahead(0)
        assert eve.ending()[0] == BANNED
        for ahead in (0, -DAY):
            clock.set_ahead(ahead)
            assert boris.refused("chat", text="muted") == "muted"
            with Talker(server) as banned:
                assert banned.refused("join", user="Eve", secret=EVE) == "banned"
    assert anna.hear("chat")["text"] == "free"


def test_invitations_can_be_used_again_when_the_clock_is_right(
    server: RunningServer, clock: WallClock, people: tuple[Talker, Talker]
) -> None:
    anna, boris = people
    anna.ask("private", room="plans")
    token = anna.ask("invite", room="plans", seconds=HOUR)["token"]
    clock.set_ahead(2 * HOUR)
    assert boris.refused("join", user="Boris", room="plans", secret=BORIS, invite=token) == "bad_link"
    anna.ask("invite", room="plans", seconds=HOUR)
    clock.set_ahead(-DAY)
    assert boris.join("Boris", "plans", secret=BORIS, invite=token)["room"] == "plans"
    clock.set_ahead(2 * HOUR)
    with Talker(server) as phone:
        assert phone.join("Boris", "plans", secret=BORIS)["kind"] == "private"


def test_what_goes_by_the_monotonic_clock_does_not_notice(
    server: RunningServer, clock: WallClock, people: tuple[Talker, Talker]
) -> None:
    anna, boris = people
    with Operator(server) as operator, Talker(server) as phone:
        operator.do("slow", room="main", seconds=60)
        boris.tell("chat", text="one")
        token = anna.ask("add_device", user="Anna", secret=ANNA)["token"]
        anna.join("Anna", "dev", secret=ANNA)
        boris.join("Boris", "dev", secret=BORIS)
        for ahead in (400 * DAY, -400 * DAY):
            clock.set_ahead(ahead)
            refusal = told_why(boris, "chat", room="main", text="two")
            assert refusal["code"] == "too_fast"
            assert 0 < refusal["retry_after"] <= 60
            # Who has spoken may type again; rates have not run dry, and nobody was silent for too long.
            anna.tell("chat", room="dev", text=str(ahead))
            anna.tell("typing", room="dev")
            awaited = {str(ahead), "typing"}
            while awaited:
                frame = boris.hear()
                awaited -= {frame["type"], frame.get("text")}
        assert phone.ask("take_device", token=token)["user"] == "Anna"


def test_messages_keep_their_order_and_are_known_again(
    server: RunningServer, clock: WallClock, people: tuple[Talker, Talker]
) -> None:
    anna, boris = people
    for number, ahead in enumerate((0, 400 * DAY, -400 * DAY), 1):
        clock.set_ahead(ahead)
        anna.tell("chat", text=str(number), key=f"k{number}")
        assert boris.hear("chat")["id"] == number
    for number in (1, 2, 3):
        anna.tell("chat", text=str(number), key=f"k{number}", after=0)
    server.stop()
    server.start()
    with Talker(server) as again:
        again.join("Anna", secret=ANNA, since=0)
        page = again.hear("history")
        assert [line.rpartition(" ")[2] for line in page["messages"]] == ["1", "2", "3"]
        again.tell("chat", text="2", key="k2", after=0)
        assert again.hear("chat")["id"] == 2


def told_why(talker: Talker, kind: str, **fields: object) -> Frame:
    talker.tell(kind, **fields)
    return talker.hear("error")


def noticed(server: RunningServer, clock: WallClock, ahead: float) -> None:
    """Set the clock, and wait until the server tells that it was set."""
    told = server.errors.count("the clock was set")
    clock.set_ahead(ahead)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.errors.count("the clock was set") == told:
        assert time.monotonic() < deadline, server.errors
        time.sleep(0.02)
