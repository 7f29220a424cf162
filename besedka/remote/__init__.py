"""The client library, on which the terminal client is built: a chat as seen from afar.

`chat` is what programs use; `connection` comes back by itself, with a cursor and an outbox; `ways` says how words travel.
"""

from besedka.remote.chat import FoundMessages, Message, News, RemoteChat, connect
from besedka.remote.device import take_device
from besedka.remote.errors import (
    AddressBad,
    AskRefused,
    ConnectionFailed,
    JoinRefused,
    RemoteError,
    SayRefused,
    ShownOut,
)
from besedka.remote.errors import TransportClosed as CarrierEnded
from besedka.wire.frames import Act, Device, DeviceLink, Invitation, Kind, Redacted, RoomEntry, RoomOpened

__all__ = [
    "Act",
    "AddressBad",
    "AskRefused",
    "CarrierEnded",
    "ConnectionFailed",
    "Device",
    "DeviceLink",
    "FoundMessages",
    "Invitation",
    "JoinRefused",
    "Kind",
    "Message",
    "News",
    "Redacted",
    "RemoteChat",
    "RemoteError",
    "RoomEntry",
    "RoomOpened",
    "SayRefused",
    "ShownOut",
    "connect",
    "take_device",
]
