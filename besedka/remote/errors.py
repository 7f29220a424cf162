"""The errors of the client library::

RemoteError
├── InvalidAddress          not an address of a chat
├── OtherPerson             an add-a-device link of somebody else than it promises
├── ConnectionFailed        the chat cannot be reached, or closed the connection for good
├── ChatRefused             the chat refused something; `code` says why
│   ├── Expelled            kicked, banned or unknown after having joined; also a ConnectionFailed
│   ├── JoinRefused         joining a room
│   ├── SayRefused          a message, for good
│   └── RequestRefused      a request: a search, a private room, an invitation, moderation
└── NotConnected            no connection at the moment; the library reconnects
    └── TransportClosed     (internal) a connection was closed, or could not be opened
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode
from besedka.wire.validation import SERVER_FRAME_BYTES_AT_MOST


class RemoteError(Exception):
    """The root of the client library's errors."""


class InvalidAddress(RemoteError, ValueError):  # noqa: N818 - the names of the tree say what happened
    """Not an address of a chat."""


class OtherPerson(RemoteError):  # noqa: N818
    """An add-a-device link is that of somebody else than it promises. Nothing of it was stored.

    Attributes:
        promised: the name in the link.
        user: the name that the server gives.
    """

    def __init__(self, promised: str, user: str) -> None:
        super().__init__(f"the link promises {promised}, and is one of {user}: nothing of it was stored")
        self.promised = promised
        self.user = user


class ConnectionFailed(RemoteError):  # noqa: N818
    """The chat cannot be reached, or it closed the connection for good."""


class ChatRefused(RemoteError):  # noqa: N818
    """The chat refused something. As a string it is the sentence with the code behind it, so that a program's log has both.

    Attributes:
        code: the reason, for programs.
        text: a sentence for people.
        retry_after: how many seconds to wait before trying again; None where waiting does not help.
    """

    def __init__(self, code: str, text: str, retry_after: float | None = None) -> None:
        super().__init__(code, text, retry_after)
        self.code = code
        self.text = text
        self.retry_after = retry_after or None

    def __str__(self) -> str:
        return f"{self.text} ({self.code})"


class Expelled(ChatRefused, ConnectionFailed):
    """The chat ended the session: `kicked`, `banned` or `not_known`.

    After a kick the client may connect again, but its user should see the reason first.
    """


class JoinRefused(ChatRefused):
    """The chat refused to let the client join a room, or to use this name."""


class SayRefused(ChatRefused):
    """A message was refused; it is not resent."""


class RequestRefused(ChatRefused):
    """A request was refused."""


class NotConnected(RemoteError):  # noqa: N818
    """There is no connection at the moment. The library reconnects; try again then."""


def sentence_of(error: BaseException) -> str:
    """An error as a sentence for people, without a code."""
    return error.text if isinstance(error, ChatRefused) else str(error)


class TransportClosed(NotConnected):
    """A connection could not be opened, or was closed.

    Attributes:
        reconnect: whether to connect again.
        code: the reason if access was denied or revoked: `no_access`, or as in `Expelled`; else empty.
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
"""Closes that deny or revoke access, each with the error code that programs receive for it."""


def needs_key(url: str, key: str) -> JoinRefused:
    """The error for a chat that requires an access key, or does not accept this one."""
    if key:
        return JoinRefused(
            ErrorCode.NO_ACCESS,
            f"the chat at {url} does not accept the access key: it is wrong, or was withdrawn",
        )
    return JoinRefused(ErrorCode.NO_ACCESS, f"the chat at {url} needs an access key")


def not_besedka(url: str, why: object) -> ConnectionFailed:
    """The error for a server that does not speak Besedka's protocol."""
    return ConnectionFailed(f"the server at {url} is not Besedka: {why}")


def no_answer(url: str) -> ConnectionFailed:
    """The error for a server that keeps its connection and does not answer a request."""
    return ConnectionFailed(f"the chat at {url} does not answer")


def frame_too_long(url: str) -> ConnectionFailed:
    """The server at a URL sends more at once than any Besedka does."""
    return not_besedka(url, f"a frame of more than {SERVER_FRAME_BYTES_AT_MOST} bytes")


@contextmanager
def parsing_frames(url: str) -> Iterator[None]:
    """Report errors in a server's frames as `ConnectionFailed`.

    Raises:
        ConnectionFailed: if the block raises `ValueError`, `OverflowError` or `OSError`.
    """
    try:
        yield
    except ValueError as error:
        raise not_besedka(url, error) from None
    except (OverflowError, OSError):
        # Of the C library's conversions of times, whose own sentences say nothing to anybody.
        raise not_besedka(url, "a number is out of range") from None
