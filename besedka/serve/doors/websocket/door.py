"""All WebSocket connections of a server: their handshakes, the sweep that checks their deadlines, and their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus

from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from besedka.serve.act_on_each import act_on_each
from besedka.serve.authentication.keys import Authenticator
from besedka.serve.doors.client_name import client_name
from besedka.serve.doors.origin import Origins
from besedka.serve.doors.timeouts import CLOSE_SECONDS, SWEEP_SLICES
from besedka.serve.doors.websocket.connection import Connection, Session
from besedka.serve.limits.networks import Network
from besedka.serve.limits.rate_limits import Source
from besedka.serve.limits.sources import Sources
from besedka.serve.log_event import event
from besedka.serve.metrics import Metrics
from besedka.serve.refusal_tally import HERE
from besedka.wire.access import SUBPROTOCOL, key_brought
from besedka.wire.close_codes import CloseCode
from besedka.wire.languages import ACCEPT_LANGUAGE, LANGUAGE_SUBPROTOCOL
from besedka.wire.validation import FRAME_BYTES_AT_MOST

log = logging.getLogger(__name__)


class WebSocketDoor:
    """All WebSocket connections of a server.

    Args:
        sessions: factories of sessions for a connection and the languages that it says, by the path of the handshake.
        sources: the addresses of clients, with their limits.
        metrics: the server's metrics.
        now: a monotonic clock, in seconds.
        origins: the web pages that may connect.
        access: the valid access keys.
        soon: calls something after other connections have had their turn.
        check_network: raises `Refused` if a network is banned.

    Attributes:
        check_network: the same.
        handshake_protocol: the WebSocket protocol of all connections whose handshake is not answered; it has no state, either.
        lent_protocol: an open WebSocket protocol without state, for a connection that has just received something.
    """

    def __init__(
        self,
        sessions: Mapping[str, Callable[[Connection, Iterable[str]], Session]],
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
        self.handshake_protocol = self.make_protocol(State.CONNECTING)
        self.lent_protocol = self.make_protocol(State.OPEN)
        self._sessions = sessions
        self._sources = sources
        self._origins = origins
        self.check_network = check_network
        self._access = access
        self._connections: list[set[Connection]] = [set() for _ in range(SWEEP_SLICES)]
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        metrics.show("connections_open", "WebSocket connections open now.", lambda: self.count)

    def connection(self, source: Source, *, is_forwarded: bool = False) -> Connection:
        """A connection for a request for an upgrade, perhaps through a proxy."""
        limiter = self._sources.limiter(source)
        limiter.is_forwarded = is_forwarded
        return Connection(self, limiter)

    # For connections.

    def add(self, connection: Connection) -> None:
        """Register a new connection."""
        min(self._connections, key=len).add(connection)
        self._is_empty.clear()
        _log_connection("%s has connected", "connected", connection)

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        for part in self._connections:
            part.discard(connection)
        _log_connection("%s is disconnected", "disconnected", connection)
        self._access.leave(connection)
        self._sources.leave(connection.limiter.source)
        if not self.count:
            self._is_empty.set()

    def make_protocol(self, state: State) -> ServerProtocol:
        """A WebSocket protocol, before or after its handshake."""
        return _Protocol(state=state, max_size=FRAME_BYTES_AT_MOST, logger=_SILENT)

    def lend_another(self) -> None:
        """Make a new protocol to lend: a connection keeps the one that it was lent."""
        self.lent_protocol = self.make_protocol(State.OPEN)

    def response(self, request: Request, network: Network | None) -> Response:
        """The response to a handshake from an address: 101 if it is accepted, else an error."""
        if _path(request) not in self._sessions:
            sentence = f"there is no WebSocket here; try {max(self._sessions, key=len)}"
            return self._refusal(HTTPStatus.NOT_FOUND, "no_such_path", sentence, network)
        if not self._origins.allow(request.headers.get_all("Origin"), request.headers.get_all("Host")):
            sentence = "pages of other hosts may not talk to this chat"
            return self._refusal(HTTPStatus.FORBIDDEN, "bad_origin", sentence, network)
        return self.handshake_protocol.accept(request)

    def _refusal(self, status: HTTPStatus, code: str, sentence: str, network: Network | None) -> Response:
        self.metrics.refused(code, network)
        return self.handshake_protocol.reject(status, f"{sentence}\n")

    def enter(self, request: Request, connection: Connection) -> bool:
        """Register a connection with its handshake's access key; False if the key is not valid."""
        key = key_brought(request.headers.get_all("Authorization"), _offered(request))
        return self._access.enter(connection, key)

    def session(self, request: Request, connection: Connection) -> Session:
        """A session for a connection whose handshake was accepted."""
        connection.limiter.is_forwarded |= "Origin" in request.headers
        connection.limiter.client = client_name(request.headers.get_all("User-Agent"))
        return self._sessions[_path(request)](connection, _languages(request))

    # For the server.

    def look_after(self, now: float, part: int) -> None:
        """Check the deadlines of one of `SWEEP_SLICES` parts of the connections."""
        act_on_each(
            tuple(self._connections[part]),
            lambda connection: connection.check_deadlines(now),
            "a connection could not be looked after",
        )

    async def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """End all connections; abort those that are not gone after some seconds."""
        act_on_each(
            self._all(),
            lambda connection: connection.close(CloseCode.RESTARTING),
            "a connection could not be closed",
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_empty.wait()
        for connection in self._all():
            connection.transport.abort()

    @property
    def count(self) -> int:
        """The number of open connections."""
        return sum(map(len, self._connections))

    def _all(self) -> list[Connection]:
        return [connection for part in self._connections for connection in part]


class _Protocol(ServerProtocol):
    """The protocol, with the subprotocol by which a page can send its access key."""

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in subprotocols else None


def _log_connection(sentence: str, kind: str, connection: Connection) -> None:
    if log.isEnabledFor(logging.DEBUG):
        address = str(connection.limiter.source.network or HERE)
        number = connection.limiter.connection
        log.debug(sentence, address, extra=event(kind, address=address, connection=number))


def _path(request: Request) -> str:
    return request.path.split("?", 1)[0]


def _offered(request: Request) -> Iterator[str]:
    """The subprotocols that a handshake offers."""
    for value in request.headers.get_all("Sec-WebSocket-Protocol"):
        for name in value.split(","):
            yield name.strip(" \t")


def _languages(request: Request) -> Iterator[str]:
    """The languages that a client names; first the page's own, which may not be its browser's."""
    for name in _offered(request):
        if name.startswith(LANGUAGE_SUBPROTOCOL):
            yield name.removeprefix(LANGUAGE_SUBPROTOCOL)
    yield ",".join(request.headers.get_all(ACCEPT_LANGUAGE))


_SILENT = logging.getLogger("besedka.websockets")
# The library logs each connection at INFO, and each frame at DEBUG: message texts do not belong in a log.
_SILENT.setLevel(logging.ERROR)
