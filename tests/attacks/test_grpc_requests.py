"""Requests over gRPC: one that is too long, or has too many parts, is refused before it is decoded, and those that wait have a bound."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import repeat
from typing import Final

import grpc
import psutil
import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.remote.importing import CALL_MESSAGES
from besedka.serve.history.room_files import room_path
from besedka.wire.validation import FRAME_BYTES_AT_MOST, IMPORT_MESSAGES_AT_MOST
from tests.attacks.test_connections import (
    ANOTHER,
    CONVERSE,
    FOLLOW,
    HEALTH,
    IMPORT,
    PREFACE,
    ROOMS,
    STRANGER,
    Line,
    call,
    frame,
    headers,
)
from tests.calling import TIMEOUT_SECONDS, Caller, CloseCode, refusal
from tests.clocks import BENT, Clocks
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.running import RunningServer

MEBIBYTE: Final = 1024 * 1024
SEND, MESSAGES, SEARCH = (f"/besedka.v1.Chat/{method}" for method in ("Send", "ListMessages", "Search"))
WATCH: Final = "/grpc.health.v1.Health/Watch"
REFLECTION: Final = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
FRAMES: Final = [SEND, MESSAGES, ROOMS, SEARCH, CONVERSE]
OTHERS: Final = [FOLLOW, HEALTH, WATCH, REFLECTION]
UNKNOWN: Final = b"\xfa\x01"
"""The beginning of a field that no request has: number 31, with a length (protobuf.dev, *Encoding*)."""
LIST_SERVICES: Final = b"\x3a\0"
"""The request of the reflection service that has the shortest answer: field 7, empty."""
MANY: Final = 100
DATA, SETTINGS, WINDOW_UPDATE = 0, 4, 8
INITIAL_WINDOW_SIZE: Final = 4


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server that also speaks gRPC, with English sentences, started."""
    return make_server("--lang", "en", grpc=True).start()


@pytest.fixture
def lines() -> Iterator[ExitStack]:
    """Closes what a test has opened."""
    with ExitStack() as stack:
        yield stack


def refused(caller: Caller, method: str, data: bytes) -> CloseCode:
    """How a call with this request ends, which is perhaps not the only one."""
    call = caller.channel.stream_unary(method, None, None)
    return refusal(lambda: call(iter([data]), timeout=TIMEOUT_SECONDS))


def imported(count: int, **speaker: str) -> pb.ImportRequest:
    """So many messages, with keys, in one request."""
    messages = [pb.ImportedMessage(text="x", key=f"{number:032}") for number in range(count)]
    return pb.ImportRequest(speaker=pb.Speaker(user="Boris", **speaker), messages=messages)


