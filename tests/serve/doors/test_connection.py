"""A WebSocket connection, fed by hand: a transport of which one sees all, and a clock that jumps."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import pytest
from websockets.client import ClientProtocol
from websockets.frames import CloseCode as StandardCloseCode
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from besedka.serve.authentication.keys import Authenticator
from besedka.serve.doors.buffers import BUFFER_BYTES
from besedka.serve.doors.origin import Origins
from besedka.serve.doors.timeouts import (
    CLOSE_SECONDS,
    FLOOD_SECONDS,
    PING_SECONDS,
    SILENT_SECONDS,
    STUCK_SECONDS,
    SWEEP_SECONDS,
)
from besedka.serve.doors.websocket.connection import (
    ANSWERS_BYTES,
    BYTES_A_TURN,
    FRAMES_A_TURN,
    FRAMES_AT_ONCE,
    Connection,
)
from besedka.serve.doors.websocket.door import WebSocketDoor
from besedka.serve.doors.websocket.frames import encode_frames
from besedka.serve.exposition import Exposition
from besedka.serve.limits.held_bytes import HELD_BYTES_OF_MACHINE
from besedka.serve.limits.rate_limits import FRAMES_AT_LEAST, FRAMES_SECONDS, RateLimits
from besedka.serve.limits.sources import Sources
from besedka.serve.metrics import Metrics
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import Refused
from besedka.wire.frames import Typing
from besedka.wire.validation import FRAME_BYTES_AT_MOST
from tests import looping


class FakeTransport(asyncio.Transport):
    """Keeps what is written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.unread = 0
        self.ended = ""
        self.log_reader = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = self.ended or "eof"

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)

    def is_reading(self) -> bool:
        return self.log_reader

    def pause_reading(self) -> None:
        self.log_reader = False

    def resume_reading(self) -> None:
        self.log_reader = True


