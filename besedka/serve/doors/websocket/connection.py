"""One WebSocket connection: frames in and out, pings, and its end.

The protocol itself is `websockets`' Sans-I/O `ServerProtocol`; this module gives it bytes, a clock and a transport.
What the frames mean is the business of a `Session`, chosen by the path of the handshake.

Most connections are idle most of the time, and then keep no protocol: between two frames it has nothing to remember,
so the door lends its own to whoever has just received something.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol, cast

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from besedka.serve.doors.timeouts import (
    CLOSE_SECONDS,
    FLOOD_SECONDS,
    PING_SECONDS,
    SILENT_SECONDS,
    STUCK_SECONDS,
)
from besedka.serve.metrics import Metrics
from besedka.serve.people.moderation import Network
from besedka.serve.rate_limits import RateLimiter
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.validation import FRAME_BYTES_AT_MOST

log = logging.getLogger(__name__)

BUFFER_BYTES: Final = 64 * 1024
"""What may wait in a socket's buffer before its reader is behind."""

STUFFED_BYTES: Final = 4 * BUFFER_BYTES
"""What may wait there before its sender is not listened to any more: only answers to himself come so far."""

BITE_BYTES: Final = 16 * 1024
"""In so much at once frames are looked for before it is another's turn: a read brings up to 256 KiB."""

FRAMES_A_TURN: Final = 256
"""So many are taken before it is another's turn: the smallest have 6 bytes. Fewer would tear apart what a client says in one
go, and with it the batches in which it is told."""

PING: Final = Frame(Opcode.PING, b"").serialize(mask=False)

_NEVER: Final = float("inf")
_NOTHING: Final[Iterator[Any]] = iter(())


class Session(Protocol):
    """What is said over a connection."""

    def begin(self) -> None:
        """The connection is open."""

    def receive(self, text: str) -> None:
        """A whole text frame came in."""

    def refuse(self, refusal: Refused) -> None:
        """Tell the client that something it did was refused."""

    def fall_behind(self) -> None:
        """The socket's buffer is full, or the connection is ending: nothing more should be written."""

    def resume(self) -> None:
        """The socket's buffer has room again."""

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        """End the connection, and hear nothing more that it says."""

    def end(self) -> None:
        """The connection is gone."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a handshake is answered by no WebSocket."""

    status: HTTPStatus
    code: str
    sentence: str


class Door(Protocol):
    """What a connection needs of the door through which it came."""

    @property
    def metrics(self) -> Metrics:
        """What is counted."""

    @property
    def lent_protocol(self) -> ServerProtocol:
        """An open WebSocket protocol with nothing to remember, for whoever has received something."""

    def now(self) -> float:
        """Seconds of a clock that never goes back."""

    def soon(self, act: Callable[[], None], /) -> object:
        """Call something when others have had their turn."""

    def add(self, connection: Connection) -> None:
        """It has begun."""

    def remove(self, connection: Connection) -> None:
        """It has ended."""

    def make_protocol(self, state: State) -> ServerProtocol:
        """A WebSocket protocol, before or after its handshake."""

    def lend_another(self) -> None:
        """The one that was lent is kept."""

    def refusal(self, request: Request) -> Refusal | None:
        """Why a handshake is refused, if it is."""

    def enter(self, request: Request, connection: Connection) -> bool:
        """Whether a connection may come in by the access key that its handshake brought, if one is needed."""

    def session(self, request: Request, connection: Connection) -> Session:
        """What is said over a connection whose handshake was not refused."""

    def check_network(self, network: Network | None, /) -> None:
        """Raise `Refused` where nobody comes in from there."""


