"""Direct messages from strangers: how many there may be, and how a person puts an end to those of somebody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.people.direct import BEGUN_BY_ADDRESS_WITH_ONE, BEGUN_BY_PERSON
from tests.calling import Caller, refusal
from tests.clocks import BENT
from tests.running import RunningServer
from tests.talking import TIMEOUT_SECONDS, WireClient

ASKED_AT_MOST = 3
FEW = json.dumps({"besedka.serve.people.direct.ASKED_AT_MOST": ASKED_AT_MOST})


@pytest.fixture
def server(make_server: Callable[..., RunningServer]) -> RunningServer:
    """A server at which a person can be asked by few, behind a proxy, which the talkers say that they are."""
    options = ("--lang", "en", "--behind-proxy", "127.0.0.1", "--open")
    return make_server(*options, grpc=True, module=BENT, CONSTANTS=FEW).start()


def secret_of(name: str) -> str:
    return f"the secret of {name}".ljust(32, ".")


def come(server: RunningServer, name: str, address: str = "") -> WireClient:
    client = WireClient(server, additional_headers={"X-Forwarded-For": address} if address else {})
    client.join(name, secret=secret_of(name))
    return client


def ask(server: RunningServer, name: str, whom: str, address: str = "") -> dict[str, Any]:
    """Come, open the direct room with somebody, and go; the answer."""
    with come(server, name, address) as client:
        return client.ask("direct", user=whom)


def direct_rooms(client: WireClient) -> dict[str, int]:
    """The people with whom there is a direct room, each with its number among those that wait for an answer."""
    return {room["peer"]: room.get("asked", 0) for room in client.ask("rooms")["rooms"] if "peer" in room}


def test_strangers_fill_a_few_rooms_only_until_they_are_answered(server: RunningServer) -> None:
    with come(server, "Anna") as anna, come(server, "Boris") as boris:
        boris_room = anna.ask("direct", user="Boris")["room"]
        for number in range(ASKED_AT_MOST):
            assert ask(server, f"Stranger {number}", "Anna")["type"] == "place"
            assert anna.receive("place")["asked"] is True
        assert ask(server, "One more", "Anna")["code"] == "not_accepted"
        assert direct_rooms(anna) == {"Boris": 0, "Stranger 0": 1, "Stranger 1": 2, "Stranger 2": 3}
        assert direct_rooms(boris) == {"Anna": 1}
        # A stranger who begins it again is not announced again.
        assert ask(server, "Stranger 2", "Anna")["type"] == "place"
        anna.send_frame("chat", text="nobody else?", key="x")
        assert "place" not in [
            frame["type"] for frame in anna.receive_until(lambda frame: frame.get("key") == "x")
        ]
        # People whom she has written to, and those who have asked before, can still write.
        boris.join("Boris", boris_room, secret=secret_of("Boris"))
        boris.send_frame("chat", room=boris_room, text="hello", key="b")
        assert boris.receive_until(lambda frame: frame.get("key") == "b")[-1]["type"] == "chat"
        assert ask(server, "Stranger 0", "Anna")["type"] == "place"
        assert direct_rooms(boris) == {"Anna": 0}
        # She answers one, and opens the room of another: two more may ask.
        room = anna.ask("direct", user="Stranger 0")["room"]
        assert direct_rooms(anna)["Stranger 0"] == 0
        room = next(one["name"] for one in anna.ask("rooms")["rooms"] if one.get("peer") == "Stranger 1")
        anna.join("Anna", room, secret=secret_of("Anna"))
        anna.send_frame("chat", room=room, text="who are you?", key="a")
        anna.receive_until(lambda frame: frame.get("key") == "a")
        assert direct_rooms(anna) == {"Boris": 0, "Stranger 0": 0, "Stranger 1": 0, "Stranger 2": 1}
        assert ask(server, "One more", "Anna")["type"] == "place"
        # One who is blocked does not count either.
        assert anna.ask("block", user="Stranger 2")["type"] == "done"
        assert ask(server, "And another", "Anna")["type"] == "place"
        assert ask(server, "A last one", "Anna")["type"] == "place"
        assert ask(server, "Too late", "Anna")["code"] == "not_accepted"
    server.stop()
    server.start()
    with come(server, "Anna") as anna:
        assert direct_rooms(anna) == {
            **dict.fromkeys(("Boris", "Stranger 0", "Stranger 1", "Stranger 2"), 0),
            "One more": 1,
            "And another": 2,
            "A last one": 3,
        }


def test_a_person_begins_so_many_direct_rooms_at_once(server: RunningServer) -> None:
    for number in range(BEGUN_BY_PERSON + 1):
        come(server, f"Person {number}").close()
    with come(server, "Spammer") as spammer, come(server, "Anna") as anna:
        answers = [spammer.ask("direct", user=f"Person {n}") for n in range(BEGUN_BY_PERSON + 1)]
        assert [answer["type"] for answer in answers] == ["place"] * BEGUN_BY_PERSON + ["error"]
        assert answers[-1]["code"] == "not_allowed"
        assert 0 < answers[-1]["retry_after"] <= 3600
        # Those that are open cost nothing, and others are not affected.
        assert spammer.ask("direct", user="Person 0")["type"] == "place"
        assert anna.ask("direct", user=f"Person {BEGUN_BY_PERSON}")["type"] == "place"


def test_from_one_address_so_many_people_write_to_one_person(
    make_server: Callable[..., RunningServer],
) -> None:
    server = make_server("--lang", "en", "--behind-proxy", "127.0.0.1", "--open").start()
    with come(server, "Anna") as anna:
        count = BEGUN_BY_ADDRESS_WITH_ONE
        codes = [
            ask(server, f"Stranger {n}", "Anna", "203.0.113.9").get("code", "") for n in range(count + 1)
        ]
        assert codes == [""] * count + ["not_allowed"]
        assert ask(server, "Boris", "Anna", "203.0.113.10")["type"] == "place"
        assert len(direct_rooms(anna)) == count + 1


def check_blocked(server: RunningServer, anna: WireClient, boris: WireClient, room: str) -> None:
    boris.send_frame("typing", room=room)
    boris.send_frame("chat", room=room, text="please", key="please")
    answer = boris.receive_until(lambda frame: frame.get("key") == "please")[-1]
    assert (answer["code"], answer["room"]) == ("not_accepted", room)
    # It does not say why.
    assert answer["text"] == "Anna is not accepting direct messages from you"
    assert boris.ask("direct", user="Anna")["code"] == "not_accepted"
    with Caller(server) as caller:
        sent = refusal(lambda: caller.send("Boris", "by gRPC", room=room, secret=secret_of("Boris")))
        assert sent.reason == "not_accepted"
    assert anna.ask("rooms")["blocked"] == ["Boris"]
    assert "blocked" not in anna.ask("rooms", after="main")
    assert anna.ask("direct", user="Boris")["code"] == "not_allowed"
    boris.send_frame("chat", text="to all", key="all")
    heard = anna.receive_until(lambda frame: frame.get("text") == "to all")
    assert not [frame for frame in heard if frame["type"] == "typing" or frame.get("text") == "please"]


def enter(client: WireClient, name: str, room: str) -> None:
    client.join(name, room, secret=secret_of(name))


def notices(frames: list[dict[str, Any]]) -> list[tuple[list[str], list[str], list[str] | None]]:
    """The notices of presence in direct rooms: who has come, who has gone, who is there."""
    return [
        (frame["joined"], frame["left"], frame.get("users"))
        for frame in frames
        if frame["type"] == "system" and frame["room"].startswith("direct-")
    ]


def test_a_blocked_person_can_neither_write_nor_type_nor_open_the_room(server: RunningServer) -> None:
    with come(server, "Anna") as anna, come(server, "Boris") as boris:
        room = boris.ask("direct", user="Anna")["room"]
        enter(anna, "Anna", room)
        enter(boris, "Boris", room)
        boris.send_frame("chat", room=room, text="let me in", key="b0")
        anna.receive_until(lambda frame: frame.get("text") == "let me in")
        assert anna.ask("block", user="boris")["text"] == "You no longer receive direct messages from Boris"
        for name, code in (("Nobody", "no_such_name"), ("Anna", "not_allowed")):
            assert anna.ask("block", user=name)["code"] == code
        check_blocked(server, anna, boris, room)
        server.kill()
        server.start()
    with come(server, "Anna") as anna, come(server, "Boris") as boris:
        enter(anna, "Anna", room)
        enter(boris, "Boris", room)
        check_blocked(server, anna, boris, room)
        assert anna.ask("unblock", user="BORIS")["text"] == "You receive direct messages from Boris again"
        assert anna.ask("unblock", user="Boris")["code"] == "no_such_name"
        boris.send_frame("chat", room=room, text="thank you", key="thanks")
        anna.receive_until(lambda frame: frame.get("text") == "thank you")


def test_a_blocked_person_says_nothing_by_their_names_either_and_is_listed_as_blocked_whatever_name_was_given(
    server: RunningServer,
) -> None:
    secret = secret_of("Boris")
    with (
        come(server, "Anna") as anna,
        come(server, "Boris") as boris,
        WireClient(server) as parked,
        Caller(server) as caller,
    ):
        boris.join("Bobby", "dev", secret=secret)
        room = boris.ask("direct", user="Anna")["room"]
        enter(anna, "Anna", room)
        enter(boris, "Boris", room)
        parked.join("You will hear from me", room, secret=secret)
        anna.receive_until(lambda frame: "You will hear from me" in frame.get("joined", ()))
        assert [entry.get("blocked") for entry in anna.ask("rooms")["rooms"] if "peer" in entry] == [None]
        # By the name that she sees somewhere else; the room has the other one.
        anna.send_frame("block", user="Bobby", key="block")
        reported = notices(anna.receive_until(lambda frame: frame.get("key") == "block"))
        assert reported == [([], [], ["Anna"])]
        listed = anna.ask("rooms")
        assert listed["blocked"] == ["Bobby"]
        direct = [entry for entry in listed["rooms"] if "peer" in entry]
        assert [(entry["peer"], entry["blocked"], entry["clients_count"]) for entry in direct] == [
            ("Boris", True, 1)
        ]
        request = pb.ListRoomsRequest(secret=secret_of("Anna"))
        over_grpc = caller.stub.ListRooms(request, timeout=TIMEOUT_SECONDS).rooms
        assert [(entry.peer, entry.blocked) for entry in over_grpc if entry.peer] == [("Boris", True)]
        for name in ("I know where you live", "Boris"):
            boris.send_frame("leave", room=room)
            assert boris.join(name, room, secret=secret)["users"] == ["Anna"]
        parked.send_frame("leave", room=room)
        parked.join("You will hear from me", "dev", secret=secret)
        anna.send_frame("chat", room=room, text="am I alone?", key="a")
        heard = anna.receive_until(lambda frame: frame.get("text") == "am I alone?")
        assert notices(heard) == []
        assert anna.ask("unblock", user="Boris")["type"] == "done"
        boris.send_frame("leave", room=room)
        enter(boris, "Boris", room)
        assert anna.receive_until(lambda frame: "Boris" in frame.get("joined", ()))
        assert [entry.get("blocked") for entry in anna.ask("rooms")["rooms"] if "peer" in entry] == [None]


def test_a_guest_blocks_nobody(server: RunningServer) -> None:
    come(server, "Anna").close()
    with WireClient(server) as guest:
        guest.join("Guest")
        for kind in ("block", "unblock"):
            assert guest.ask(kind, user="Anna")["code"] == "no_secret"