def test_a_request_of_more_parts_than_messages_may_be_is_refused_before_it_is_decoded(
    server: RunningServer, caller: Caller
) -> None:
    start = pb.ImportRequest(speaker=pb.Speaker(user="Boris"), messages=[pb.ImportedMessage(text="x")])
    data = start.SerializeToString()
    data += b"\x12\0" * ((MEBIBYTE - len(data)) // 2)
    process = psutil.Process(server.pid)
    refused(caller, IMPORT, data)
    before = process.memory_info().rss
    for _ in range(20):
        ended = refused(caller, IMPORT, data)
        assert (ended.code, ended.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_frame")
        assert str(IMPORT_MESSAGES_AT_MOST) in ended.sentence
    assert process.memory_info().rss - before < 20 * MEBIBYTE
    assert server.lines == []


def test_a_request_may_hold_as_many_messages_as_the_own_client_sends_and_no_more(
    server: RunningServer, caller: Caller
) -> None:
    assert caller.import_([imported(CALL_MESSAGES)]).count == CALL_MESSAGES
    assert caller.import_([imported(IMPORT_MESSAGES_AT_MOST)]).count == IMPORT_MESSAGES_AT_MOST
    ended = refusal(lambda: caller.import_([imported(IMPORT_MESSAGES_AT_MOST + 1, room="other")]))
    assert (ended.reason, f"{IMPORT_MESSAGES_AT_MOST} messages" in ended.sentence) == ("bad_frame", True)
    assert not room_path(server.history, "other").exists()


@pytest.mark.parametrize(
    ("method", "at_most"),
    [*zip(FRAMES, repeat(FRAME_BYTES_AT_MOST)), *zip(OTHERS, repeat(4_096))],
)
def test_a_request_that_is_too_long_is_refused_and_says_what_is_allowed(
    caller: Caller, method: str, at_most: int
) -> None:
    ended = refused(caller, method, UNKNOWN + b"\x80\x80\x40" + bytes(MEBIBYTE - 100))
    assert (ended.code, ended.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "frame_too_long")
    assert str(at_most) in ended.sentence
    # Others are served all the same.
    assert caller.rooms()


@pytest.mark.parametrize("method", [*FRAMES, *OTHERS])
def test_a_request_with_many_fields_is_refused_and_says_how_many_are_allowed(
    caller: Caller, method: str
) -> None:
    ended = refused(caller, method, b"\x0a\0" * 2_000)
    assert (ended.code, ended.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_frame")
    assert "100 fields" in ended.sentence


def test_a_request_of_a_stream_with_many_fields_deeper_in_it_is_refused(caller: Caller) -> None:
    join = b"\x0a\0" * 1_000
    ended = refused(caller, CONVERSE, b"\x0a\xd0\x0f" + join)
    assert (ended.reason, "100 fields" in ended.sentence) == ("bad_frame", True)


def test_a_text_is_not_taken_for_fields(caller: Caller) -> None:
    text = "\n" + "xy" * 2_400
    assert caller.send("Anna", text).id == 1
    with caller.converse() as talk:
        talk.join("Boris")
        talk.say(text)
        assert talk.receive_to(2)[-1].text.endswith("xy")


def waiting_import(user: str) -> bytes:
    """The beginning of a call, with a request whose messages have to wait for the rate limit."""
    messages = [pb.ImportedMessage(text="x" * 1_000) for _ in range(40)]
    request = pb.ImportRequest(speaker=pb.Speaker(user=user), messages=messages).SerializeToString()
    data = b"\0" + len(request).to_bytes(4, "big") + request
    pieces = (data[at : at + 16_384] for at in range(0, len(data), 16_384))
    return PREFACE + headers(IMPORT, 1) + b"".join(frame(DATA, 0, 1, piece) for piece in pieces)


class Importing:
    """Imports that wait, each over a connection of its own."""

    def __init__(self, server: RunningServer, lines: ExitStack) -> None:
        self._server = server
        self._lines = lines

    def begun(self, user: str, address: str = STRANGER) -> Line:
        """One more; not waited for."""
        line = Line(self._server, address, waiting_import(user))
        self._lines.callback(line.close)
        return line

    def posting(self, user: str, address: str = STRANGER) -> Line:
        """One more, whose first message is posted."""
        line = self.begun(user, address)
        wait_until(partial(self.has_posted, user))
        return line

    def has_posted(self, user: str) -> bool:
        """Whether a message of this user is in the log."""
        return self._server.history.exists() and any(f" {user}: " in line for line in self._server.lines)


@pytest.fixture
def importing(make_server: ServerMaker, clock: Clocks, lines: ExitStack) -> Importing:
    """Imports of a server whose clock stands still, so that none of them ends, and that holds 200 kB for an address, two and a half of them."""
    clock.stand_still()
    bent = json.dumps({"besedka.serve.limits.held_bytes.HELD_BYTES": 200_000})
    server = make_server(
        "--rate",
        "1",
        module=BENT,
        CONSTANTS=bent,
        OWN_ADDRESS="127.0.0.1",
        grpc=True,
        **clock.environment,
    ).start()
    return Importing(server, lines)


def test_requests_that_wait_to_be_posted_are_bounded_for_each_address(importing: Importing) -> None:
    first, second = (importing.posting(user) for user in ("Anna", "Boris"))
    third = importing.begun("Clara")
    wait_until(lambda: third.has_answer(1))
    assert not first.has_answer(1)
    assert not second.has_answer(1)
    # Another address has a share of its own, and requests of calls that have ended do not count.
    assert not importing.posting("Dora", ANOTHER).has_answer(1)
    first.close()

    def posts_again() -> bool:
        line = importing.begun("Eva")
        wait_until(lambda: line.has_answer(1) or importing.has_posted("Eva"))
        return importing.has_posted("Eva")

    wait_until(posts_again)


def test_little_of_the_requests_behind_one_that_waits_is_read(importing: Importing) -> None:
    line = importing.posting("Anna")
    sent = len(waiting_import("Anna"))
    windows = {SETTINGS: 65_535, WINDOW_UPDATE: 0}
    for kind, flags, stream, payload in line.payloads():
        if kind == SETTINGS and not flags:
            settings = [payload[at : at + 6] for at in range(0, len(payload), 6)]
            sizes = [one[2:] for one in settings if int.from_bytes(one[:2], "big") == INITIAL_WINDOW_SIZE]
            windows[SETTINGS] = int.from_bytes(sizes[-1], "big")
        elif (kind, stream) == (WINDOW_UPDATE, 1):
            windows[WINDOW_UPDATE] += int.from_bytes(payload, "big")
    assert sum(windows.values()) - sent < 3 * 65_536


def test_each_request_of_a_reflection_stream_is_charged(
    make_server: ServerMaker, clock: Clocks, lines: ExitStack
) -> None:
    clock.stand_still()
    server = make_server("--rate", "1", module=BENT, grpc=True, **clock.environment).start()
    line = Line(server, data=PREFACE)
    lines.callback(line.close)
    # Each waits for what all before it have cost: the last one for two minutes.
    line.send(call(REFLECTION, 1, *[LIST_SERVICES] * MANY, ends=False))
    wait_until(lambda: any(kind == DATA for kind, *_ in line.frames()))
    with Caller(server) as other:
        for _ in range(10):
            assert other.rooms()
    assert sum(kind == DATA for kind, *_ in line.frames()) < MANY
