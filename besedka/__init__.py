"""Besedka: a chat that one command starts, and whose history is a file you can read with ``cat``.

Programs use it as ``from besedka import connect``. What they use is imported when they name it, so that the command line starts quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from besedka.remote.connecting import connect
    from besedka.remote.device_link import take_device
    from besedka.remote.errors import (
        ChatRefused,
        ConnectionFailed,
        Expelled,
        InvalidAddress,
        JoinRefused,
        NotConnected,
        OtherPerson,
        RemoteError,
        RequestRefused,
        SayRefused,
    )
    from besedka.remote.importing import importing
    from besedka.remote.room.events import ReceivedMessage, SearchResults
    from besedka.remote.room_client import News, RoomClient
    from besedka.wire.frames import (
        Act,
        Device,
        DeviceLink,
        Invitation,
        Kind,
        Redacted,
        RoomEntry,
        RoomOpened,
    )
    from besedka.wire.message import Message, MessageId

__version__ = "0.1.0"

__all__ = [
    "Act",
    "ChatRefused",
    "ConnectionFailed",
    "Device",
    "DeviceLink",
    "Expelled",
    "InvalidAddress",
    "Invitation",
    "JoinRefused",
    "Kind",
    "Message",
    "MessageId",
    "News",
    "NotConnected",
    "OtherPerson",
    "ReceivedMessage",
    "Redacted",
    "RemoteError",
    "RequestRefused",
    "RoomClient",
    "RoomEntry",
    "RoomOpened",
    "SayRefused",
    "SearchResults",
    "connect",
    "importing",
    "take_device",
]

_MODULES = (
    "besedka.remote.errors",
    "besedka.wire.message",
    "besedka.wire.frames",
    "besedka.remote.room.events",
    "besedka.remote.room_client",
    "besedka.remote.connecting",
    "besedka.remote.device_link",
    "besedka.remote.importing",  # last, because it needs gRPC
)


def __getattr__(name: str) -> object:
    if name in __all__:
        for module in map(import_module, _MODULES):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
