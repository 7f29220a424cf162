"""The fragment of a link to the chat, after its ``#``: a room, a message in it, and tokens of access.

::

    fragment = [room ["/" id]] *(";" name "=" value)      ; all percent-encoded (RFC 3986, section 3.5)
    name     = "key"       the access key of the chat
             / "invite"    the token of an invitation, to the room or to the name
             / "name"      the name that the invitation is for
             / "device"    the token of an add-a-device link

A browser never sends a fragment, so no proxy logs it. Unknown names are ignored. The page's twin is
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
    """A parsed fragment; a missing part is empty, or 0.

    Attributes:
        room: as written; not checked against the rules for room names.
        id: of a message in it.
        key: the access key.
        invite: the token of an invitation.
        name: the name that the invitation is for.
        device: the token of an add-a-device link.
    """

    room: str = ""
    id: int = 0
    key: str = ""
    invite: str = ""
    name: str = ""
    device: str = ""

    def __str__(self) -> str:
        """The fragment as text, without the ``#``."""
        path = _quoted(self.room) + (f"/{self.id}" if self.id else "")
        tokens = (f";{name}={_quoted(value)}" for name in _TOKENS if (value := getattr(self, name)))
        return path + "".join(tokens)


def read_fragment(given: str) -> Fragment:
    """Parse a fragment, with or without its ``#``."""
    path, *tokens = given.removeprefix("#").split(";")
    room, _, number = path.partition("/")
    values = dict(token.split("=", 1) for token in tokens if "=" in token)
    return Fragment(
        room=unquote(room).strip(),
        id=int(number) if _ID.fullmatch(number) else 0,
        **{name: unquote(values[name]) for name in _TOKENS if name in values},
    )


def _quoted(text: str) -> str:
    return quote(text, safe="")
