"""What an address of the chat says behind its ``#``: a room, a message in it, and what lets one in.

::

    fragment = [room ["/" id]] *(";" name "=" value)      ; all percent-encoded (RFC 3986, section 3.5)
    name     = "key"       the access key of the chat
             / "invite"    the token of an invitation, into the room or to the name
             / "name"      the name that one is invited to
             / "device"    the token by which this device becomes a person who is known

A fragment is never sent to a server, and stands in no log of a proxy. Names that are not known are ignored. The page's twin is
``client/chat/protocol.js``; ``tests/vectors/links.json`` is read by both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

_ID: Final = re.compile(r"[1-9][0-9]{0,14}")
_TOKENS: Final = ("key", "invite", "name", "device")


@dataclass(frozen=True, slots=True)
class Fragment:
    """What stands behind the ``#``; what is not there is empty, or 0.

    Attributes:
        room: as it was written; it may be no room's name.
        id: of a message in it.
        key: the access key.
        invite: the token of an invitation.
        name: the name that one is invited to.
        device: the token of an add-a-device link.
    """

    room: str = ""
    id: int = 0
    key: str = ""
    invite: str = ""
    name: str = ""
    device: str = ""

    def __str__(self) -> str:
        """As it is written behind the ``#``."""
        place = _quoted(self.room) + (f"/{self.id}" if self.id else "")
        tokens = (f";{name}={_quoted(value)}" for name in _TOKENS if (value := getattr(self, name)))
        return place + "".join(tokens)


def read_fragment(given: str) -> Fragment:
    """What a fragment says, given with its ``#`` or without."""
    place, *tokens = given.removeprefix("#").split(";")
    room, _, number = place.partition("/")
    said = dict(token.split("=", 1) for token in tokens if "=" in token)
    return Fragment(
        room=unquote(room).strip(),
        id=int(number) if _ID.fullmatch(number) else 0,
        **{name: unquote(said[name]) for name in _TOKENS if name in said},
    )


def _quoted(text: str) -> str:
    return quote(text, safe="")
