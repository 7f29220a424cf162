"""What can go wrong between a client and a chat::

RemoteError
├── InvalidAddress          it is no address of a chat
├── ConnectionFailed        the chat could not be reached at all, or does not want us back
├── ChatRefused             the chat refuses something, and says why by a code
│   ├── Expelled            us: we were in and are kicked, banned or not known; also a ConnectionFailed
│   ├── JoinRefused         to let us into a room
│   ├── SayRefused          a message, for good
│   └── RequestRefused      a request: a search, a private room, an invitation, moderation
└── NotConnected            there is no connection now; it comes back by itself
    └── TransportClosed     (inside) a connection was closed, or could not be made
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode


class RemoteError(Exception):
    """The root of the client library's errors."""


class InvalidAddress(RemoteError, ValueError):  # noqa: N818 - the names of the tree say what happened
    """It is no address of a chat."""


class ConnectionFailed(RemoteError):  # noqa: N818
    """The chat could not be reached at all, or it does not want us back."""


class ChatRefused(RemoteError):  # noqa: N818
    """The chat refuses something.

    Attributes:
        code: why, for programs.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Expelled(ChatRefused, ConnectionFailed):
    """We were in, and are not wanted any more: `kicked`, `banned` or `not_known`. After a kick we may come again, but should know why."""


class JoinRefused(ChatRefused):
    """The chat was reached, but did not let us into a room, or not under this name."""


class SayRefused(ChatRefused):
    """A message was refused, and is not kept."""


class RequestRefused(ChatRefused):
    """A request was refused."""


class NotConnected(RemoteError):  # noqa: N818
    """There is no connection now. It comes back by itself; ask again then."""


class TransportClosed(NotConnected):
    """A connection could not be made, or was closed.

    Attributes:
        reconnect: whether the server wants us back, or may when it is there again.
        code: why it does not, where that is about who we are: `no_access`, or as in `Expelled`; else empty.
    """

    def __init__(self, reason: str, *, reconnect: bool, code: str = "") -> None:
        super().__init__(reason)
        self.reconnect = reconnect
        self.code = code


ACCESS_ENDINGS: Final[Mapping[CloseCode, str]] = {
    CloseCode.NO_ACCESS: ErrorCode.NO_ACCESS,
    CloseCode.KICKED: "kicked",
    CloseCode.BANNED: ErrorCode.BANNED,
    CloseCode.UNKNOWN: ErrorCode.NOT_KNOWN,
}
"""How a connection is closed because of who we are, and the code that programs are given for it."""


def needs_key(url: str, key: str) -> JoinRefused:
    """The chat at a URL asks for an access key, or refuses this one."""
    if key:
        return JoinRefused(
            ErrorCode.NO_ACCESS,
            f"the chat at {url} does not take the access key: it is wrong, or was withdrawn",
        )
    return JoinRefused(ErrorCode.NO_ACCESS, f"the chat at {url} needs an access key")


def not_besedka(url: str, why: object) -> ConnectionFailed:
    """What answers at a URL sends what no Besedka sends."""
    return ConnectionFailed(f"what answers at {url} is not Besedka: {why}")


@contextmanager
def understanding(url: str) -> Iterator[None]:
    """Read what was sent from a URL.

    Raises:
        ConnectionFailed: if it cannot be understood.
    """
    try:
        yield
    except (ValueError, OverflowError, OSError) as error:
        raise not_besedka(url, error) from None
