"""The rooms that may be open are shared: by addresses and people; readers without a name make room; some are reserved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import grpc
import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.chat.open_rooms import RETURN_SECONDS
from tests.calling import Caller, refusal
from tests.clocks import BENT
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import Frame, WireClient

ALL, RESERVED, OF_ADDRESS, OF_UNVERIFIED, OF_PERSON = 20, 4, 15, 8, 5
KEYS = 20
TENANTS, OPEN_ROOMS = "besedka.serve.limits.room_shares", "besedka.serve.chat.open_rooms"
LIMITS = {
    f"{OPEN_ROOMS}.ROOMS_AT_MOST": ALL,
    f"{OPEN_ROOMS}.RESERVED_ROOMS": RESERVED,
    # What was just opened is not waited for.
    f"{OPEN_ROOMS}.GRACE_SECONDS": 0.05,
    "besedka.serve.room.dedup.KEYS_AT_MOST": KEYS,
    f"{TENANTS}.ROOMS_OF_ADDRESS": OF_ADDRESS,
    f"{TENANTS}.ROOMS_OF_UNVERIFIED": OF_UNVERIFIED,
    f"{TENANTS}.ROOMS_OF_PERSON": OF_PERSON,
}
EQUAL = (ALL - RESERVED) // 4
"""Rooms of each of four addresses that hold all that new rooms may have, so that none of them holds more than another."""

OWN = "127.0.0.1"


class Crowd:
    """Connections to one server, from several addresses.

    Attributes:
        filled: the rooms of `fill`, the oldest first.
    """

    def __init__(self, server: RunningServer, stack: ExitStack) -> None:
        self.server = server
        self._stack = stack
        self._names = count()
        self.filled: dict[WireClient, list[str]] = {}

    def come(self, address: str) -> WireClient:
        return self._stack.enter_context(WireClient(self.server, source_address=(address, 0)))

    def fill(self, address: str, rooms: int, *, named: bool = True, prefix: str = "r") -> WireClient:
        """Have somebody from an address be in so many rooms."""
        client = self.come(address)
        self.filled[client] = [f"{prefix}-{next(self._names)}-{number}" for number in range(rooms)]
        for room in self.filled[client]:
            answer = enter(client, room, "Mallory" + address[-1] if named else "")
            assert answer["type"] == "welcome", answer
        return client


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server with few rooms, and no limits of rates."""
    options = ("--lang", "en", "--rate", "0", "--rate-address", "0")
    bent: dict[str, str] = {"OWN_ADDRESS": OWN, "CONSTANTS": json.dumps(LIMITS)}
    return make_server(*options, module=BENT, grpc=True, **bent).start()


@pytest.fixture
def crowd(server: RunningServer) -> Iterator[Crowd]:
    with ExitStack() as stack:
        yield Crowd(server, stack)


def enter(client: WireClient, room: str, user: str = "", secret: str = "") -> Frame:
    """Enter a room; the welcome, or the refusal."""
    given: dict[str, Any] = {"room": room}
    given |= {"user": user} if user else {}
    given |= {"secret": secret} if secret else {}
    client.send_frame("join", **given)
    return client.receive_until(
        lambda frame: frame["type"] in {"welcome", "error"} and frame.get("room") == room
    )[-1]


def code(answer: Frame) -> str:
    return str(answer.get("code", ""))


@pytest.mark.parametrize("address", [OWN, "127.0.0.2"])
def test_one_address_does_not_lock_the_others_out(crowd: Crowd, address: str) -> None:
    first = crowd.fill(address, OF_UNVERIFIED)
    second = crowd.come(address)
    for client in (first, second):
        assert (
            code(enter(client, "one-more", "Mallory" + address[-1] if client is first else "Eve"))
            == "too_many_rooms"
        )
    # They may be in the rooms that they hold, by another connection, too.
    assert enter(second, "r-0-0", "Eve")["type"] == "welcome"
    anna = crowd.come("127.0.0.9")
    assert enter(anna, "one-more", "Anna")["type"] == "welcome"
    first.close()
    wait_until(lambda: enter(second, "another", "Eve")["type"] == "welcome")


