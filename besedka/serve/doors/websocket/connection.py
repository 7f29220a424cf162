"""One WebSocket connection: frames in and out, pings, and its end.

The protocol itself is `websockets`' Sans-I/O `ServerProtocol`; this module gives it bytes, a clock and a transport.
The path of the handshake chooses a `Session`, which knows the meaning of the frames.

Most connections are idle most of the time, and then have no protocol object: between two frames it has no state, so the door
lends its own to the connection that has just received something. Whole messages of text need none (`text_frames`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterator
from http import HTTPStatus
from typing import Any, Final, Protocol, cast

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from besedka.serve.doors.buffers import BUFFER_BYTES, TLS_BYTES, is_over_tls, limit_buffers, unsent_bytes
from besedka.serve.doors.timeouts import (
    CLOSE_SECONDS,
    FLOOD_SECONDS,
    PING_SECONDS,
    SILENT_SECONDS,
    STUCK_SECONDS,
)
from besedka.serve.doors.websocket.frame_ends import end_of_frames
from besedka.serve.doors.websocket.text_frames import text_frames
from besedka.serve.limits.networks import Network
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.metrics import Metrics
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.validation import FRAME_BYTES_AT_MOST

log = logging.getLogger(__name__)

ANSWERS_BYTES: Final = 32 * 1024
"""Unsent bytes above those with which a connection is full, and its subscribers fall behind, from which on it is not read any more: only
responses to its own requests get this far. One that is behind is read, so that somebody with a slow line can post in a busy room."""

BYTES_A_TURN: Final = 16 * 1024
"""Bytes that are read, and parsed, before it is another connection's turn; and those that wait unparsed while a client owes."""

FRAMES_AT_ONCE: Final = 64
"""Frames that are parsed at once. Others wait as bytes: a frame of 6 bytes is an object of 250."""

FRAMES_A_TURN: Final = 256
"""Frames that are handled before it is another connection's turn; the smallest have 6 bytes. A lower limit would split what a
client sends at once, and with it the batches in which it is delivered."""

PING: Final = Frame(Opcode.PING, b"").serialize(mask=False)

_READ_BUFFER: Final = memoryview(bytearray(BYTES_A_TURN))
"""The buffer that all connections are read into: its content is copied before the next read."""

_NEVER: Final = float("inf")
_NOTHING: Final[Iterator[Any]] = iter(())


class Session(Protocol):
    """The application's side of a connection."""

    def begin(self) -> None:
        """Begin: the connection is open."""

    def receive(self, text: str) -> None:
        """Handle a complete text message."""

    def refuse(self, refusal: Refused) -> None:
        """Report a refusal to the client."""

    def fall_behind(self) -> None:
        """Write nothing more: the socket's buffer is full, or the connection is ending."""

    def resume(self) -> None:
        """Write again: the socket's buffer has room."""

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        """End the connection, and handle nothing more from it."""

    def end(self) -> None:
        """Clean up: the connection is gone."""


class Door(Protocol):
    """The door, as its connections see it."""

    @property
    def metrics(self) -> Metrics:
        """The server's metrics."""

    @property
    def handshake_protocol(self) -> ServerProtocol:
        """The WebSocket protocol of all connections whose handshake is not answered."""

    @property
    def lent_protocol(self) -> ServerProtocol:
        """An open WebSocket protocol without state, for a connection that has just received something."""

    def now(self) -> float:
        """The time of a monotonic clock, in seconds."""

    def soon(self, act: Callable[[], None], /) -> object:
        """Call something after other connections have had their turn."""

    def add(self, connection: Connection) -> None:
        """Register a new connection."""

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has ended."""

    def make_protocol(self, state: State) -> ServerProtocol:
        """A WebSocket protocol, before or after its handshake."""

    def lend_another(self) -> None:
        """Make a new protocol to lend: the connection keeps the one that it was lent."""

    def response(self, request: Request, network: Network | None) -> Response:
        """The response to a handshake from an address: 101 if it is accepted, else an error."""

    def enter(self, request: Request, connection: Connection) -> bool:
        """Register a connection with its handshake's access key; False if the key is not valid."""

    def session(self, request: Request, connection: Connection) -> Session:
        """A session for a connection whose handshake was accepted."""

    def check_network(self, network: Network | None, /) -> None:
        """Raise `Refused` if the network is banned."""


