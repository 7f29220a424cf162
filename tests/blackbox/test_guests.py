"""Mutes and slow rooms hold guests too: whatever name, connection or new secret they come with, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from besedka.serve.people.slow_rooms import SHARE_OF_NETWORK
from tests.calling import Caller, refusal
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import WireClient

PROXY = ("--behind-proxy", "127.0.0.1", "--open")
CLASS, ELSEWHERE = "203.0.113.9", "203.0.113.77"
ANNA, ANOTHER, VICTOR = "a" * 64, "b" * 64, "v" * 64
SLEEPERS = {f"Sleeper {number}": f"the secret of sleeper {number}" for number in range(12)}
"""Names that somebody has claimed ahead, each with a secret of its own."""


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server behind a proxy, which the talkers say that they are; some names were claimed long ago."""
    server = make_server("--lang", "en", *PROXY, grpc=True)
    long_ago = "2025-11-19T22:46:36Z"
    holders = {"Anna": ANNA, "Victor": VICTOR, **SLEEPERS}
    known = [
        f"{name}\t{sha256(secret.encode()).hexdigest()}\t{long_ago}\t{long_ago}\n"
        for name, secret in holders.items()
    ]
    (server.directory / "known_names.txt").write_text("".join(known))
    return server.start()


@pytest.fixture
def operator(server: RunningServer) -> Iterator[Operator]:
    """The operator."""
    with Operator(server) as made:
        yield made


def come(
    server: RunningServer, name: str = "", address: str = "", path: str = "/ws", **fields: Any
) -> WireClient:
    headers = {"X-Forwarded-For": address} if address else {}
    client = WireClient(server, path, additional_headers=headers)
    if name:
        client.join(name, **fields)
    return client


def post(client: WireClient, text: str = "hello", **fields: Any) -> str:
    """Post a message; the code of the refusal, or nothing."""
    key = f"key-{text.replace(' ', '-')}"
    client.send_frame("chat", text=text, key=key, **fields)
    frame = client.receive_until(lambda frame: frame.get("key") == key)[-1]
    return str(frame.get("code", ""))


def post_as(seed: WireClient, name: str) -> str:
    """Post a message at the seed's door; the sentence of the refusal, or nothing."""
    seed.send_frame("chat", user=name, text=f"by {name}")
    frame = seed.receive_until(lambda frame: frame["type"] == "error" or frame.get("text") == f"by {name}")[
        -1
    ]
    return str(frame["text"]) if frame["type"] == "error" else ""


@pytest.mark.parametrize("address", ["", CLASS])
def test_twenty_names_on_one_connection_say_one_message_in_a_slow_room(
    server: RunningServer, operator: Operator, address: str
) -> None:
    operator.do("slow", seconds=600)
    with come(server, address=address) as guest:
        codes = []
        for number in range(20):
            guest.join(f"Guest {number}")
            codes.append(post(guest, f"message {number}"))
            guest.send_frame("leave", room="main")
        assert codes == ["", *["too_fast"] * 19]
        # A new claim is no way around it.
        guest.join("Claimed", secret=ANOTHER)
        assert post(guest, "claimed") == "too_fast"
    with come(server, path="/", address=ELSEWHERE if address else "") as seed:
        said = [post_as(seed, f"Seed {number}") for number in range(20)]
        assert said[0] == ""
        assert all("Too fast" in sentence for sentence in said[1:])


def test_names_that_were_claimed_before_are_one_persons_on_one_connection(
    server: RunningServer, operator: Operator
) -> None:
    operator.do("slow", seconds=600)
    with (
        come(server, address=CLASS) as sleeper,
        come(server, "Anna", CLASS, secret=ANNA) as anna,
        Caller(server) as caller,
    ):
        codes = []
        for name, secret in SLEEPERS.items():
            sleeper.join(name, secret=secret)
            codes.append(post(sleeper, name))
            sleeper.send_frame("leave", room="main")
        assert codes == ["", *["too_fast"] * 11]
        assert post(anna) == ""
        # The connections of gRPC count in the same way.
        caller.send("Sleeper 1", "hello", secret=SLEEPERS["Sleeper 1"])
        second = refusal(lambda: caller.send("Sleeper 2", "hello", secret=SLEEPERS["Sleeper 2"]))
        assert second.reason == "too_fast"


def test_a_muted_guest_speaks_under_no_name_that_was_claimed_before_on_the_same_connection(
    server: RunningServer, operator: Operator
) -> None:
    name, secret = "Sleeper 0", SLEEPERS["Sleeper 0"]
    with come(server, "Anna", ELSEWHERE, secret=ANNA) as anna, come(server, "Guest", CLASS) as guest:
        assert post(guest, "spam") == ""
        operator.do("mute", "Guest")
        guest.send_frame("leave", room="main")
        assert name not in guest.join(name, secret=secret)["users"]
        assert post(guest, "the same socket") == "muted"
        guest.send_frame("typing")
        assert guest.refused("direct", user="Anna") == "muted"
        # Whoever comes under the name over a connection of their own is not meant.
        with come(server, name, CLASS, secret=secret) as again:
            assert post(again, "another socket") == ""
        frames = anna.receive_until(lambda frame: frame.get("text") == "another socket")
        assert [frame for frame in frames if frame["type"] == "typing"] == []


