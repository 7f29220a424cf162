"""One connection for many rooms, over transports that do what a test wants, by a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from besedka import connect
from besedka.remote import transport as transport_module
from besedka.remote.backoff import SHORTEST_HOLD_SECONDS
from besedka.remote.chat_connection import ROOMS_AT_MOST, ChatConnection
from besedka.remote.errors import (
    ConnectionFailed,
    Expelled,
    JoinRefused,
    NotConnected,
    RemoteError,
    RequestRefused,
    TransportClosed,
)
from besedka.remote.pending_joins import ANSWER_SECONDS, JOINS_AT_ONCE
from besedka.remote.room import event_queue
from besedka.remote.room.event_queue import EVENTS_AT_MOST
from besedka.remote.room.events import Away, Event, ReceivedMessage, Reset
from besedka.remote.room.membership import Membership, MembershipState
from besedka.remote.room.outbox import IN_FLIGHT_AT_MOST
from besedka.remote.room.read_mark import SEND_SECONDS
from besedka.serve.session import chat_session
from besedka.wire.frames import (
    Chat,
    Error,
    Found,
    History,
    Join,
    Leave,
    ListHistory,
    ListRooms,
    MarkRead,
    Redacted,
    RoomOpened,
    Rooms,
    Say,
    Search,
    ServerFrame,
    Typing,
    Welcome,
)
from tests import looping
from tests.remote.fakes import FakeNetwork, FakeTransport, lost, welcome

MOMENT_SECONDS = 0.01
"""By the clock that jumps: everything that is not waited for has been done by then."""

RECONNECT_SECONDS = 2
"""After a first loss a client is back within a second."""

AN_HOUR_SECONDS = 3600

Scenario = Callable[[ChatConnection, FakeNetwork], Coroutine[Any, Any, None]]


def run(scenario: Scenario) -> None:
    """Run a scenario with a connection that is closed at its end."""

    async def bounded() -> None:
        network = FakeNetwork()
        async with (
            asyncio.timeout(AN_HOUR_SECONDS),
            ChatConnection("ws://nowhere/ws", open_transport=network.open) as connection,
        ):
            await scenario(connection, network)

    looping.run_jumping(bounded())


async def settle() -> None:
    await asyncio.sleep(MOMENT_SECONDS)


async def collect(membership: Membership) -> list[Event]:
    """The events until a room is left, or its failure."""
    return [event async for event in membership.events()]


def chat(number: int, text: str = "x", room: str = "main", *, user: str = "Boris", key: str = "") -> Chat:
    return Chat(room, number, user, text, "12:00:00", 0, key)


def joins(transport: FakeTransport) -> list[str]:
    return [frame.room for frame in transport.sent if isinstance(frame, Join)]


def texts(transport: FakeTransport) -> list[tuple[str, str]]:
    return [(frame.room, frame.text) for frame in transport.sent if isinstance(frame, Say)]


async def has_failed(membership: Membership) -> RemoteError:
    with pytest.raises(RemoteError) as failed:
        await collect(membership)
    return failed.value


# Coming back.


def test_a_message_that_was_in_flight_is_resent_with_what_the_log_held_when_it_was_posted() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        network.visits[0].deliver(welcome(7))
        await settle()
        room.say("hello")
        await settle()
        network.visits[0].close()
        await asyncio.sleep(RECONNECT_SECONDS)
        network.visits[1].deliver(welcome(7))
        await settle()
        join, resent = network.visits[1].sent
        assert isinstance(join, Join)
        assert isinstance(resent, Say)
        # Somebody of our name may have said the same among the seven.
        assert resent.after == 7

    run(scenario)


def test_messages_in_flight_are_resent_when_the_log_is_replaced() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        transport = network.visits[0]
        transport.deliver(welcome(7))
        await settle()
        room.say("one")
        room.say("two")
        await settle()
        # Both were stored, and the log was replaced before they came back.
        transport.deliver(msgspec.structs.replace(welcome(0), epoch="another", reset=True))
        await asyncio.sleep(SHORTEST_HOLD_SECONDS + MOMENT_SECONDS)
        keys = [frame.key for frame in transport.sent if isinstance(frame, Say)]
        assert len(keys) == 4
        assert keys[2:] == keys[:2]

    run(scenario)


def test_what_waited_in_another_membership_is_resent_first() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        left = [Say("one", key="a", after=3), Say("two", key="b", after=4)]
        room = connection.join("main", "Anna", unsent=left)
        room.say("three")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(9))
        await settle()
        assert transport.sent[1:3] == left
        assert room.unsent[:2] == left
        for number, frame in enumerate(room.unsent, 10):
            transport.deliver(chat(number, frame.text, user="Anna", key=frame.key))
        await settle()
        assert (room.waiting, room.unsent) == (0, [])

    run(scenario)


def test_each_room_reads_on_from_its_own_cursor_after_a_loss() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        rooms = [connection.join(name, "Anna", since=since) for name, since in (("a", None), ("b", 3))]
        await settle()
        network.visits[0].deliver(welcome(0, "a"), welcome(5, "b", epoch="other"))
        network.visits[0].deliver(chat(1, room="a"), chat(2, room="a"), chat(4, room="b"))
        await settle()
        network.visits[0].close()
        await asyncio.sleep(RECONNECT_SECONDS)
        again = {frame.room: frame for frame in network.visits[1].sent if isinstance(frame, Join)}
        assert (again["a"].since, again["a"].epoch) == (2, "epoch")
        assert (again["b"].since, again["b"].epoch) == (4, "other")
        assert [room.cursor for room in rooms] == [(2, "epoch"), (4, "other")]

    run(scenario)


def test_a_hundred_rooms_are_joined_a_few_at_a_time_those_that_are_seen_first() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        for number in range(ROOMS_AT_MOST):
            connection.join(f"r{number:02}", "Anna", quiet=number % 2 == 0)
        await settle()
        (transport,) = network.visits
        answered = 0
        while answered < ROOMS_AT_MOST:
            sent = joins(transport)
            assert len(sent) <= answered + JOINS_AT_ONCE
            transport.deliver(welcome(room=sent[answered]))
            answered += 1
            await settle()
        in_order = [connection_room.room for connection_room in connection.rooms]
        assert joins(transport) == in_order[1::2] + in_order[::2]

    run(scenario)


def test_as_many_rooms_as_the_server_allows() -> None:
    assert ROOMS_AT_MOST == chat_session.ROOMS_OF_ONE_AT_MOST


def test_outboxes_take_turns_and_share_what_may_be_in_flight() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        rooms = [connection.join(name, "Anna") for name in "abc"]
        for room in rooms:
            for number in range(IN_FLIGHT_AT_MOST):
                room.say(f"{number}")
        await settle()
        (transport,) = network.visits
        transport.deliver(*(welcome(room=name) for name in "abc"))
        await settle()
        sent = texts(transport)
        assert len(sent) == IN_FLIGHT_AT_MOST
        assert {room: [text for of, text in sent if of == room] for room in "abc"} == {
            name: [f"{number}" for number in range(count)]
            for name, count in (("a", 11), ("b", 11), ("c", 10))
        }
        of_a = [frame for frame in transport.sent if isinstance(frame, Say) and frame.room == "a"]
        transport.deliver(
            *(
                chat(number, frame.text, "a", user="Anna", key=frame.key)
                for number, frame in enumerate(of_a, 1)
            )
        )
        await settle()
        assert len(texts(transport)) == IN_FLIGHT_AT_MOST + len(of_a)
        in_flight_of_b = rooms[1].in_flight
        await rooms[1].leave()
        await settle()
        assert len(texts(transport)) == IN_FLIGHT_AT_MOST + len(of_a) + in_flight_of_b

    run(scenario)


def test_a_server_that_does_not_answer_a_join_is_given_up() -> None:
    async def scenario(connection: ChatConnection, _: FakeNetwork) -> None:
        began = asyncio.get_running_loop().time()
        failure = await has_failed(connection.join("main", "Anna"))
        assert isinstance(failure, ConnectionFailed)
        assert "it does not answer" in str(failure)
        assert asyncio.get_running_loop().time() - began == pytest.approx(ANSWER_SECONDS)

    run(scenario)


def test_an_answer_that_waits_for_a_program_that_does_not_read_is_not_overdue() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        slow = connection.join("slow", "Anna")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(room="slow"))
        transport.deliver(*(chat(number, room="slow") for number in range(1, EVENTS_AT_MOST + 10)))
        await settle()
        late = connection.join("late", "Anna")
        await asyncio.sleep(10 * ANSWER_SECONDS)
        transport.deliver(welcome(room="late"))
        events = slow.events()
        async for event in events:
            if isinstance(event, ReceivedMessage) and event.id == EVENTS_AT_MOST + 9:
                break
        await settle()
        assert late.state is MembershipState.IN
        assert len(network.visits) == 1

    run(scenario)


def test_a_room_that_nobody_reads_holds_the_connection_up_until_it_is_left() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        unread, other = connection.join("unread"), connection.join("other")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(room="unread"), welcome(room="other"))
        transport.deliver(*(chat(number, room="unread") for number in range(1, EVENTS_AT_MOST + 1)))
        transport.deliver(chat(1, room="other"))
        await settle()
        assert other.cursor[0] == 0
        await unread.leave()
        await settle()
        assert other.cursor[0] == 1

    run(scenario)


def test_rooms_of_which_none_is_full_hold_the_connection_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_queue, "EVENT_BYTES_OF_CONNECTION_AT_MOST", 100_000)

    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        rooms = [connection.join(f"unread{number}") for number in range(JOINS_AT_ONCE)]
        await settle()
        (transport,) = network.visits
        transport.deliver(*(welcome(room=room.room) for room in rooms))
        transport.deliver(*(chat(number, room=room.room) for room in rooms for number in range(1, 101)))
        await settle()
        assert rooms[0].cursor[0] == 100
        assert rooms[-1].cursor[0] == 0
        for room in rooms[:-1]:
            await room.leave()
        await settle()
        assert rooms[-1].cursor[0] == 100

    run(scenario)


def test_a_connection_without_rooms_is_not_made_again_until_one_is_joined() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        network.visits[0].deliver(welcome())
        await settle()
        await room.leave()
        network.visits[0].close()
        await asyncio.sleep(600)
        assert len(network.visits) == 1
        connection.join("main", "Anna")
        await settle()
        assert joins(network.visits[1]) == ["main"]

    run(scenario)


# Joining and leaving.


def test_rooms_are_joined_and_left_at_any_time_and_frames_of_rooms_that_were_left_are_ignored() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        a = connection.join("a", "Anna")
        of_a = asyncio.ensure_future(collect(a))
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(room="a"))
        b = connection.join("b", "Anna")
        await settle()
        await a.leave()
        transport.deliver(chat(1, room="a"), welcome(room="b"), chat(1, room="b"), Typing("a", "Boris"))
        await settle()
        assert await of_a == [welcome(room="a")]
        assert b.cursor == (1, "epoch")
        assert transport.sent[-1] == Leave("a")
        assert [room.room for room in connection.rooms] == ["b"]
        with pytest.raises(NotConnected, match="left"):
            await a.say("too late")

    run(scenario)


def test_a_room_that_is_left_and_joined_again_does_not_take_frames_of_before_for_its_own() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        quiet = connection.join("a", quiet=True)
        await settle()
        (transport,) = network.visits
        await quiet.leave()  # before the join is answered
        seen = connection.join("a", "Anna", since=0)
        await settle()
        transport.deliver(welcome(3, "a", user=""), chat(4, room="a"))
        await settle()
        assert (seen.state, seen.cursor[0]) == (MembershipState.JOINING, 0)
        lines = [f"[2026-01-01 12:00:00] B: {number}" for number in range(1, 5)]
        transport.deliver(welcome(4, "a"), History("a", 1, lines))
        await settle()
        assert (seen.state, seen.cursor[0]) == (MembershipState.IN, 4)

    run(scenario)


def test_a_room_is_joined_once_by_whatever_spelling() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        connection.join("Plans")
        with pytest.raises(JoinRefused) as refused:
            connection.join("plans", "Anna")
        assert refused.value.code == "already_joined"
        await settle()
        assert joins(network.visits[0]) == ["plans"]

    run(scenario)


def test_an_invitation_is_shown_once() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        connection.join("main", "Anna", invite="token")
        await settle()
        network.visits[0].deliver(welcome())
        network.visits[0].close()
        await asyncio.sleep(RECONNECT_SECONDS)
        shown = [frame.invite for visit in network.visits for frame in visit.sent if isinstance(frame, Join)]
        assert shown == ["token", ""]

    run(scenario)


def test_a_new_name_is_taken_in_place_from_the_cursor_on_and_nothing_is_missed_meanwhile() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna", secret="hers")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(), chat(1))
        await settle()
        renaming = asyncio.ensure_future(room.rename("Bea", secret="hers too"))
        await settle()
        (join,) = transport.sent[1:]
        assert join == Join("Bea", "main", since=1, epoch="epoch", secret="hers too", rename=True)
        transport.deliver(chat(2))
        room.say("as Bea")
        await settle()
        assert transport.sent[-1] == join
        transport.deliver(welcome(2, user="Bea"), chat(2))
        await renaming
        await settle()
        assert room.state is MembershipState.IN
        assert isinstance(transport.sent[-1], Say)
        assert room.cursor[0] == 2

    run(scenario)


def test_another_spelling_of_the_name_is_taken_by_leaving_and_joining() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(), chat(1))
        await settle()
        renaming = asyncio.ensure_future(room.rename("ANNA"))
        await settle()
        left, join = transport.sent[1:]
        assert left == Leave("main")
        assert join == Join("ANNA", "main", since=1, epoch="epoch")
        transport.deliver(welcome(1, user="ANNA"))
        await renaming
        assert room.state is MembershipState.IN

    run(scenario)


def test_a_person_who_is_removed_while_their_name_changes_is_out() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("plans", "Anna")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(room="plans"))
        await settle()
        renaming = asyncio.ensure_future(room.rename("Bea"))
        await settle()
        transport.deliver(Error("not_invited", "you are out", "", room="plans"))
        with pytest.raises(JoinRefused, match="you are out"):
            await renaming
        assert room.state is MembershipState.ENDED

    run(scenario)


def test_a_name_that_changes_when_the_connection_is_lost_is_taken_on_the_next_one() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        network.visits[0].deliver(welcome())
        await settle()
        renaming = asyncio.ensure_future(room.rename("Bea"))
        await settle()
        network.visits[0].close()
        await asyncio.sleep(RECONNECT_SECONDS)
        assert network.visits[1].sent == [Join("Bea", "main", since=0, epoch="epoch")]
        network.visits[1].deliver(welcome(user="Bea"))
        await renaming
        assert (room.user, room.state) == ("Bea", MembershipState.IN)

    run(scenario)

    run(scenario)


def test_a_new_name_that_is_refused_leaves_the_old_one() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna", secret="hers")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome())
        await settle()
        renaming = asyncio.ensure_future(room.rename("Boris"))
        await settle()
        transport.deliver(Error("name_claimed", "it is his", "", room="main"))
        with pytest.raises(JoinRefused, match="it is his"):
            await renaming
        await settle()
        assert [type(frame) for frame in transport.sent] == [Join, Join]
        assert (room.user, room.state) == ("Anna", MembershipState.IN)

    run(scenario)


@pytest.mark.parametrize("is_in_flight", [False, True])
def test_a_message_that_is_too_fast_and_discarded_does_not_block_the_others(is_in_flight: bool) -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna", secret="hers")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(), chat(1))
        await settle()
        outcome = room.say("one")
        room.say("two")
        await settle()
        one, two = transport.sent[1:]
        assert isinstance(one, Say)
        too_fast = Error("too_fast", "", "", one.key, "main", 600.0)
        if is_in_flight:
            room.discard(one.key)
            transport.deliver(too_fast)
        else:
            transport.deliver(too_fast)
            await settle()
            room.discard(one.key)
        await settle()
        assert outcome.cancelled()
        assert transport.sent[3:] == [
            Join("Anna", "main", since=1, epoch="epoch", secret="hers", rename=True)
        ]
        transport.deliver(welcome(1))
        await settle()
        assert transport.sent[4:] == [two]

    run(scenario)


def test_a_name_is_not_changed_while_messages_wait() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        with pytest.raises(NotConnected):
            await room.rename("Bea")
        await settle()
        network.visits[0].deliver(welcome())
        await settle()
        room.say("by whom?")
        with pytest.raises(ValueError, match="1 messages wait"):
            await room.rename("Bea")

    run(scenario)


# Refusals.


def test_a_refusal_of_one_room_leaves_the_others_untouched() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        open_room, private = connection.join("open", "Anna"), connection.join("private", "Anna")
        events = asyncio.ensure_future(collect(open_room))
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(room="open"), Error("not_invited", "not invited", "", room="private"))
        failure = await has_failed(private)
        assert isinstance(failure, JoinRefused)
        assert failure.code == "not_invited"
        transport.deliver(chat(1, room="open"))
        await settle()
        await open_room.leave()
        assert [type(event) for event in await events] == [Welcome, ReceivedMessage]

    run(scenario)


def test_a_reader_whose_room_was_closed_returns_later_and_reads_on_while_the_others_go_on() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room, other = connection.join("dev", ""), connection.join("main", "")
        await settle()
        transport = network.visits[0]
        transport.deliver(welcome(7, room="dev"), welcome(room="main"), chat(8, "eight", "dev"))
        events, others = room.events(), other.events()
        for _ in range(2):
            await anext(events)
        transport.deliver(Error("too_many_rooms", "too many rooms", "", "", "dev", 30.0))
        assert await anext(events) == Away(30.0)
        assert joins(transport) == ["dev", "main"]
        await asyncio.sleep(31)
        assert joins(transport) == ["dev", "main", "dev"]
        (again,) = [frame for frame in transport.sent if isinstance(frame, Join)][2:]
        assert again.since == 8
        transport.deliver(welcome(8, room="dev"), chat(1, "one"))
        assert isinstance(await anext(events), Welcome)
        assert isinstance(await anext(others), Welcome)
        assert (await anext(others)).text == "one"  # type: ignore[union-attr]
        assert len(network.visits) == 1

    run(scenario)


def test_a_room_that_cannot_be_joined_again_now_is_tried_later_while_the_others_go_on() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        a, b = connection.join("a", "Anna"), connection.join("b", "Anna")
        await settle()
        network.visits[0].deliver(welcome(room="a"), welcome(room="b"))
        await settle()
        network.visits[0].close()
        await asyncio.sleep(RECONNECT_SECONDS)
        transport = network.visits[1]
        # The server still sees us on the connection that was lost.
        transport.deliver(Error("name_taken", "in use", "", room="a"), welcome(room="b"))
        await settle()
        assert (a.state, b.state) == (MembershipState.WAITING, MembershipState.IN)
        await asyncio.sleep(2)
        transport.deliver(welcome(room="a"))
        await settle()
        assert a.state is MembershipState.IN
        assert len(network.visits) == 2
        await a.leave()
        assert [type(event) for event in await collect(a)] == [Welcome, Away, Away, Welcome]

    run(scenario)


@pytest.mark.parametrize(
    ("code", "is_in", "error"),
    [
        ("banned", True, Expelled),
        ("banned", False, Expelled),
        ("not_known", False, Expelled),
        ("name_claimed", False, JoinRefused),
        ("not_invited", True, JoinRefused),
        ("not_invited", False, JoinRefused),
    ],
)
def test_a_member_who_is_not_admitted_any_more_does_not_reconnect_for_ever(
    code: str, is_in: bool, error: type[JoinRefused | Expelled]
) -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        network.visits[0].deliver(welcome())
        if not is_in:
            network.visits[0].close()
            await asyncio.sleep(RECONNECT_SECONDS)
        network.visits[-1].deliver(Error(code, "why", "", room="main"))
        failure = await has_failed(room)
        assert isinstance(failure, error)
        assert (failure.code, failure.text, str(failure)) == (code, "why", f"why ({code})")
        await asyncio.sleep(600)
        assert len(network.visits) == (1 if is_in else 2)

    run(scenario)


@pytest.mark.parametrize(
    ("ending", "error", "code"),
    [
        (TransportClosed("kicked out", reconnect=False, code="kicked"), Expelled, "kicked"),
        (TransportClosed("no key", reconnect=False, code="no_access"), JoinRefused, "no_access"),
        (TransportClosed("goodbye", reconnect=False), ConnectionFailed, ""),
    ],
)
def test_a_connection_that_is_ended_for_good_ends_all_its_rooms(
    ending: TransportClosed, error: type[RemoteError], code: str
) -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        rooms = [connection.join("a", "Anna"), connection.join("b", "Anna")]
        await settle()
        network.visits[0].deliver(welcome(room="a"), welcome(room="b"))
        await settle()
        said = rooms[0].say("never stored")
        network.visits[0].close(ending)
        for room in [*rooms, connection.join("late")]:
            failure = await has_failed(room)
            assert isinstance(failure, error)
            assert getattr(failure, "code", "") == code
        with pytest.raises(error):
            await said
        with pytest.raises(error):
            await rooms[1].say("later")

    run(scenario)


def test_a_message_that_is_too_fast_holds_its_room_and_no_other() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        slow, other = connection.join("slow", "Anna"), connection.join("other", "Anna")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(room="slow"), welcome(room="other"))
        await settle()
        said = [slow.say("one"), slow.say("two")]
        await settle()
        keys = [frame.key for frame in transport.sent if isinstance(frame, Say)]
        for key in keys:
            transport.deliver(Error("too_fast", "wait", "", key, "slow", retry_after=5))
        await settle()
        other.say("at once")
        await settle()
        assert texts(transport)[2:] == [("other", "at once")]
        await asyncio.sleep(5)
        assert texts(transport)[3:] == [("slow", "one"), ("slow", "two")]
        for number, (key, text) in enumerate(zip(keys, ("one", "two"), strict=True), 1):
            transport.deliver(chat(number, text, "slow", user="Anna", key=key))
        assert await asyncio.gather(*said) == [1, 2]

    run(scenario)


# What is received.


@pytest.mark.parametrize(
    "frames",
    [
        [welcome(0), Chat("main", 1, "x", "x", "12:00:00", 10**18)],
        [welcome(0), Chat("main", 1, "x", "x", "12:00:00", -(10**11))],
        [msgspec.structs.replace(welcome(0), utc_offset=10**17), Chat("main", 1, "x", "x", "12:00:00", 0)],
        [welcome(0), History("main", 1, ["garbage"])],
        [welcome(0), History("main", 1, ["[2025-01-01 00:00:00] no colon"])],
    ],
)
def test_a_server_that_sends_nonsense_is_no_besedka(frames: list[ServerFrame]) -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        network.visits[0].deliver(*frames)
        failure = await has_failed(room)
        assert isinstance(failure, ConnectionFailed)
        assert "is not Besedka" in str(failure)

    run(scenario)


def test_an_error_of_our_own_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        monkeypatch.setattr(Membership, "_welcomed", lambda *_: 1 / 0)
        network.visits[0].deliver(welcome())
        with pytest.raises(ZeroDivisionError):
            await collect(room)

    run(scenario)


def test_a_log_that_was_replaced_is_read_anew_and_the_others_go_on() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        a, b = connection.join("a", "Anna"), connection.join("b", "Anna")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(5, "a"), welcome(5, "b"), chat(6, room="a"), chat(6, room="b"))
        transport.deliver(msgspec.structs.replace(welcome(1, "a", epoch="new"), reset=True))
        transport.deliver(chat(2, room="a"))
        await settle()
        assert (a.cursor, b.cursor) == ((2, "new"), (6, "epoch"))
        await a.leave()
        kinds = [type(event) for event in await collect(a)]
        assert kinds == [Welcome, ReceivedMessage, Welcome, Reset, ReceivedMessage]

    run(scenario)


def test_a_direct_room_that_opens_is_announced_in_all_rooms() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        rooms = [connection.join("a", "Anna"), connection.join("b", "Anna")]
        await settle()
        opened = RoomOpened("direct", kind=welcome().kind, peer="Boris")
        network.visits[0].deliver(welcome(room="a"), welcome(room="b"), opened)
        await settle()
        for room in rooms:
            await room.leave()
            assert (await collect(room))[-1] == opened

    run(scenario)


# Requests.


def test_requests_are_answered_by_their_keys() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        a, b = connection.join("a", "Anna"), connection.join("b", "Anna")
        await settle()
        (transport,) = network.visits
        with pytest.raises(NotConnected):
            await connection.requests.rooms()
        transport.deliver(welcome(9, "a"), welcome(9, "b"))
        await settle()
        lists = [asyncio.ensure_future(connection.requests.rooms()) for _ in range(2)]
        pages = [asyncio.ensure_future(room.history.page(3, 1)) for room in (a, b)]
        await settle()
        keys = [frame.key for frame in transport.sent if isinstance(frame, ListRooms)]
        asked = [frame for frame in transport.sent if isinstance(frame, ListHistory)]
        assert [(frame.room, frame.before, frame.limit) for frame in asked] == [("a", 4, 1), ("b", 4, 1)]
        transport.deliver(Error("too_fast", "later", "", keys[1]), Rooms([], keys[0]))
        for frame in reversed(asked):
            lines = [f"[2026-01-01 12:00:00] B: {frame.room}"]
            transport.deliver(History(frame.room, 3, lines, before=4, key=frame.key))
        assert await lists[0] == []
        with pytest.raises(RemoteError, match="later"):
            await lists[1]
        assert [[message.text for message in await page] for page in pages] == [["a"], ["b"]]

    run(scenario)


def test_requests_for_pages_with_one_begin_each_have_their_own_answer() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        connection.join("a", "Anna")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(9, "a"))
        await settle()
        requests = connection.requests
        pages = [
            asyncio.ensure_future(requests.page(ListHistory(before=4, room="a", limit=limit)))
            for limit in (1, 2, 1, 3)
        ]
        await settle()
        asked = [frame for frame in transport.sent if isinstance(frame, ListHistory)]
        assert [frame.limit for frame in asked] == [1, 2, 1, 3]
        *answered, refused = asked
        for frame in reversed(answered):
            lines = ["[2026-01-01 12:00:00] B: x"] * frame.limit
            # Of another page, and then the right one.
            transport.deliver(History("a", 1, lines, before=5, key=frame.key))
            transport.deliver(History("a", 4 - frame.limit, lines, before=4, key=frame.key))
        transport.deliver(Error("too_fast", "later", "", refused.key, "a", 1.5))
        assert [len((await page).messages) for page in pages[:3]] == [1, 2, 1]
        with pytest.raises(RequestRefused, match=r"^later \(too_fast\)$") as caught:
            await pages[3]
        assert caught.value.retry_after == 1.5

    run(scenario)


def test_requests_end_with_their_room_and_with_the_connection() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        a, b = connection.join("a", "Anna"), connection.join("b", "Anna")
        await settle()
        network.visits[0].deliver(welcome(9, "a"), welcome(9, "b"))
        await settle()
        of_a, of_b = (asyncio.ensure_future(room.history.page(3, 1)) for room in (a, b))
        searching = asyncio.ensure_future(b.history.search("x"))
        await settle()
        await a.leave()
        with pytest.raises(NotConnected, match="left"):
            await of_a
        network.visits[0].close()
        for request in (of_b, searching):
            with pytest.raises(NotConnected, match="lost"):
                await request
        with pytest.raises(NotConnected):
            await b.history.page(3, 1)

    run(scenario)


@pytest.mark.parametrize(
    "answer",
    [
        {"messages": ["[2025-01-01 00:00:00] B: x"], "ids": [], "before": 0},
        {"messages": ["garbage"], "ids": [1], "before": 0},
        {"messages": [], "ids": [], "before": 5},
    ],
)
def test_a_search_that_is_answered_with_nonsense_fails(answer: dict[str, Any]) -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        (transport,) = network.visits
        transport.deliver(welcome(9))
        await settle()
        searching = asyncio.ensure_future(room.history.search("x", before=5))
        await settle()
        search = transport.sent[-1]
        assert isinstance(search, Search)
        transport.deliver(Found(room="main", text="x", key=search.key, **answer))
        with pytest.raises(ConnectionFailed, match="is not Besedka"):
            await searching

    run(scenario)


# The client that programs use.


def test_a_message_that_is_redacted_before_it_was_read_is_read_as_it_is_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transport = FakeTransport()

    @asynccontextmanager
    async def open_fake(*_: str) -> AsyncIterator[FakeTransport]:
        yield transport

    monkeypatch.setattr(transport_module, "open_transport", open_fake)

    async def scenario() -> None:
        transport.deliver(welcome(), chat(1, "one"), chat(2, "two"), Redacted("main", 1, "(removed)"))
        async with connect("ws://nowhere", "Anna", secret="") as room:
            assert await anext(room.news()) == Redacted("main", 1, "(removed)")
            messages = room.follow()
            assert [(await anext(messages)).text for _ in range(2)] == ["(removed)", "two"]

    looping.run_jumping(scenario())


def test_a_connection_that_is_lost_before_anything_was_answered_has_failed() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        network.visits[0].close(lost())
        failure = await has_failed(room)
        assert isinstance(failure, ConnectionFailed)
        assert str(failure) == "cannot reach a chat at ws://nowhere/ws: the connection was lost"

    run(scenario)


# Read marks.


def test_marks_that_follow_closely_are_sent_as_one_and_the_last_before_the_room_is_left() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        network.visits[0].deliver(msgspec.structs.replace(welcome(9), read_up_to=0))
        await settle()
        sent = network.visits[0].sent
        room.mark_read(3)
        await settle()
        assert sent[1:] == [MarkRead(3)]
        room.mark_read(4)
        room.mark_read(5)
        await settle()
        assert sent[1:] == [MarkRead(3)]
        await asyncio.sleep(SEND_SECONDS)
        assert sent[1:] == [MarkRead(3), MarkRead(5)]
        room.mark_read(9)
        await room.leave()
        assert sent[3:] == [MarkRead(9), Leave()]

    run(scenario)


def test_a_mark_that_is_lost_with_the_connection_is_sent_on_the_next_one() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room = connection.join("main", "Anna")
        await settle()
        network.visits[0].deliver(msgspec.structs.replace(welcome(9), read_up_to=0))
        await settle()
        network.visits[0].close()
        room.mark_read(7)
        await asyncio.sleep(RECONNECT_SECONDS)
        network.visits[1].deliver(msgspec.structs.replace(welcome(9), read_up_to=2))
        await asyncio.sleep(SEND_SECONDS)
        assert network.visits[1].sent[1:] == [MarkRead(7)]
        assert room.read_up_to == 7

    run(scenario)