class FakeSession:
    """Writes down what it hears."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.heard: list[str] = []
        self.refusals: list[Refused] = []
        self.answer: asyncio.Future[str] | None = None
        self.ended = False
        self.behind = 0
        self.resumed = 0

    def begin(self) -> None:
        self.heard.append("begin")

    def receive(self, text: str) -> None:
        self.heard.append(text)
        if text == "bug":
            raise ZeroDivisionError
        if text == "ask" and self.answer:
            self.connection.wait_for(self._look_up(self.answer))

    async def _look_up(self, answer: asyncio.Future[str]) -> None:
        self.heard.append(await asyncio.shield(answer))

    def refuse(self, refusal: Refused) -> None:
        self.refusals.append(refusal)

    def fall_behind(self) -> None:
        self.behind += 1

    def resume(self) -> None:
        self.resumed += 1

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        self.refusals.append(refusal)
        self.connection.disconnect(ending)

    def end(self) -> None:
        self.ended = True


class Scene:
    """A door with one connection, and a client that speaks the protocol."""

    def __init__(
        self, transport: FakeTransport | None = None, rate: float = 0, beside: Scene | None = None
    ) -> None:
        self.now = 1000.0
        self.sessions: list[FakeSession] = []
        self.sources: Sources = beside.sources if beside else Sources(RateLimits(rate=rate))
        self.metrics = Metrics()
        self.soon: deque[Callable[[], None]] = deque()
        self.door = WebSocketDoor(
            {"/ws": self._begin},
            self.sources,
            self.metrics,
            lambda: self.now,
            origins=Origins(),
            access=Authenticator(),
            soon=self.soon.append,
        )
        if beside:
            self.door, self.sessions, self.soon = beside.door, beside.sessions, beside.soon
        self.transport = transport or FakeTransport()
        self.connection = self.door.connection(self.sources.admit("127.0.0.1"))
        self.connection.connection_made(self.transport)
        self.client = ClientProtocol(parse_uri("ws://chat.example/ws"))
        request = self.client.connect()
        self.client.send_request(request)
        self.client.data_to_send()
        self.connection.take_request(request)
        self.answers()

    def _begin(self, connection: Connection, _: object) -> FakeSession:
        self.sessions.append(FakeSession(connection))
        return self.sessions[-1]

    @property
    def session(self) -> FakeSession:
        return next(session for session in self.sessions if session.connection is self.connection)

    def exchange(self, *, chunk: int = 1 << 20) -> list[Frame]:
        """Hand over what the client has to send, in pieces of this size; return the frames that come back."""
        data = b"".join(self.client.data_to_send())
        for start in range(0, len(data), chunk):
            self.receive(data[start : start + chunk])
        return self.answers()

    def receive(self, data: bytes) -> None:
        """Hand over bytes, and give all turns that are asked for."""
        self.connection.data_received(data)
        while self.soon:
            self.soon.popleft()()

    def answers(self) -> list[Frame]:
        data, self.transport.written = self.transport.written, b""
        if data:
            self.client.receive_data(data)
        return [event for event in self.client.events_received() if isinstance(event, Frame)]

    def sweep_until(self, now: float) -> list[Frame]:
        self.now = now
        self.connection.check_deadlines(now)
        while self.soon:
            self.soon.popleft()()
        return self.answers()


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("chunk", [1 << 20, 1, 7])
def test_messages_arrive_whole_however_they_are_cut(scene: Scene, chunk: int) -> None:
    scene.client.send_text(b"one")
    scene.client.send_text(b"tw", fin=False)
    scene.client.send_ping(b"?")
    scene.client.send_continuation("о".encode()[:1], fin=False)
    scene.client.send_continuation("о".encode()[1:], fin=True)
    answers = scene.exchange(chunk=chunk)
    assert scene.session.heard == ["begin", "one", "twо"]
    assert [(frame.opcode, frame.data) for frame in answers] == [(Opcode.PONG, b"?")]


@pytest.mark.parametrize("chunk", [1 << 20, 1, 9])
def test_an_empty_message_is_one_too(scene: Scene, chunk: int) -> None:
    for text in (b"", b"one", b"", b""):
        scene.client.send_text(text)
    scene.exchange(chunk=chunk)
    assert scene.session.heard == ["begin", "", "one", "", ""]


def test_what_is_written_for_many_is_what_a_client_reads(scene: Scene) -> None:
    for length in (0, 100, 200, 70_000):
        scene.connection.send(
            encode_frames([Typing(room="r" * length, user="Anna"), Typing(room="", user="Boris")])
        )
        first, second = scene.answers()
        assert first.opcode is second.opcode is Opcode.TEXT
        assert len(first.data) > length


def test_a_silent_connection_is_pinged_then_closed_then_cut(scene: Scene) -> None:
    pings = scene.sweep_until(1000 + PING_SECONDS)
    assert [frame.opcode for frame in pings] == [Opcode.PING]
    closing = scene.sweep_until(1000 + SILENT_SECONDS + 1)
    assert closing[0].opcode is Opcode.CLOSE
    assert int.from_bytes(closing[0].data[:2], "big") == CloseCode.SILENT.value.code
    assert scene.transport.ended == ""
    scene.sweep_until(1000 + SILENT_SECONDS + 2 + CLOSE_SECONDS)
    assert scene.transport.ended == "aborted"


def test_a_connection_that_answers_stays(scene: Scene) -> None:
    for step in range(1, 20):
        scene.sweep_until(1000 + step * PING_SECONDS)
        scene.exchange()
    assert scene.transport.ended == ""


def test_pings_are_spread_over_the_interval() -> None:
    scenes = [Scene() for _ in range(200)]
    early = sum(bool(scene.sweep_until(1000 + PING_SECONDS / 2)) for scene in scenes)
    assert 60 < early < 140


def test_an_error_in_a_talk_ends_the_connection_with_the_code_to_come_back(scene: Scene) -> None:
    scene.client.send_text(b"bug")
    answers = scene.exchange()
    assert int.from_bytes(answers[0].data[:2], "big") == StandardCloseCode.INTERNAL_ERROR


async def settled() -> None:
    """Give all tasks the turns that they need for what can be done now."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_frames_wait_their_turn_while_an_answer_is_looked_up() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.session.answer = asyncio.get_running_loop().create_future()
        scene.client.send_text(b"ask")
        scene.client.send_text(b"after")
        scene.exchange()
        assert scene.session.heard == ["begin", "ask"]
        assert not scene.transport.log_reader
        scene.session.answer.set_result("answer")
        await settled()
        assert scene.session.heard == ["begin", "ask", "answer", "after"]
        assert scene.transport.log_reader

    looping.run(scenario())


@pytest.mark.parametrize("has_begun", [False, True])
@pytest.mark.parametrize("ends", ["lost", "disconnected"])
def test_work_ends_with_its_connection_and_what_it_waits_for_does_not(has_begun: bool, ends: str) -> None:
    async def scenario() -> None:
        scene = Scene()
        session = scene.session
        answer = session.answer = asyncio.get_running_loop().create_future()
        scene.client.send_text(b"ask")
        scene.exchange()
        if has_begun:
            await settled()
        if ends == "lost":
            scene.connection.connection_lost(None)
        else:
            scene.connection.disconnect(CloseCode.BANNED)
        assert session.ended
        await settled()
        assert not answer.cancelled()
        answer.set_result("too late")
        await settled()
        assert session.heard == ["begin", "ask"]
        if ends == "disconnected":
            # The other side's answer to the close is still read.
            assert scene.transport.log_reader

    looping.run(scenario())