def test_a_muted_person_says_nothing_by_other_names_neither_in_a_room_nor_to_one_person(
    server: RunningServer, operator: Operator
) -> None:
    with (
        come(server, "Watcher", ELSEWHERE) as watcher,
        come(server, "Anna", ELSEWHERE, secret=ANNA) as anna,
        come(server, "Victor", CLASS, secret=VICTOR) as victor,
    ):
        room = victor.ask("direct", user="Anna")["room"]
        assert anna.receive("place")["peer"] == "Victor"
        anna.join("Anna", room, secret=ANNA)
        assert post(anna, "yes?", room=room) == ""
        anna.send_frame("leave", room=room)
        operator.do("mute", "Victor")
        for name in ("vote for me", "Boss is a thief"):
            victor.send_frame("leave", room="main")
            assert name not in victor.join(name, secret=VICTOR)["users"]
            assert victor.ask("direct", user="Anna")["room"] == room
        victor.send_frame("leave", room="main")
        assert "Victor" in victor.join("Victor", secret=VICTOR)["users"]
        with come(server, "Last", ELSEWHERE):
            frames = watcher.receive_until(lambda frame: "Last" in frame.get("joined", ()))
        assert "vote" not in str(frames)
        assert "thief" not in str(frames)
        anna.send_frame("chat", text="over")
        frames = anna.receive_until(lambda frame: frame.get("text") == "over")
        assert "place" not in [frame["type"] for frame in frames]
        # Once they may speak, it is under the name that the list shows.
        operator.do("unmute", "Victor")
        victor.send_frame("leave", room="main")
        victor.join("vote for me", secret=VICTOR)
        assert victor.ask("direct", user="Anna")["room"] == room
        assert anna.receive("place")["peer"] == "Victor"


def test_guests_over_grpc_are_slowed_down_by_connection(server: RunningServer, operator: Operator) -> None:
    operator.do("slow", seconds=600)
    with Caller(server) as caller:
        caller.send("First", "hello")
        assert refusal(lambda: caller.send("Second", "hello")).reason == "too_fast"


