"""What can go wrong between a client and a chat::

RemoteError
├── AddressBad              what was given is no address
├── ConnectionFailed        the chat could not be reached at all, or does not want us back
│   └── ShownOut            it does not want us any more: shown out, banned, not known
├── JoinRefused             it was reached, and did not let us in
├── SayRefused              something said was refused for good
├── AskRefused              something asked for was refused: which rooms there are, who has said what, an invitation
└── TransportClosed         (inside) a connection has ended; whether to come back is its own matter
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode


class RemoteError(Exception):
    """The root of the client's own errors."""


class AddressBad(RemoteError, ValueError):  # noqa: N818 - the names of the tree say what happened
    """What was given is no address of a chat."""


class ConnectionFailed(RemoteError):  # noqa: N818
    """The chat could not be reached at all, or it does not want us back."""


class ShownOut(ConnectionFailed):
    """We were in, and are not wanted any more. Who was only shown out may come again; he should know why he was.

    Attributes:
        code: why, for programs: `kicked`, `banned` or `not_known`.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class JoinRefused(RemoteError):  # noqa: N818
    """The chat was reached, but did not let us in under this name.

    Attributes:
        code: why, for programs.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class SayRefused(RemoteError):  # noqa: N818
    """Something said was refused, and is not kept.

    Attributes:
        code: why, for programs.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class AskRefused(RemoteError):  # noqa: N818
    """Something asked for was refused.

    Attributes:
        code: why, for programs.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class TransportClosed(RemoteError):  # noqa: N818
    """A connection could not be made, or has ended.

    Attributes:
        reconnect: whether the server wants us back, or may when it is there again.
        code: why it does not, where that is about who we are: `no_access`, or as in `ShownOut`; else empty.
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
"""How a connection ends that is about who we are, and what programs call it."""


def needs_key(url: str, key: str) -> JoinRefused:
    """The chat at a URL does not let anybody in without an access key, or not with this one."""
    if key:
        return JoinRefused(
            ErrorCode.NO_ACCESS,
            f"the chat at {url} does not take the access key: it is wrong, or was withdrawn",
        )
    return JoinRefused(ErrorCode.NO_ACCESS, f"the chat at {url} needs an access key")


def not_besedka(url: str, why: object) -> ConnectionFailed:
    """What answers at a URL says what no Besedka says."""
    return ConnectionFailed(f"what answers at {url} is not Besedka: {why}")


@contextmanager
def understanding(url: str) -> Iterator[None]:
    """Read what was told there.

    Raises:
        ConnectionFailed: if it cannot be understood.
    """
    try:
        yield
    except (ValueError, OverflowError, OSError) as error:
        raise not_besedka(url, error) from None
