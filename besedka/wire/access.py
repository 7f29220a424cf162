"""The access key: what may be one, and how a client brings it.

``Authorization: Bearer KEY`` (RFC 6750, section 2.1) in a request, a handshake, or the metadata of a gRPC call. A page in a browser
cannot add a header to the handshake of a WebSocket; it offers the subprotocols ``besedka`` and ``besedka.key.KEY`` instead, and the
server answers ``besedka``. Whoever brings two different keys brings none, and so does whoever has it in a query string, which
stands in logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

KEY_CHARACTERS_AT_LEAST: Final = 16
"""A shorter one could be guessed."""

KEY_CHARACTERS_AT_MOST: Final = 256

SUBPROTOCOL: Final = "besedka"
"""What the server answers to a page that offers subprotocols."""

KEY_SUBPROTOCOL: Final = f"{SUBPROTOCOL}.key."
"""What a key stands behind among the subprotocols that a page offers."""

_SCHEME: Final = "Bearer"
# Those that are allowed in a token68 (RFC 9110, section 11.2) as well as in a token (section 5.6.2), as subprotocols are.
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._~+-]*")


def why_no_key(text: str) -> str:
    """Why this can be no access key, without saying it; an empty string if it can."""
    if not text.isascii():
        return "it is not ASCII"
    if not _CHARACTERS.fullmatch(text):
        return "it holds something else than letters, digits and - . _ ~ +"
    if len(text) < KEY_CHARACTERS_AT_LEAST:
        return f"it has {len(text)} characters, and needs {KEY_CHARACTERS_AT_LEAST} at least"
    if len(text) > KEY_CHARACTERS_AT_MOST:
        return f"it has {len(text)} characters, and may have {KEY_CHARACTERS_AT_MOST} at most"
    return ""


def authorization(key: str) -> str:
    """The value of ``Authorization`` that brings a key."""
    return f"{_SCHEME} {key}"


def key_brought(authorizations: Iterable[str], subprotocols: Iterable[str] = ()) -> str:
    """The key that a request brings by its headers; an empty string if it brings none, or several.

    Args:
        authorizations: the values of all its ``Authorization``; those of other schemes are for a proxy on the way.
        subprotocols: those that it offers.
    """
    found = {
        rest.strip(" ")
        for scheme, _, rest in (value.strip(" \t").partition(" ") for value in authorizations)
        if scheme.lower() == _SCHEME.lower()
    }
    found |= {one.removeprefix(KEY_SUBPROTOCOL) for one in subprotocols if one.startswith(KEY_SUBPROTOCOL)}
    return found.pop() if len(found) == 1 else ""
