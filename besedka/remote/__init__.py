"""The client library. Programs write ``from besedka import connect``; the names that they found here work until 0.1.0, with a warning.

`room_client` is what programs use; `connection` comes back by itself and carries any number of rooms; `room` is what is known of one of
them; `transport` is how frames travel.
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