def test_newcomers_behind_one_address_share_what_a_slow_room_takes_and_the_others_do_not_suffer(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Anna", CLASS, secret=ANNA) as anna:
        operator.do("slow", seconds=600)
        codes = []
        for number in range(SHARE_OF_NETWORK + 5):
            secret = {"secret": f"a secret of number {number}"} if number % 2 else {}
            with come(server, f"Guest {number}", CLASS, **secret) as guest:
                codes.append(post(guest))
        assert codes == [""] * SHARE_OF_NETWORK + ["too_fast"] * 5
        assert post(anna) == ""
    with come(server, "Stranger", ELSEWHERE) as stranger:
        assert post(stranger) == ""


def test_a_mute_of_a_guest_outlives_a_new_name_a_new_connection_and_a_new_secret(
    server: RunningServer, operator: Operator
) -> None:
    with (
        come(server, "Anna", CLASS, secret=ANNA) as anna,
        come(server, "Boris", CLASS) as boris,
        come(server, "Stranger", ELSEWHERE) as stranger,
    ):
        assert post(boris, "spam") == ""
        operator.do("mute", "Boris")
        assert post(boris, "more") == "muted"
        boris.send_frame("leave", room="main")
        boris.join("Egor")
        assert post(boris, "still here") == "muted"
        with come(server, "Gleb", CLASS) as again, come(server, path="/", address=CLASS) as seed:
            assert post(again) == "muted"
            assert "muted" in post_as(seed, "Dima")
        with come(server, "Vera", CLASS, secret=ANOTHER) as claimed:
            assert post(claimed) == "muted"
        # The person whose name was claimed before is not meant, nor anybody elsewhere.
        assert post(anna, "for Anna") == ""
        assert post(stranger, "elsewhere") == ""
        server.kill()
        server.start()
    with come(server, "Gleb", CLASS) as again, come(server, "Anna", CLASS, secret=ANNA) as anna:
        assert post(again, "after a restart") == "muted"
        assert post(anna, "after a restart, Anna") == ""
        with Operator(server) as restarted:
            assert restarted.do("unmute", CLASS) == f"{CLASS} is no longer muted"
        assert post(again, "at last") == ""


def test_on_this_machine_a_mute_of_a_guest_holds_the_connection(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Boris") as boris, come(server, "Stranger") as stranger, come(server, path="/") as seed:
        assert post_as(seed, "Dima") == ""
        assert post_as(seed, "Egor") == ""
        operator.do("mute", "Boris")
        # By a name that is not in use any more, too.
        operator.do("mute", "Dima")
        boris.send_frame("leave", room="main")
        boris.join("Gleb")
        assert post(boris, "renamed") == "muted"
        stranger.join("Stranger", "dev")
        boris.join("Gleb", "dev")
        assert post(boris, "elsewhere", room="dev") == "muted"
        assert "muted" in post_as(seed, "Fedor")
        assert post(stranger, "not meant") == ""
        operator.do("unmute", "Boris")
        assert post(boris, "again") == ""


def test_a_guest_who_has_gone_is_muted_where_the_last_message_came_from(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Boris", CLASS) as boris:
        assert post(boris) == ""
    operator.do("mute", "Boris")
    with come(server, "Egor", CLASS) as egor, come(server, "Stranger", ELSEWHERE) as stranger:
        assert post(egor) == "muted"
        assert post(stranger) == ""


def test_a_muted_guest_types_under_no_other_name_either(server: RunningServer, operator: Operator) -> None:
    with come(server, "Anna", ELSEWHERE, secret=ANNA) as anna, come(server, "Guest", CLASS) as guest:
        assert post(guest) == ""
        operator.do("mute", "Guest")
        with come(server, "BUY MY THINGS", CLASS, secret=ANOTHER) as again:
            for client in (guest, again):
                client.send_frame("typing")
                assert post(client, "hello once more") == "muted"
        anna.send_frame("chat", text="who is there?")
        seen = anna.receive_until(lambda frame: frame.get("text") == "who is there?")
        assert [frame for frame in seen if frame["type"] == "typing"] == []


def test_a_muted_guest_is_not_announced_under_other_names_and_asks_nobody_into_a_direct_room(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Anna", ELSEWHERE, secret=ANNA) as anna, come(server, "Guest", CLASS) as guest:
        anna.send_frame("chat", text="hello")
        assert post(guest) == ""
        operator.do("mute", "Guest")
        for number in range(3):
            guest.send_frame("leave", room="main")
            guest.join(f"BUY {number}")
        with come(server, "BUY MY THINGS", CLASS, secret=ANOTHER) as again:
            assert post(again, "anything") == "muted"
            assert again.refused("direct", user="Anna") == "muted"
            with come(server, address=ELSEWHERE) as stranger:
                assert stranger.join("Stranger")["users"] == ["Anna", "Stranger"]
                stranger.send_frame("chat", text="who is there?")
                seen = anna.receive_until(lambda frame: frame.get("text") == "who is there?")
        assert "BUY" not in str(seen)
        operator.do("unmute", CLASS)
        with come(server, "Boris", CLASS, secret=ANOTHER) as boris:
            assert boris.ask("direct", user="Anna")["type"] == "place"


def test_the_muted_name_no_new_room_at_any_door_and_enter_those_that_there_are(
    server: RunningServer, operator: Operator
) -> None:
    with (
        come(server, "Anna", ELSEWHERE, secret=ANNA) as anna,
        come(server, "Guest", CLASS) as guest,
        come(server, "Known", CLASS, secret="k" * 64) as known,
        Caller(server) as caller,
    ):
        anna.join("Anna", "dev", secret=ANNA)
        assert post(anna, "written", room="dev") == ""
        anna.send_frame("leave", room="dev")
        assert post(guest) == ""
        operator.do("mute", "Guest")
        operator.do("mute", "Known")
        for muted, name, secret in ((guest, "Other", ""), (known, "Known", "k" * 64)):
            assert muted.refused("join", room="anna-is-a-liar", user=name, secret=secret) == "muted"
            assert muted.refused("join", room="anna-is-a-liar") == "muted"
        assert refusal(lambda: caller.send("Known", "x", room="anna-is-a-liar")).reason == "muted"
        assert guest.join("Other", "dev")["type"] == "welcome"
        anna.join("Anna", "silent", secret=ANNA)
        assert guest.join("Other", "silent")["type"] == "welcome"
        assert {room["name"] for room in anna.ask("rooms")["rooms"]} == {"main", "dev", "silent"}
        operator.do("unmute", "Guest")
        operator.do("unmute", "Known")
        assert guest.join("Other", "new")["type"] == "welcome"


def test_a_person_whose_name_was_claimed_before_the_mute_is_announced_and_a_mute_of_them_hides_nobody(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Watcher", ELSEWHERE) as watcher:
        operator.do("mute", "Anna")
        with come(server, "Anna", CLASS, secret=ANNA), come(server, "Boris", CLASS):
            frames = watcher.receive_until(lambda frame: "Boris" in frame.get("joined", ()))
            assert "Anna" in str(frames)
