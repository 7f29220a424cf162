"""A source creates a bounded number of rooms, wherever it comes from; rooms in which something was said are none of it."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.limits.room_shares import NEW_ROOMS, NEW_ROOMS_RATE
from tests.calling import Caller, refusal
from tests.clocks import BENT, Clocks
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import Frame, WireClient

FEW = 5
"""A quota small enough to be used up by a test."""

QUOTAS = json.dumps(
    {
        "besedka.serve.limits.room_shares.NEW_ROOMS": FEW,
        "besedka.serve.limits.room_shares.NEW_ROOMS_OF_ADDRESS": 3 * FEW,
    }
)


@pytest.fixture
def guarded(make_server: ServerMaker, clock: Clocks) -> RunningServer:
    """A server with small quotas for new rooms, and no other limits."""
    clock.stand_still()
    options = ("--lang", "en", "--rate", "0", "--rate-address", "0")
    return make_server(
        *options, module=BENT, grpc=True, OWN_ADDRESS="127.0.0.1", CONSTANTS=QUOTAS, **clock.environment
    ).start()


def create(client: WireClient, room: str, secret: str = "", user: str = "") -> Frame:
    """Enter a room, perhaps a new one, and leave it; returns the welcome or the refusal."""
    client.send_frame(
        "join", room=room, **({"user": user} if user else {}), **({"secret": secret} if secret else {})
    )
    answer = client.receive_until(lambda frame: frame["type"] in {"welcome", "error"})[-1]
    if answer["type"] == "welcome":
        client.send_frame("leave", room=room)
    return answer


def test_one_source_cannot_create_rooms_without_end_and_takes_none_from_another(
    guarded: RunningServer, clock: Clocks
) -> None:
    with ExitStack() as open_ones:

        def come(address: str) -> WireClient:
            return open_ones.enter_context(WireClient(guarded, source_address=(address, 0)))

        def use_up(address: str) -> tuple[WireClient, WireClient]:
            first, second = come(address), come(address)
            for room in range(FEW):
                assert create(first, f"r-{address[-1]}-{room}")["type"] == "welcome"
            for client in (first, second):
                refused = create(client, f"r-{address[-1]}-more")
                assert refused["code"] == "too_many_rooms"
                assert refused["retry_after"] == pytest.approx(1 / NEW_ROOMS_RATE)
            return first, second

        use_up("127.0.0.1")
        first, second = use_up("127.0.0.2")
        clock.jump(1 / NEW_ROOMS_RATE)
        assert create(first, "later")["type"] == "welcome"
        assert create(second, "too-late")["code"] == "too_many_rooms"


def test_a_verified_person_has_a_quota_of_their_own_within_that_of_the_address(
    guarded: RunningServer,
) -> None:
    with ExitStack() as open_ones:
        come = [
            open_ones.enter_context(WireClient(guarded, source_address=("127.0.0.2", 0))) for _ in range(4)
        ]
        for room in range(FEW):
            create(come[0], f"nameless-{room}")
        assert create(come[0], "one-more")["code"] == "too_many_rooms"
        for number, client in enumerate(come[1:]):
            client.join(f"Person{number}", secret=f"secret {number}")
        for number, client in enumerate(come[1:3]):
            answers = [
                create(client, f"r{number}-{room}", f"secret {number}", f"Person{number}")
                for room in range(FEW + 1)
            ]
            assert [answer["type"] for answer in answers] == ["welcome"] * FEW + ["error"]
        # Names are cheap, so new ones do not help for ever.
        assert create(come[3], "r", "secret 2", "Person2")["code"] == "too_many_rooms"


def test_rooms_that_exist_are_entered_without_a_quota(guarded: RunningServer) -> None:
    with WireClient(guarded) as anna, Caller(guarded) as caller:
        anna.join("Anna", secret="Anna's secret")
        anna.ask("private", room="plans")
        caller.send("Boris", "hello", room="kept")
        with WireClient(guarded) as eve:
            for room in range(FEW - 1):
                assert create(eve, f"r{room}")["type"] == "welcome"
            assert create(eve, "new")["code"] == "too_many_rooms"
            refused = refusal(lambda: caller.send("Boris", "hello", room="new"))
            assert refused.reason == "too_many_rooms"
            assert create(eve, "kept")["type"] == "welcome"
        guarded.kill()
    guarded.start()
    with WireClient(guarded) as eve, WireClient(guarded) as anna, Caller(guarded) as caller:
        for room in range(FEW):
            create(eve, f"again-{room}")
        assert create(eve, "new")["code"] == "too_many_rooms"
        assert create(eve, "kept")["type"] == "welcome"
        assert caller.stub.ListMessages(pb.ListMessagesRequest(room="kept", after=0)).messages
        assert create(anna, "plans", "Anna's secret", "Anna")["type"] == "welcome"


def test_the_real_quota_lets_a_busy_person_work(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", "--rate", "0").start()
    with WireClient(server) as client:
        kinds = [create(client, f"r{room}")["type"] for room in range(NEW_ROOMS + 20)]
        assert kinds[:NEW_ROOMS] == ["welcome"] * NEW_ROOMS
        assert "error" in kinds[NEW_ROOMS:]


def test_a_room_in_which_nothing_was_said_leaves_no_file_also_after_a_kill(server: RunningServer) -> None:
    def files() -> set[str]:
        rooms = {path.name.split(".")[1] for path in server.directory.glob("*chat_history.*.txt*")}
        return rooms - {"txt"}

    with WireClient(server) as anna:
        for room in ("kept", "empty", "other"):
            anna.join("Anna", room)
        anna.send_frame("chat", room="kept", text="hello")
        anna.receive("chat")
        server.kill()
    assert files() == {"kept", "empty", "other"}
    server.start()
    assert files() == {"kept"}
    with WireClient(server) as anna:
        assert anna.join("Anna", "kept")["head"] == 1
        assert anna.join("Anna", "empty")["head"] == 0
        anna.send_frame("leave", room="empty")
        assert server.stop() == 0
    assert files() == {"kept"}