def test_an_error_in_work_ends_the_connection_with_the_code_to_come_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.session.answer = asyncio.get_running_loop().create_future()
        scene.client.send_text(b"ask")
        scene.exchange()
        scene.session.answer.set_exception(ZeroDivisionError())
        await settled()
        (answer,) = scene.answers()
        assert int.from_bytes(answer.data[:2], "big") == StandardCloseCode.INTERNAL_ERROR

    looping.run(scenario())
    assert "ZeroDivisionError" in caplog.text


def test_a_session_is_notified_when_the_socket_is_full_and_when_it_has_room_again(scene: Scene) -> None:
    scene.connection.pause_writing()
    assert scene.connection.is_full
    assert scene.session.behind == 1
    scene.connection.resume_writing()
    assert not scene.connection.is_full
    assert scene.session.resumed == 1


def test_nothing_is_written_to_one_who_has_said_his_last(scene: Scene) -> None:
    scene.connection.eof_received()
    scene.connection.send(encode_frames([Typing(room="main", user="Anna")]))
    assert scene.transport.written == b""
    assert scene.transport.ended == "closed"
    scene.sweep_until(1001 + CLOSE_SECONDS)
    assert scene.transport.ended == "aborted"


def test_one_who_leaves_too_many_answers_unread_is_not_listened_to_until_he_reads(scene: Scene) -> None:
    scene.connection.pause_writing()
    scene.client.send_text(b"talking is not asking")
    scene.exchange()
    assert scene.session.heard == ["begin", "talking is not asking"]
    assert scene.transport.log_reader
    scene.transport.unread = BUFFER_BYTES + ANSWERS_BYTES + 1
    scene.client.send_text(b"more")
    scene.exchange()
    assert scene.session.heard[2:] == []
    assert not scene.transport.log_reader
    scene.transport.unread = 0
    scene.connection.resume_writing()
    assert scene.session.heard[2:] == ["more"]
    assert scene.transport.log_reader


def test_what_filled_the_buffer_during_the_handshake_counts(scene: Scene) -> None:
    scene.transport.unread = BUFFER_BYTES + 1
    again = Scene(scene.transport)
    assert again.connection.is_full


def test_what_stands_behind_text_that_is_no_utf8_is_not_heard(scene: Scene) -> None:
    scene.client.send_text(b"\xff")
    scene.client.send_text(b"after")
    answers = scene.exchange()
    assert int.from_bytes(answers[0].data[:2], "big") == CloseCode.NOT_TEXT.value.code
    assert scene.session.heard == ["begin"]


def test_nothing_is_written_behind_a_close(scene: Scene) -> None:
    scene.connection.close(CloseCode.RESTARTING)
    scene.connection.send(encode_frames([Typing(room="main", user="Anna")]))
    assert [frame.opcode for frame in scene.answers()] == [Opcode.CLOSE]


def test_nothing_more_is_sent_to_a_connection_that_is_being_closed(scene: Scene) -> None:
    scene.connection.close(CloseCode.RESTARTING)
    assert scene.connection.is_full
    assert scene.session.behind == 1
    scene.connection.resume_writing()
    assert scene.connection.is_full
    assert scene.session.resumed == 0


def test_an_idle_connection_keeps_no_protocol_and_one_in_the_middle_of_a_frame_does(scene: Scene) -> None:
    lent = scene.door.lent_protocol
    scene.client.send_text(b"whole")
    scene.exchange()
    assert scene.door.lent_protocol is lent
    scene.client.send_ping(b"?")
    scene.exchange()
    assert scene.door.lent_protocol is lent
    scene.client.send_text(b"in two parts")
    data = b"".join(scene.client.data_to_send())
    for cut in range(1, len(data)):
        scene.receive(data[:cut])
        assert scene.door.lent_protocol is not lent
        lent = scene.door.lent_protocol
        scene.receive(data[cut:])
        assert scene.door.lent_protocol is lent
    assert scene.session.heard[2:] == ["in two parts"] * (len(data) - 1)


def test_two_connections_that_share_the_lent_protocol_never_meet(scene: Scene) -> None:
    other = Scene(beside=scene)
    scene.client.send_text(b"from the one, in part", fin=False)
    scene.exchange()
    other.client.send_text(b"from the other")
    other.exchange()
    scene.client.send_continuation(b" and whole", fin=True)
    scene.exchange()
    assert scene.session.heard == ["begin", "from the one, in part and whole"]
    assert other.session.heard == ["begin", "from the other"]


