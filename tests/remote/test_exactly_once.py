"""Whatever happens to a connection and to a server, each message of each room is stored once and received once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from besedka.remote.chat_connection import ChatConnection
from besedka.remote.room.events import ReceivedMessage
from besedka.remote.room.membership import Membership
from tests import looping
from tests.lengths import often
from tests.remote.fakes import ModelServer

ROOMS = ("a", "b", "c")
TEXTS = ("same", "same", "other")
"""Few, so that the same words come again and again."""

ACTIONS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(ROOMS), st.sampled_from(TEXTS)),
    st.tuples(st.just("post"), st.sampled_from(ROOMS), st.sampled_from(TEXTS)),
    st.tuples(st.just("work"), st.integers(1, 8)),
    st.tuples(st.just("deliver"), st.integers(1, 8)),
    st.tuples(st.sampled_from(["cut", "restart", "wait"])),
)

MOMENT_SECONDS = 0.01
LONG_SECONDS = 600


class _Program:
    """A program in some rooms, and what it has said and received there."""

    def __init__(self, server: ModelServer, connection: ChatConnection) -> None:
        self._server = server
        self._connection = connection
        self.said: dict[str, list[str]] = {room: [] for room in ROOMS}
        self.received: dict[str, list[tuple[int, str]]] = {room: [] for room in ROOMS}
        self._memberships = {room: connection.join(room, "Anna", since=0) for room in ROOMS}
        self._reading = [asyncio.create_task(self._read(one)) for one in self._memberships.values()]

    async def _read(self, membership: Membership) -> None:
        async for event in membership.events():
            if isinstance(event, ReceivedMessage):
                self.received[membership.room].append((event.id, event.text))

    async def do(self, action: tuple[object, ...]) -> None:
        match action:
            case ("say", str(room), str(text)):
                self.said[room].append(text)
                self._memberships[room].say(text)
            case ("post", str(room), str(text)):
                self._server.post(room, "Boris", text)
            case ("work", int(frames)):
                self._server.work(frames)
            case ("deliver", int(frames)):
                self._server.deliver(frames)
            case ("cut",):
                self._server.cut()
            case ("restart",):
                self._server.restart()
            case _:
                await asyncio.sleep(1)
        await asyncio.sleep(MOMENT_SECONDS)

    async def calm_down(self) -> None:
        """Let the server work and tell until nothing waits."""
        async with asyncio.timeout(LONG_SECONDS):
            while True:
                for _ in range(20):
                    self._server.work(100)
                    self._server.deliver(100)
                    await asyncio.sleep(MOMENT_SECONDS)
                if self._is_calm:
                    return
                await asyncio.sleep(1)

    @property
    def _is_calm(self) -> bool:
        waits = any(membership.waiting for membership in self._memberships.values())
        return not waits and all(
            membership.cursor[0] == len(self._server.log(room))
            for room, membership in self._memberships.items()
        )

    async def end(self) -> None:
        for membership in self._memberships.values():
            await membership.leave()
        await asyncio.gather(*self._reading)


async def _live(actions: Iterable[tuple[object, ...]]) -> None:
    server = ModelServer()
    async with ChatConnection("ws://nowhere/ws", open_transport=server.open) as connection:
        program = _Program(server, connection)
        # It has been in once: what fails before that is told, and not tried again.
        await program.calm_down()
        for action in actions:
            await program.do(action)
        await program.calm_down()
        await program.end()
    for room in ROOMS:
        log = server.rooms[room].log
        assert [text for user, text in log if user == "Anna"] == program.said[room]
        assert program.received[room] == [(number, text) for number, (_, text) in enumerate(log, 1)]


@often(100)
@given(st.lists(ACTIONS, max_size=40))
def test_messages_are_stored_and_received_once_and_in_order(actions: list[tuple[object, ...]]) -> None:
    looping.run_jumping(_live(actions))