class Connection(asyncio.Protocol):
    """A WebSocket connection, from its handshake to its end.

    Args:
        door: where it belongs; it adds itself at its beginning and removes itself at its end.
        limiter: how much it may do.

    Attributes:
        is_full: nothing more should be written for now, or, if it is ending, at all.
        transport: writes, without asking.
    """

    __slots__ = (
        "_abort_at",
        "_deaf_since",
        "_deaf_until",
        "_door",
        "_frames",
        "_heard_at",
        "_is_ending",
        "_message",
        "_owed",
        "_ping_at",
        "_progress_at",
        "_protocol",
        "_received",
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
        # Between two frames None: then the door lends one. Of what was given to it, so many bytes are of no frame yet.
        self._protocol: ServerProtocol | None = door.make_protocol(State.CONNECTING)
        self._owed = 0
        self._session: Session | None = None
        # The message of which not all frames have come: whether it is text, and its frames' bytes.
        self._message: tuple[bool, bytearray] | None = None
        # What is behind in line: bytes that were received, and frames that were found in them. They wait while an
        # answer is looked up, while too many answers are unread, and while too much was sent.
        self._received = b""
        self._frames: Iterator[Frame | Request] = _NOTHING
        self._work: asyncio.Task[None] | None = None
        self._deaf_until = 0.0
        self._deaf_since = 0.0
        self._heard_at = door.now()
        self._ping_at = self._heard_at + random.uniform(0, PING_SECONDS)  # noqa: S311 - spreads load, guards nothing
        self._unsent = 0
        self._progress_at = 0.0
        self._is_ending = False
        self._abort_at = _NEVER

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=BUFFER_BYTES)
        self._door.add(self)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._door.now()
        self._received += data
        self._advance()

    def eof_received(self) -> None:
        # The other side says no more, and so there is nobody to tell: what is on its way is given a moment.
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
        self._end_session()

    # What a session calls.

    def send(self, data: bytes) -> None:
        """Write frames, if the connection still takes them."""
        if not self._is_ending:
            self._door.metrics.counters.bytes_told += len(data)
            self.transport.write(data)

    def wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        """Take nothing more from the client until some work is done, which refuses by itself. It ends with the connection."""
        self._work = asyncio.get_running_loop().create_task(work)
        self._work.add_done_callback(self._worked)

    def close(self, ending: CloseCode, seconds: float = CLOSE_SECONDS) -> None:
        """Begin to end the connection, and give the other side so long to see it."""
        protocol = self._own_protocol()
        if protocol.state is State.OPEN:
            protocol.send_close(ending.value.code, ending.value.reason)
            self._door.metrics.ended(ending.value.code)
            self._end_within(seconds)
            self._flush(protocol)

    def disconnect(self, ending: CloseCode) -> None:
        """End the connection, and hear nothing more that it says."""
        self.close(ending)
        self._end_session()

    def revoke_access(self) -> None:
        """The access key is missing, wrong, or valid no more."""
        self._door.metrics.refused(ErrorCode.NO_ACCESS)
        self.close(CloseCode.NO_ACCESS)

    # What the door's sweep calls.

    def look_after(self, now: float) -> None:
        """Ping, listen again, or give up, when it is time."""
        if now >= self._abort_at:
            self.transport.abort()
        if self._is_ending:
            return
        if self.is_full:
            self._look_for_progress(now)
        if self._deaf_since:
            self._look_at_flood(now)
        elif self._work or self.is_full:
            self._heard_at = now  # perhaps we do not listen
        elif now - self._heard_at > SILENT_SECONDS:
            self.close(CloseCode.SILENT)
        self._ping(now)

    def _ping(self, now: float) -> None:
        if now >= self._ping_at and not self.is_full and not self._is_ending:
            self._ping_at = now + PING_SECONDS
            self.transport.write(PING)

    def _look_for_progress(self, now: float) -> None:
        unsent = self.transport.get_write_buffer_size()
        # What we answer makes it grow: only what was read is progress.
        if unsent < self._unsent:
            self._progress_at = now
        elif now - self._progress_at > STUCK_SECONDS:
            # The code waits in the socket behind what was not read: it is seen by one who reads again soon.
            self.close(CloseCode.STUCK, STUCK_SECONDS)
        self._unsent = unsent

    def _look_at_flood(self, now: float) -> None:
        if now - self._deaf_since > FLOOD_SECONDS:
            self.close(CloseCode.FLOOD)
        elif now >= self._deaf_until:
            self._advance()

    # Taking what comes in.

    def _advance(self) -> None:
        """Take what is in line: the frames that were found, and those in one more bite, unless they must wait."""
        left = FRAMES_A_TURN
        has_bitten = False
        while left and not self._is_busy:
            frame = next(self._frames, None)
            if frame:
                self._take(frame)
                left -= 1
            elif self._protocol and self._protocol.close_expected() and not self._is_ending:
                self._answer_close(self._protocol)
            elif self._received and not has_bitten:
                self._bite()
                has_bitten = True
            else:
                break
        if self._is_busy:
            self.transport.pause_reading()
        elif self._received or not left:
            # Now it is the others' turn.
            self.transport.pause_reading()
            self._door.soon(self._advance)
        else:
            self._frames = _NOTHING
            self._deaf_since = 0.0
            if not self.transport.is_closing():
                self.transport.resume_reading()

    @property
    def _is_busy(self) -> bool:
        if self._work or self._door.now() < self._deaf_until:
            return True
        return self.is_full and not self._is_ending and self.transport.get_write_buffer_size() > STUFFED_BYTES

    def _bite(self) -> None:
        """Have the protocol find the frames in the next few of the received bytes."""
        data, self._received = self._received[:BITE_BYTES], self._received[BITE_BYTES:]
        protocol = self._protocol or self._door.lent_protocol
        protocol.receive_data(data)
        events = cast("list[Frame | Request]", protocol.events_received())
        self._owed += len(data) - sum(_size(frame) for frame in events if isinstance(frame, Frame))
        self._give_back(protocol)
        self._frames = iter(events)
        if protocol.close_expected() and not self._is_ending:
            # What was said before the close is heard first, but the other side is not waited for.
            self._abort_at = min(self._abort_at, self._door.now() + CLOSE_SECONDS)
        else:
            self._flush(protocol)
        self._charge(len(events))

    def _charge(self, frames: int) -> None:
        now = self._door.now()
        self.limiter.charge_frames(now, frames)
        wait = self.limiter.delay(now)
        if wait:
            self._deaf_until = now + wait
            self._deaf_since = self._deaf_since or now

    def _give_back(self, protocol: ServerProtocol) -> None:
        """Keep a protocol only if it has something to remember."""
        if protocol.state is State.OPEN and not self._owed and protocol.current_size is None:
            self._protocol = None
        elif self._protocol is None:
            self._protocol = protocol
            self._door.lend_another()

    def _own_protocol(self) -> ServerProtocol:
        if self._protocol is None:
            self._protocol = self._door.make_protocol(State.OPEN)
        return self._protocol

    def _take(self, frame: Frame | Request) -> None:
        if isinstance(frame, Request):
            self._shake_hands(frame)
        elif frame.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            is_text, message = self._message or (frame.opcode is Opcode.TEXT, bytearray())
            message += frame.data
            self._message = None if frame.fin else (is_text, message)
            if frame.fin:
                self._take_message(message, is_text=is_text)

    def _shake_hands(self, request: Request) -> None:
        protocol = self._own_protocol()
        refusal = self._door.refusal(request)
        if refusal:
            self._door.metrics.refused(refusal.code)
        response = (
            protocol.reject(refusal.status, f"{refusal.sentence}\n") if refusal else protocol.accept(request)
        )
        protocol.send_response(response)
        self._owed = 0
        if protocol.state is not State.OPEN:
            self._end_within(CLOSE_SECONDS)
            self._flush(protocol)
            return
        self._flush(protocol)
        self._protocol = None
        if not self._door.enter(request, self):
            self.revoke_access()
            return
        self._door.metrics.counters.connections += 1
        self._session = self._door.session(request, self)
        self._guarded(self._begin, self._session)
        # Until this call returns, the transport tells of a full buffer the one who was here before us.
        if self.transport.get_write_buffer_size() > BUFFER_BYTES:
            self.pause_writing()

    def _begin(self, session: Session) -> None:
        try:
            self._door.check_network(self.limiter.source.network)
        except Refused as refusal:
            # A page cannot read why a handshake is refused.
            session.disconnect(CloseCode.BANNED, refusal)
        else:
            session.begin()

    def _take_message(self, message: bytearray, *, is_text: bool) -> None:
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

    def _worked(self, done: asyncio.Task[None]) -> None:
        self._work = None
        error = None if done.cancelled() else done.exception()
        if error:
            log.error("an answer could not be given", exc_info=error)
            self.close(CloseCode.BROKEN)
        if not self.transport.is_closing():
            self._advance()

    def _guarded(self, act: Callable[..., None], *arguments: object) -> None:
        """An error of ours ends this connection, and harms no other."""
        try:
            act(*arguments)
        except Exception:
            log.exception("a frame could not be dealt with")
            self.close(CloseCode.BROKEN)

    # Ending.

    def _answer_close(self, protocol: ServerProtocol) -> None:
        """The other side has closed the connection, or has broken the protocol."""
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
                # What still comes in is read and thrown away until the other side ends, too: closing at once
                # would reset the connection, and what we have just said would be lost on its way.
                self.transport.write_eof()
            else:
                self.transport.close()
        if protocol.close_expected() and not self._is_ending:
            self._end_within(CLOSE_SECONDS)


def _size(frame: Frame) -> int:
    """How many bytes a masked frame takes (RFC 6455, section 5.2)."""
    size = len(frame.data)
    return 6 + size + (0 if size < 126 else 2 if size < 65_536 else 8)  # noqa: PLR2004 - the RFC's own numbers