class Connection(asyncio.BufferedProtocol):
    """A WebSocket connection, from its handshake to its end.

    Args:
        door: the door that it came through; it adds itself at its beginning and removes itself at its end.
        limiter: its rate limits.

    Attributes:
        is_full: nothing more should be written for now, or, if it is ending, at all.
        transport: writes without a check of `is_full`.
    """

    __slots__ = (
        "_abort_at",
        "_door",
        "_frames",
        "_header",
        "_held",
        "_is_ending",
        "_message",
        "_missing",
        "_paused_since",
        "_paused_until",
        "_ping_at",
        "_progress_at",
        "_protocol",
        "_received",
        "_received_at",
        "_session",
        "_unsent",
        "_work",
        "is_full",
        "limiter",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, door: Door, limiter: RateLimiter) -> None:
        self.is_full = False
        self.limiter = limiter
        self._door = door
        # None between two frames: then the door lends one. In the middle of a frame it has an incomplete header, or all but some
        # missing bytes. Until the handshake is answered it is the door's.
        self._protocol: ServerProtocol | None = door.handshake_protocol
        self._header = b""
        self._missing = 0
        self._session: Session | None = None
        # A message whose last frame has not arrived: whether it is text, and its frames' bytes.
        self._message: tuple[bool, bytearray] | None = None
        # The input queue: received bytes, and frames parsed from earlier ones (bytes: a message of text). It waits while a request is being answered,
        # while too many responses are unread, and while the client exceeds its rate.
        self._received = b""
        self._frames: Iterator[bytes | Frame | Request] = _NOTHING
        self._work: asyncio.Task[None] | None = None
        self._paused_until = 0.0
        self._paused_since = 0.0
        self._received_at = door.now()
        self._ping_at = self._received_at + random.uniform(0, PING_SECONDS)  # noqa: S311 - spreads load, guards nothing
        self._unsent = 0
        self._held = 0
        self._progress_at = 0.0
        self._is_ending = False
        self._abort_at = _NEVER

    # Callbacks of the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        limit_buffers(self.transport)
        self._door.add(self)

    def take_request(self, request: Request) -> None:
        """Answer the request for a WebSocket, when the rate limit allows it."""
        self._frames = iter((request,))
        self._charge(1)
        self._advance()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the same for all
        return _READ_BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(_READ_BUFFER[:nbytes]))
        if nbytes == BYTES_A_TURN and self.transport.is_reading():
            # The loop would read on at once, up to 32 times.
            self.transport.pause_reading()
            self._door.soon(self._advance)

    def data_received(self, data: bytes) -> None:
        """Take bytes that the client has sent."""
        self._received_at = self._door.now()
        self._received += data
        self._advance()

    def eof_received(self) -> None:
        # The other side has gone, so no close frame is sent; data in flight is given a moment.
        self._end_within(CLOSE_SECONDS)
        self.transport.close()

    def pause_writing(self) -> None:
        if not self._is_ending:
            self._unsent = self.transport.get_write_buffer_size()
            self._progress_at = self._door.now()
            self._door.metrics.counters.fell_behind += 1
            self._fill()

    def resume_writing(self) -> None:
        if self._is_ending:
            return
        self.is_full = False
        if self._session:
            self._session.resume()
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended
        self._door.remove(self)
        self._is_ending = True
        self._received, self._frames = b"", _NOTHING
        self._hold(0)
        self._end_session()

    # For sessions.

    def send(self, data: bytes) -> None:
        """Write frames, unless the connection is ending."""
        if not self._is_ending:
            self._door.metrics.counters.bytes_told += len(data)
            self.transport.write(data)

    def wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        """Read nothing more from the client until some work is done. The work reports refusals itself, and ends with the connection."""
        self._work = asyncio.get_running_loop().create_task(work)
        self._work.add_done_callback(self._work_done)

    def close(self, ending: CloseCode, seconds: float = CLOSE_SECONDS) -> None:
        """Send a close frame, and abort if the other side has not answered after some seconds."""
        protocol = self._own_protocol()
        if protocol is self._door.handshake_protocol:
            self.transport.abort()
        elif protocol.state is State.OPEN:
            protocol.send_close(ending.value.code, ending.value.reason)
            self._door.metrics.ended(ending.value.code)
            self._end_within(seconds)
            self._flush(protocol)

    def disconnect(self, ending: CloseCode) -> None:
        """End the connection, and handle nothing more from it."""
        self.close(ending)
        self._end_session()

    def revoke_access(self) -> None:
        """End the connection: its access key is missing, wrong, or withdrawn."""
        self._door.metrics.refused(ErrorCode.NO_ACCESS, self.limiter.source.network)
        self.close(CloseCode.NO_ACCESS)

    def abort(self) -> None:
        """Cut the connection off at once, without a close frame."""
        self.transport.abort()

    # For the door's sweep.

    def check_deadlines(self, now: float) -> None:
        """Ping, read again, or give up, when it is time."""
        self._hold(self._bytes_held)
        if now >= self._abort_at:
            self.transport.abort()
        elif self.limiter.source.held.is_too_much(self._held):
            # A close frame would queue behind the unread data, and that is what must go.
            self._door.metrics.ended(CloseCode.STUCK.value.code)
            self.transport.abort()
            return
        if self._is_ending:
            return
        if self.is_full:
            self._look_for_progress(now)
        if self._paused_since:
            self._look_at_flood(now)
        elif self._work or self.is_full:
            self._received_at = now  # reading may be paused, so silence proves nothing
        elif now - self._received_at > SILENT_SECONDS:
            self.close(CloseCode.SILENT)
        self._ping(now)

    def _ping(self, now: float) -> None:
        if now >= self._ping_at and self._session and not self.is_full:
            self._ping_at = now + PING_SECONDS
            self.transport.write(PING)

    def _look_for_progress(self, now: float) -> None:
        unsent = self.transport.get_write_buffer_size()
        # Responses make it grow: only a shrinking buffer shows that the client reads.
        if unsent < self._unsent:
            self._progress_at = now
        elif now - self._progress_at > STUCK_SECONDS:
            # The close frame queues behind the unread data: a client that reads again soon will see it.
            self.close(CloseCode.STUCK, STUCK_SECONDS)
        self._unsent = unsent

    def _look_at_flood(self, now: float) -> None:
        if now - self._paused_since > FLOOD_SECONDS:
            self.close(CloseCode.FLOOD)
        elif now >= self._paused_until:
            self._advance()

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""
        return unsent_bytes(self.transport)

    @property
    def _bytes_held(self) -> int:
        """Bytes that it holds: unsent ones, and those of the client that are not handled yet."""
        partial = len(self._protocol.reader.buffer) if self._protocol else 0
        message = len(self._message[1]) if self._message else 0
        return unsent_bytes(self.transport) + len(self._received) + partial + message

    def _hold(self, held: int) -> None:
        self.limiter.source.held.change(self._held, held)
        self._held = held

    # Input.

    def _advance(self) -> None:
        """Handle queued input: the frames parsed already, and those in the next `BYTES_A_TURN`, unless they must wait."""
        left, bytes_left = FRAMES_A_TURN, BYTES_A_TURN
        while not (is_busy := self._is_busy) and left:
            frame = next(self._frames, None)
            if frame is not None:
                self._take(frame)
                left -= 1
            elif self._protocol and self._protocol.close_expected() and not self._is_ending:
                self._answer_close(self._protocol)
            elif self._received and bytes_left > 0:
                bytes_left -= self._parse_next()
            else:
                break
        if is_busy:
            self.transport.pause_reading()
        elif self._received or not left:
            # Let other connections have their turn.
            self.transport.pause_reading()
            self._door.soon(self._advance)
        else:
            self._frames = _NOTHING
            self._paused_since = 0.0
            if not self.transport.is_closing():
                self.transport.resume_reading()

    @property
    def _is_busy(self) -> bool:
        if self._work or (self._paused_until and self._door.now() < self._paused_until):
            return True
        if not self.is_full or self._is_ending:
            return False
        return self.transport.get_write_buffer_size() > self._full_bytes + ANSWERS_BYTES

    @property
    def _full_bytes(self) -> int:
        """Unsent bytes above which it is full."""
        return TLS_BYTES if is_over_tls(self.transport) else BUFFER_BYTES

    def _parse_next(self) -> int:
        """Parse the next few of the received bytes, and return their number."""
        if not self._protocol:
            messages, end = text_frames(self._received, FRAMES_AT_ONCE)
            if messages:
                self._received = self._received[end:]
                self._frames = iter(messages)
                self._charge(len(messages))
                return end
        return self._parse_by_protocol()

    def _parse_by_protocol(self) -> int:
        protocol = self._protocol or self._door.lent_protocol
        data = self._next_bytes()
        protocol.receive_data(data)
        events = cast("list[Frame | Request]", protocol.events_received())
        self._give_back(protocol)
        self._frames = iter(events)
        if protocol.close_expected() and not self._is_ending:
            # Frames before the close are handled first, but the connection does not outlive the close timeout.
            self._abort_at = min(self._abort_at, self._door.now() + CLOSE_SECONDS)
        else:
            self._flush(protocol)
        self._charge(len(events))
        return len(data)

    def _next_bytes(self) -> bytes:
        """Take a few frames from the received bytes, or the beginning of one."""
        received, header = self._received, self._header
        end = end_of_frames(header + received if header else received, self._missing, FRAMES_AT_ONCE)
        if not end:
            self._received, self._header = b"", header + received
            return received
        if header:
            end, self._header = end - len(header), b""
        self._missing = max(0, end - len(received))
        self._received = received[end:]
        return received[:end]

    def _charge(self, frames: int) -> None:
        now = self._door.now()
        self.limiter.charge_frames(now, frames)
        wait = self.limiter.delay(now)
        if wait:
            self._paused_until = now + wait
            self._paused_since = self._paused_since or now

    def _give_back(self, protocol: ServerProtocol) -> None:
        """Keep a protocol only if it has state."""
        is_between = not self._missing and not self._header and protocol.current_size is None
        if is_between and protocol.state is State.OPEN:
            self._protocol = None
        elif self._protocol is None:
            self._protocol = protocol
            self._door.lend_another()

    def _own_protocol(self) -> ServerProtocol:
        if self._protocol is None:
            self._protocol = self._door.make_protocol(State.OPEN)
        return self._protocol

    def _take(self, frame: bytes | Frame | Request) -> None:
        if isinstance(frame, bytes):
            self._take_message(frame)
        elif isinstance(frame, Request):
            self._answer_handshake(frame)
        elif frame.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            is_text, message = self._message or (frame.opcode is Opcode.TEXT, bytearray())
            message += frame.data
            self._message = None if frame.fin else (is_text, message)
            if frame.fin:
                self._take_message(message, is_text=is_text)

    def _answer_handshake(self, request: Request) -> None:
        response = self._door.response(request, self.limiter.source.network)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            response.headers["Cache-Control"] = "no-store"
            protocol = self._protocol = self._door.make_protocol(State.CONNECTING)
            protocol.send_response(response)
            self._end_within(CLOSE_SECONDS)
            self._flush(protocol)
            return
        self._protocol = None
        self.transport.write(response.serialize())
        if not self._door.enter(request, self):
            self.revoke_access()
            return
        self._door.metrics.counters.connections += 1
        self._session = self._door.session(request, self)
        self._guarded(self._begin, self._session)
        # A buffer that was full before is not reported again.
        if self.transport.get_write_buffer_size() > self._full_bytes:
            self.pause_writing()

    def _begin(self, session: Session) -> None:
        try:
            self._door.check_network(self.limiter.source.network)
        except Refused as refusal:
            # A page cannot read the response to a refused handshake.
            session.disconnect(CloseCode.BANNED, refusal)
        else:
            session.begin()

    def _take_message(self, message: bytes | bytearray, *, is_text: bool = True) -> None:
        if self._session is None or self._is_ending:
            return
        if not is_text:
            self._session.refuse(Refused(ErrorCode.BINARY_FRAME))
            return
        try:
            text = message.decode()
        except UnicodeDecodeError:
            # RFC 6455, section 8.1: such a connection must be failed.
            self._fail(CloseCode.NOT_TEXT)
            return
        self._door.metrics.counters.bytes_received += len(message)
        self._guarded(self._session.receive, text)

    def _work_done(self, done: asyncio.Task[None]) -> None:
        self._work = None
        error = None if done.cancelled() else done.exception()
        if error:
            log.error("an answer could not be given", exc_info=error)
            self.close(CloseCode.BROKEN)
        if not self.transport.is_closing():
            self._advance()

    def _guarded(self, act: Callable[..., None], *arguments: object) -> None:
        """Call something; an error of the server in it ends this connection only."""
        try:
            act(*arguments)
        except Exception:
            log.exception("a frame could not be dealt with")
            self.close(CloseCode.BROKEN)

    # Ending.

    def _answer_close(self, protocol: ServerProtocol) -> None:
        """Finish after the other side has closed the connection, or broken the protocol."""
        if isinstance(protocol.parser_exc, PayloadTooBig) and self._session:
            self._session.refuse(Refused(ErrorCode.FRAME_TOO_LONG, limit=FRAME_BYTES_AT_MOST))
        if protocol.parser_exc and protocol.close_sent:
            self._door.metrics.ended(protocol.close_sent.code)
        self._flush(protocol)

    def _fail(self, ending: CloseCode) -> None:
        protocol = self._own_protocol()
        protocol.fail(ending.value.code, ending.value.reason)
        self._door.metrics.ended(ending.value.code)
        self._flush(protocol)

    def _fill(self) -> None:
        self.is_full = True
        if self._session:
            self._session.fall_behind()

    def _end_session(self) -> None:
        if self._work:
            self._work.cancel()
        if self._session:
            self._session.end()
            self._session = None

    def _end_within(self, seconds: float) -> None:
        self._is_ending = True
        self._abort_at = min(self._abort_at, self._door.now() + seconds)
        self._fill()

    def _flush(self, protocol: ServerProtocol) -> None:
        for data in protocol.data_to_send():
            if data:
                self.transport.write(data)
            elif self.transport.can_write_eof():
                # Further input is read and dropped until the other side closes, too: closing at once would reset the
                # connection, and what was just written would be lost.
                self.transport.write_eof()
            else:
                self.transport.close()
        if protocol.close_expected() and not self._is_ending:
            self._end_within(CLOSE_SECONDS)
