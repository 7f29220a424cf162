"""The access key: its format, and how a client sends it.

``Authorization: Bearer KEY`` (RFC 6750, section 2.1) in a request, a handshake, or the metadata of a gRPC call. A page in a browser
cannot add a header to the handshake of a WebSocket; it offers the subprotocols ``besedka`` and ``besedka.key.KEY`` instead, and the
server answers ``besedka``. A request with two different keys has none. A key in a query string is ignored, because query strings
end up in logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

KEY_CHARACTERS_AT_LEAST: Final = 16
"""A shorter key could be guessed."""

KEY_CHARACTERS_AT_MOST: Final = 256

SUBPROTOCOL: Final = "besedka"
"""The server's answer to a page that offers subprotocols."""

KEY_SUBPROTOCOL: Final = f"{SUBPROTOCOL}.key."
"""Prefix of the key among the subprotocols that a page offers."""

_SCHEME: Final = "Bearer"
# Allowed in a token68 (RFC 9110, section 11.2) as well as in a token (section 5.6.2), as subprotocols are.
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._~+-]*")


def why_no_key(text: str) -> str:
    """Why this cannot be an access key, without quoting it; an empty string if it can."""
    if not text.isascii():
        return "it is not ASCII"
    if not _CHARACTERS.fullmatch(text):
        return "it may hold only letters, digits and - . _ ~ +"
    if len(text) < KEY_CHARACTERS_AT_LEAST:
        return f"it has {len(text)} characters, and needs at least {KEY_CHARACTERS_AT_LEAST}"
    if len(text) > KEY_CHARACTERS_AT_MOST:
        return f"it has {len(text)} characters, and may have at most {KEY_CHARACTERS_AT_MOST}"
    return ""


def authorization(key: str) -> str:
    """The value of ``Authorization`` that carries a key."""
    return f"{_SCHEME} {key}"


def key_brought(authorizations: Iterable[str], subprotocols: Iterable[str] = ()) -> str:
    """The key in a request's headers; an empty string if there is none, or more than one.

    Args:
        authorizations: the values of all its ``Authorization`` headers; other schemes are meant for a proxy on the way.
        subprotocols: the subprotocols that it offers.
    """
    found = {
        rest.strip(" ")
        for scheme, _, rest in (value.strip(" \t").partition(" ") for value in authorizations)
        if scheme.lower() == _SCHEME.lower()
    }
    found |= {name.removeprefix(KEY_SUBPROTOCOL) for name in subprotocols if name.startswith(KEY_SUBPROTOCOL)}
    return found.pop() if len(found) == 1 else ""