def test_an_address_is_in_rooms_only_so_many_times_and_others_come_in(make_server: ServerMaker) -> None:
    """Each takes memory, though the rooms are few: a thousand connections could be in a hundred rooms each."""
    limits = json.dumps({f"{TENANTS}.SUBSCRIPTIONS_OF_ADDRESS": 12})
    options = ("--lang", "en", "--rate", "0", "--rate-address", "0")
    server = make_server(*options, module=BENT, grpc=True, OWN_ADDRESS="none", CONSTANTS=limits).start()
    with ExitStack() as stack:
        crowd = Crowd(server, stack)
        clients = [crowd.come("127.0.0.2") for _ in range(5)]
        answers = [enter(client, f"room-{number}") for client in clients for number in range(3)]
        assert list(map(code, answers)) == [""] * 12 + ["too_many_rooms"] * 3
        assert "be in rooms 12 times" in answers[-1]["text"]
        assert [enter(client, "main")["type"] for client in clients] == ["welcome"] * 5
        assert code(enter(clients[-1], "room-0", "Anna", "her secret")) == "too_many_rooms"
        assert code(enter(crowd.come("127.0.0.3"), "room-0")) == ""
        clients[0].send_frame("leave", room="room-0")
        wait_until(lambda: code(enter(clients[-1], "room-2")) == "")


def test_verified_people_have_shares_of_their_own_within_that_of_their_address(crowd: Crowd) -> None:
    crowd.fill("127.0.0.2", OF_UNVERIFIED)
    held = OF_UNVERIFIED
    for person in range(2):
        client = crowd.come("127.0.0.2")
        user, secret = f"Pupil{person}", f"secret {person}"
        enter(client, "main", user, secret)
        answers = [enter(client, f"p{person}-{number}", user, secret) for number in range(OF_PERSON)]
        allowed = min(OF_PERSON, OF_ADDRESS - held)
        held += allowed
        assert [answer["type"] for answer in answers] == ["welcome"] * allowed + ["error"] * (
            OF_PERSON - allowed
        )
    assert held == OF_ADDRESS
    # The share of a person is the same at all addresses.
    elsewhere = crowd.come("127.0.0.3")
    enter(elsewhere, "main", "Pupil0", "secret 0")
    assert code(enter(elsewhere, "one-more", "Pupil0", "secret 0")) == "too_many_rooms"
    assert enter(elsewhere, "p0-0", "Pupil0", "secret 0")["type"] == "welcome"


def test_rooms_with_nameless_readers_only_make_room_for_people_with_a_name(crowd: Crowd) -> None:
    readers, stranger, _ = (crowd.fill(f"127.0.0.{host}", EQUAL, named=False) for host in (2, 3, 4))
    anna = crowd.fill("127.0.0.5", EQUAL)
    assert code(enter(stranger, "nameless")) == "too_many_rooms"
    assert enter(anna, "annas", "Mallory5")["type"] == "welcome"
    removed = readers.receive("error")
    assert removed["code"] == "too_many_rooms"
    assert removed["room"].startswith("r-")
    assert removed["retry_after"] > 0
    readers.send_frame("leave", room=removed["room"])
    assert readers.receive("error")["code"] == "not_joined"
    # There is room again: the reader returns.
    anna.send_frame("leave", room="annas")
    wait_until(lambda: enter(readers, removed["room"])["type"] == "welcome")


def test_those_who_hold_all_rooms_make_room_for_those_who_hold_fewer(crowd: Crowd) -> None:
    many = [crowd.fill(f"127.0.0.{host}", OF_UNVERIFIED) for host in (2, 3)]
    for client in many:
        for room in crowd.filled[client]:
            client.send_frame("chat", text="kept", room=room, key="last")
            client.receive_until(lambda frame: frame.get("key") == "last")
    crowd.fill("127.0.0.4", ALL - 1 - 2 * OF_UNVERIFIED)
    anna, boris = crowd.come("127.0.0.8"), crowd.come("127.0.0.9")
    enter(anna, "main", "Anna", "Anna's secret")
    anna.ask("private", room="plans")
    for client, room, name, secret in (
        (anna, "plans", "Anna", "Anna's secret"),
        (anna, "new", "Anna", "Anna's secret"),
        (boris, "annas", "", ""),
        (boris, crowd.filled[many[0]][0], "", ""),
    ):
        assert enter(client, room, name, secret)["type"] == "welcome", room
    left = [frame for client in many for frame in waiting(client) if frame["type"] == "error"]
    assert left
    assert {(frame["code"], frame["retry_after"]) for frame in left} == {("too_many_rooms", RETURN_SECONDS)}
    # Boris is in a room of those who hold many: it is not closed, and nothing that was accepted is lost.
    assert crowd.filled[many[0]][0] not in {frame["room"] for frame in left}
    with Caller(crowd.server) as caller:
        for frame in left:
            assert [message.text for message in caller.messages(room=frame["room"], limit=9).messages] == [
                "kept"
            ]


