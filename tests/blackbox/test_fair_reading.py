"""Pages of the log for a crowd: an address gets its share, and the rest when it may have more, and others do not wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.clocks import BENT, Clocks
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient

MANY = 60
MESSAGES = 500
LOG = "".join(f"[2025-01-01 00:00:00] Old: message {number}\n" for number in range(MESSAGES))
CROWD, OTHER = ("127.0.0.2", 0), ("127.0.0.3", 0)


@pytest.fixture
def server(make_server: ServerMaker, clock: Clocks) -> RunningServer:
    """A server whose clock stands still: nobody may have more than at once."""
    clock.stand_still()
    options = ("--rate-address", "100")
    server = make_server(*options, module=BENT, OWN_ADDRESS="none", **clock.environment)
    server.history.write_text(LOG)
    return server


def page(client: WireClient, room: str) -> list[str]:
    """Ask for the page before the last ten messages."""
    client.send_frame("history", room=room, before=MESSAGES - 9, limit=10)
    messages: list[str] = client.receive_until(
        lambda frame: frame["type"] == "history" and "before" in frame
    )[-1]["messages"]
    return messages


@pytest.fixture
def connect(server: RunningServer) -> Iterator[Callable[[tuple[str, int]], WireClient]]:
    """Opens connections from an address. They end without a farewell, which the server may have no time to read."""
    with ExitStack() as open_ones:

        def open_one(source: tuple[str, int]) -> WireClient:
            client = WireClient(server, source_address=source)
            open_ones.callback(client.abort)
            return client

        yield open_one


Connect = Callable[[tuple[str, int]], WireClient]


def test_pages_for_a_crowd_at_one_address_keep_no_other_waiting(
    server: RunningServer, clock: Clocks, connect: Connect
) -> None:
    server.start()
    other, *crowd = connect(OTHER), *(connect(CROWD) for _ in range(MANY))
    for client in (other, *crowd):
        client.join(None)
        client.receive("history")  # the last messages
    for client in crowd:
        client.send_frame("history", room="main", before=MESSAGES + 1, limit=MESSAGES)
    for _ in range(10):
        assert len(page(other, "main")) == 10
    waiting = [client for client in crowd if client.receives_nothing()]
    assert 0 < len(waiting) < len(crowd)
    for client in waiting:
        clock.jump(0.5)
        assert len(client.receive("history")["messages"]) == MESSAGES
