"""All WebSocket connections of a server: who may open one, the sweep that looks after them, and their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus

from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from besedka.serve.authentication.keys import Authenticator
from besedka.serve.doors.origin import Origins
from besedka.serve.doors.timeouts import CLOSE_SECONDS, SWEEP_SLICES
from besedka.serve.doors.websocket.connection import Connection, Refusal, Session
from besedka.serve.metrics import Metrics
from besedka.serve.people.moderation import Network
from besedka.serve.rate_limits import Source, Sources
from besedka.wire.access import SUBPROTOCOL, key_brought
from besedka.wire.close_codes import CloseCode
from besedka.wire.validation import FRAME_BYTES_AT_MOST

log = logging.getLogger(__name__)


class WebSocketDoor:
    """All WebSocket connections of a server.

    Args:
        sessions: how to begin a session, by the path of the handshake.
        sources: where connections come from.
        metrics: what is counted.
        now: a clock in seconds that never goes back.
        origins: which web pages may talk to us.
        access: who may come in.
        soon: calls something when others have had their turn.
        check_network: raises `Refused` where nobody comes in from there.

    Attributes:
        check_network: the same.
        lent_protocol: an open WebSocket protocol with nothing to remember, for whoever has received something.
    """

    def __init__(
        self,
        sessions: Mapping[str, Callable[[Connection], Session]],
        sources: Sources,
        metrics: Metrics,
        now: Callable[[], float],
        *,
        origins: Origins,
        access: Authenticator,
        soon: Callable[[Callable[[], None]], object],
        check_network: Callable[[Network | None], None] = lambda _: None,
    ) -> None:
        self.metrics = metrics
        self.now = now
        self.soon = soon
        self.lent_protocol = self.make_protocol(State.OPEN)
        self._sessions = sessions
        self._sources = sources
        self._origins = origins
        self.check_network = check_network
        self._access = access
        self._connections: list[set[Connection]] = [set() for _ in range(SWEEP_SLICES)]
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        metrics.show("connections_open", "WebSocket connections open now.", lambda: self._count)

    def connection(self, source: Source, *, is_forwarded: bool = False) -> Connection:
        """A new connection, for a request that asks for an upgrade; perhaps by a proxy, for somebody else."""
        limiter = self._sources.limiter(source)
        limiter.is_forwarded = is_forwarded
        return Connection(self, limiter)

    # What connections ask for.

    def add(self, connection: Connection) -> None:
        """A connection has begun."""
        min(self._connections, key=len).add(connection)
        self._is_empty.clear()

    def remove(self, connection: Connection) -> None:
        """A connection has ended."""
        for part in self._connections:
            part.discard(connection)
        self._access.leave(connection)
        self._sources.leave(connection.limiter.source)
        if not self._count:
            self._is_empty.set()

    def make_protocol(self, state: State) -> ServerProtocol:
        """A WebSocket protocol, before or after its handshake."""
        return _Protocol(state=state, max_size=FRAME_BYTES_AT_MOST, logger=_SILENT)

    def lend_another(self) -> None:
        """The one that was lent is kept."""
        self.lent_protocol = self.make_protocol(State.OPEN)

    def refusal(self, request: Request) -> Refusal | None:
        """Why a handshake is refused, if it is."""
        path = _path(request)
        if path not in self._sessions:
            sentence = f"there is no WebSocket here; try {max(self._sessions, key=len)}"
            return Refusal(HTTPStatus.NOT_FOUND, "no_such_path", sentence)
        if not self._origins.allow(request.headers.get_all("Origin"), request.headers.get_all("Host")):
            sentence = "pages of other hosts may not talk to this chat"
            return Refusal(HTTPStatus.FORBIDDEN, "bad_origin", sentence)
        return None

    def enter(self, request: Request, connection: Connection) -> bool:
        """Whether a connection may come in by the access key that its handshake brought, if one is needed."""
        offered = (
            one.strip(" \t")
            for value in request.headers.get_all("Sec-WebSocket-Protocol")
            for one in value.split(",")
        )
        return self._access.enter(connection, key_brought(request.headers.get_all("Authorization"), offered))

    def session(self, request: Request, connection: Connection) -> Session:
        """What is said over a connection whose handshake was not refused."""
        connection.limiter.is_forwarded |= "Origin" in request.headers
        return self._sessions[_path(request)](connection)

    # What the server does.

    def look_after(self, now: float, part: int) -> None:
        """Look after one of `SWEEP_SLICES` parts of the connections."""
        for connection in tuple(self._connections[part]):
            try:
                connection.look_after(now)
            except Exception:
                # Whatever is wrong with one, the others are looked after.
                log.exception("a connection could not be looked after")
                connection.transport.abort()

    async def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """End all connections, and wait so long at most until they are gone."""
        for connection in self._all():
            connection.close(CloseCode.RESTARTING)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_empty.wait()
        for connection in self._all():
            connection.transport.abort()

    @property
    def _count(self) -> int:
        return sum(map(len, self._connections))

    def _all(self) -> list[Connection]:
        return [connection for part in self._connections for connection in part]


class _Protocol(ServerProtocol):
    """The protocol, which answers a page that offers subprotocols, as one that brings a key does."""

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in subprotocols else None


def _path(request: Request) -> str:
    return request.path.split("?", 1)[0]


_SILENT = logging.getLogger("besedka.websockets")
# The library tells of each connection at INFO, and of each frame at DEBUG: message texts do not belong in a log.
_SILENT.setLevel(logging.ERROR)
