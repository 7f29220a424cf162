"""The client library. Programs import it by ``from besedka import connect``; names imported from here raise a warning until 0.1.0.

`connecting`, `importing` and `device_link` have the functions that programs call, `room_client` the room that they get; `chat_connection` reconnects
by itself and carries any number of rooms; `room` holds the state of one room; `outgoing_requests` has the requests and what may answer them,
`room_pages` the pages of the list of rooms that are accepted; `transport` carries the frames.
"""

from warnings import warn

import besedka

_OLD_NAMES = {
    "AddressBad": "InvalidAddress",
    "AskRefused": "RequestRefused",
    "CarrierEnded": "NotConnected",
    "FoundMessages": "SearchResults",
    "Message": "ReceivedMessage",
    "RemoteChat": "RoomClient",
    "ShownOut": "Expelled",
}
_SAME_NAMES = frozenset(
    {
        "Act",
        "ConnectionFailed",
        "Device",
        "DeviceLink",
        "Invitation",
        "JoinRefused",
        "Kind",
        "News",
        "Redacted",
        "RemoteError",
        "RoomEntry",
        "RoomOpened",
        "SayRefused",
        "connect",
        "take_device",
    }
)

__all__ = [*_OLD_NAMES, *_SAME_NAMES]  # noqa: PLE0604 - names all the same


def __getattr__(name: str) -> object:
    if name not in _OLD_NAMES and name not in _SAME_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new = _OLD_NAMES.get(name, name)
    warn(f"besedka.remote.{name} is besedka.{new} from 0.1.0 on", DeprecationWarning, stacklevel=2)
    return getattr(besedka, new)