def test_a_source_that_holds_as_many_as_the_others_closes_no_room_of_theirs(crowd: Crowd) -> None:
    many = [crowd.fill(f"127.0.0.{host}", OF_UNVERIFIED) for host in (2, 3)]
    anna = crowd.come("127.0.0.9")
    answers = [code(enter(anna, f"annas-{number}", "Anna")) for number in range(OF_UNVERIFIED)]
    # 16 rooms for three: 6, 5 and 5.
    assert answers == [""] * 5 + ["too_many_rooms"] * 3
    left = [frame for client in many for frame in waiting(client) if frame["type"] == "error"]
    assert len(left) == 5
    assert code(enter(many[0], left[0]["room"], "Mallory2")) == "too_many_rooms"


def test_people_with_names_keep_their_rooms_and_some_rooms_are_for_those_with_messages_and_members(
    crowd: Crowd,
) -> None:
    owner = crowd.come("127.0.0.8")
    enter(owner, "main", "Anna", "Anna's secret")
    owner.ask("private", room="plans")
    with Caller(crowd.server) as caller:
        for number in range(RESERVED + 1):
            caller.send("Boris", "hello", room=f"kept-{number}")
    crowd.server.stop()
    crowd.server.start()
    *clients, boris = (crowd.fill(f"127.0.0.{host}", EQUAL) for host in (2, 3, 4, 5))
    assert code(enter(boris, "new", "Mallory5")) == "too_many_rooms"
    for number in range(RESERVED - 2):
        assert enter(boris, f"kept-{number}", "Mallory5")["type"] == "welcome"
    owner = crowd.come("127.0.0.8")
    assert enter(owner, "plans", "Anna", "Anna's secret")["type"] == "welcome"
    assert code(enter(boris, f"kept-{RESERVED}", "Mallory5")) == "too_many_rooms"
    assert all("error" not in {frame["type"] for frame in waiting(client)} for client in clients)
    # All rooms are taken; the operator works on another one.
    with Operator(crowd.server) as operator:
        assert operator.do("redact", room=f"kept-{RESERVED}", id=1)


def waiting(client: WireClient) -> list[Frame]:
    """The frames that have come by now."""
    client.send_frame("rooms", key="last")
    return client.receive_until(lambda frame: frame.get("key") == "last")


def test_a_follower_over_grpc_makes_room_too(crowd: Crowd) -> None:
    with Caller(crowd.server) as caller:
        for number in range(RESERVED + 1):
            caller.send("Boris", "hello", room=f"kept-{number}")
        following = caller.stub.Follow(pb.FollowRequest(room="kept-0", since=0))
        assert next(following).started.room == "kept-0"
        *_, anna = (crowd.fill(f"127.0.0.{host}", EQUAL) for host in (2, 3, 4, 5))
        answers = [enter(anna, f"kept-{number}", "Mallory5") for number in range(1, RESERVED + 1)]
        assert [code(answer) for answer in answers] == ["", "", "", "too_many_rooms"]
        ended = refusal(lambda: [*following])
        assert (ended.code, ended.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "too_many_rooms")


def say(client: WireClient, room: str, text: str, key: str) -> Frame:
    """Post a message with a key; it as it comes back."""
    client.send_frame("chat", room=room, text=text, key=key)
    return client.receive_until(lambda frame: frame.get("key") == key)[-1]


def test_a_flood_of_keys_from_one_address_forgets_its_own_only(crowd: Crowd) -> None:
    anna = crowd.come("127.0.0.9")
    enter(anna, "quiet", "Anna")
    first = say(anna, "quiet", "pay Boris 5", "once")
    guests = [crowd.come("127.0.0.2") for _ in range(3)]
    for number, (guest, room) in enumerate(zip(guests, ("quiet", "another", "quiet"), strict=True)):
        enter(guest, room, f"Guest {number}")
        for post in range(KEYS):
            say(guest, room, "flood", f"{number}-{post}")
    assert say(anna, "quiet", "pay Boris 5", "once")["id"] == first["id"]
    # The guests' first keys are forgotten.
    assert say(guests[2], "quiet", "flood", "2-0")["id"] > first["id"] + 2 * KEYS


def test_a_flood_of_keys_under_many_names_from_one_address_forgets_its_own_only(crowd: Crowd) -> None:
    bot = crowd.come("127.0.0.9")
    enter(bot, "quiet", "Bot", "secret of the bot")
    first = [say(bot, "quiet", f"report {number}", f"once-{number}")["id"] for number in range(KEYS // 3)]
    for person in range(KEYS):
        guest = crowd.come("127.0.0.2")
        enter(guest, "quiet", f"Guest {person}", f"secret {person}")
        for post in range(2):
            say(guest, "quiet", "flood", f"{person}-{post}")
    again = [say(bot, "quiet", f"report {number}", f"once-{number}")["id"] for number in range(KEYS // 3)]
    assert again == first
