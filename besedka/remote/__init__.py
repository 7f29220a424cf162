"""The client library, on which the terminal client is built: a chat as seen from afar.

`chat` is what programs use; `connection` comes back by itself, with a cursor and an outbox; `ways` says how words travel.
"""

from besedka.remote.chat import FoundMessages, Message, RemoteChat, connect
from besedka.remote.errors import (
    AddressBad,
    AskRefused,
    CarrierEnded,
    ConnectionFailed,
    JoinRefused,
    RemoteError,
    SayRefused,
)
from besedka.wire.words import RoomEntry

__all__ = [
    "AddressBad",
    "AskRefused",
    "CarrierEnded",
    "ConnectionFailed",
    "FoundMessages",
    "JoinRefused",
    "Message",
    "RemoteChat",
    "RemoteError",
    "RoomEntry",
    "SayRefused",
    "connect",
]