def test_a_client_that_reads_nothing_for_half_a_minute_gets_a_close_frame_and_is_aborted_later(
    scene: Scene,
) -> None:
    scene.transport.unread = BUFFER_BYTES + 1
    scene.connection.pause_writing()
    start = 1000.0
    while scene.now < start + STUCK_SECONDS:
        assert scene.sweep_until(scene.now + SWEEP_SECONDS) == []
    closing = scene.sweep_until(scene.now + 2 * SWEEP_SECONDS)
    assert int.from_bytes(closing[0].data[:2], "big") == CloseCode.STUCK.value.code
    assert scene.transport.ended == ""
    scene.sweep_until(scene.now + STUCK_SECONDS + SWEEP_SECONDS)
    assert scene.transport.ended == "aborted"


def test_one_who_reads_slowly_stays(scene: Scene) -> None:
    scene.transport.unread = 10 * BUFFER_BYTES
    scene.connection.pause_writing()
    for _ in range(500):
        scene.transport.unread -= 1
        assert scene.sweep_until(scene.now + STUCK_SECONDS / 2) == []
    scene.connection.resume_writing()
    assert [frame.opcode for frame in scene.sweep_until(scene.now + SWEEP_SECONDS)] == [Opcode.PING]


def test_a_flood_of_frames_is_taken_at_its_pace_and_nothing_of_it_is_lost() -> None:
    scene = Scene(rate=1)
    burst = int(FRAMES_AT_LEAST * FRAMES_SECONDS)
    flood = 10 * burst
    for _ in range(flood):
        scene.client.send_text(b"x")
    scene.exchange()
    assert len(scene.session.heard) - 1 <= burst + FRAMES_AT_ONCE
    assert not scene.transport.log_reader
    seconds = 0
    while not scene.transport.log_reader:
        scene.sweep_until(scene.now + SWEEP_SECONDS)
        seconds += 1
    assert len(scene.session.heard) - 1 == flood
    assert 0 <= seconds - 9 * burst / FRAMES_AT_LEAST <= 2


def test_a_handshake_that_must_wait_gets_nothing_before_its_response_and_has_an_end() -> None:
    scene, transport = Scene(rate=1), FakeTransport()
    connection = scene.door.connection(scene.sources.admit("127.0.0.1"))
    connection.connection_made(transport)
    connection.limiter.charge_frames(scene.now, 100 * FRAMES_AT_LEAST)
    connection.take_request(scene.client.connect())
    while not transport.ended and scene.now < 1000 + 2 * FLOOD_SECONDS:
        scene.now += SWEEP_SECONDS
        connection.check_deadlines(scene.now)
    assert transport.ended == "aborted"
    assert transport.written == b""
    assert scene.now - 1000 >= FLOOD_SECONDS


def test_one_whose_flood_does_not_end_is_sent_away_and_one_who_talks_is_not_deaf_for_it() -> None:
    scene = Scene(rate=1)
    other = Scene(beside=scene)
    for _ in range(100 * FRAMES_AT_LEAST):
        scene.client.send_ping(b"")
    scene.exchange()
    closing: list[Frame] = []
    while not closing and scene.now < 1000 + 2 * FLOOD_SECONDS:
        closing = [
            frame for frame in scene.sweep_until(scene.now + SWEEP_SECONDS) if frame.opcode is Opcode.CLOSE
        ]
    assert int.from_bytes(closing[0].data[:2], "big") == CloseCode.FLOOD.value.code
    assert scene.now - 1000 >= FLOOD_SECONDS
    other.client.send_text(b"all is well")
    other.exchange()
    assert other.session.heard == ["begin", "all is well"]


def test_some_frames_are_taken_at_a_time_so_that_others_have_their_turn(scene: Scene) -> None:
    for _ in range(6_000):
        scene.client.send_text(b"")
    scene.connection.data_received(b"".join(scene.client.data_to_send()))
    turns = 1
    while scene.soon:
        assert len(scene.soon) == 1
        assert len(scene.session.heard) - 1 == turns * FRAMES_A_TURN
        assert not scene.transport.log_reader
        scene.soon.popleft()()
        turns += 1
    assert len(scene.session.heard) - 1 == 6_000
    assert scene.transport.log_reader


def test_a_read_is_short_and_one_that_fills_the_buffer_is_followed_by_the_turns_of_others(
    scene: Scene,
) -> None:
    buffer = scene.connection.get_buffer(1 << 20)
    assert len(buffer) == BYTES_A_TURN
    assert Scene(beside=scene).connection.get_buffer(0) is buffer
    scene.client.send_text(b"x" * (BYTES_A_TURN - 8))
    buffer[:] = b"".join(scene.client.data_to_send())
    scene.connection.buffer_updated(BYTES_A_TURN)
    assert len(scene.session.heard) == 2
    assert not scene.transport.log_reader
    scene.soon.popleft()()
    assert scene.transport.log_reader


def test_of_an_address_for_which_too_much_is_held_those_who_hold_the_most_are_aborted(scene: Scene) -> None:
    other = Scene(beside=scene)
    scene.transport.unread, other.transport.unread = HELD_BYTES_OF_MACHINE, BUFFER_BYTES
    other.sweep_until(1000)
    scene.sweep_until(1000)
    other.sweep_until(1000)
    assert (scene.transport.ended, other.transport.ended) == ("aborted", "")
    assert (
        f'besedka_endings_total{{code="{CloseCode.STUCK.value.code}"}} 1'
        in Exposition(scene.metrics).text().decode()
    )


def test_answers_to_ones_own_pings_are_no_progress(scene: Scene) -> None:
    scene.transport.unread = BUFFER_BYTES + 1
    scene.connection.pause_writing()
    closing: list[Frame] = []
    while not closing and scene.now < 1000 + 2 * STUCK_SECONDS:
        scene.transport.unread += 6
        closing = [
            frame for frame in scene.sweep_until(scene.now + SWEEP_SECONDS) if frame.opcode is Opcode.CLOSE
        ]
    assert int.from_bytes(closing[0].data[:2], "big") == CloseCode.STUCK.value.code


def test_what_is_counted_can_be_read(scene: Scene) -> None:
    scene.client.send_text(b"12345")
    scene.exchange()
    scene.connection.send(encode_frames([Typing(room="main", user="Anna")]))
    scene.connection.close(CloseCode.RESTARTING)
    figures = Exposition(scene.metrics).text().decode()
    for line in (
        "besedka_connections_total 1.0",
        "besedka_connections_open 1.0",
        "besedka_bytes_received_total 5.0",
        'besedka_endings_total{code="1012"} 1.0',
    ):
        assert line in figures.splitlines()


@pytest.mark.parametrize("last", [b"\x88\x82\0\0\0\0\x03\xe8", b"\xf1\x80\0\0\0\0"])
def test_what_was_said_right_before_a_close_or_a_fault_is_heard(scene: Scene, last: bytes) -> None:
    for number in range(1_000):
        scene.client.send_text(str(number).encode())
    data = b"".join(scene.client.data_to_send())
    scene.receive(data + last)
    assert scene.session.heard == ["begin", *map(str, range(1_000))]
    assert [frame.opcode for frame in scene.answers()] == [Opcode.CLOSE]


def test_one_who_closes_while_an_answer_is_looked_up_is_not_waited_for() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.session.answer = asyncio.get_running_loop().create_future()
        scene.client.send_text(b"ask")
        scene.client.send_close()
        scene.exchange()
        scene.sweep_until(1001 + CLOSE_SECONDS)
        assert scene.transport.ended == "aborted"

    looping.run(scenario())


def test_an_error_while_a_frame_is_refused_harms_nobody_else(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Scene(beside=scene)

    def refuse(_: Refused) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(scene.session, "refuse", refuse)
    scene.client.send_text(b"x" * (FRAME_BYTES_AT_MOST + 1))
    with pytest.raises(ZeroDivisionError):
        scene.exchange()
    other.client.send_text(b"all is well")
    other.exchange()
    assert other.session.heard == ["begin", "all is well"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_connection_that_cannot_be_closed_keeps_no_other_from_being_closed_when_the_server_stops(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, is_first: bool
) -> None:
    def fall_behind() -> None:
        raise ZeroDivisionError

    first = Scene()
    second = Scene(beside=first)
    faulty, other = (first, second) if is_first else (second, first)
    monkeypatch.setattr(faulty.session, "fall_behind", fall_behind)
    looping.run(first.door.close(0))
    (closing,) = other.answers()
    assert int.from_bytes(closing.data[:2], "big") == CloseCode.RESTARTING.value.code
    assert faulty.transport.ended == "aborted"
    (record,) = caplog.records
    assert record.exc_info


def test_when_the_other_side_answers_our_close_the_connection_ends_at_once(scene: Scene) -> None:
    scene.connection.close(CloseCode.RESTARTING)
    scene.answers()
    scene.exchange()
    assert scene.transport.ended == "eof"
