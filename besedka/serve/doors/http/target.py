"""Request targets in absolute form (RFC 9112, section 3.2.2). Pure."""

from __future__ import annotations

import re
from typing import Final

from besedka.serve.doors.hosts import is_authority

_SCHEME: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:")
# A handshake has http: or https: (RFC 6455, section 4.1); some programs send the scheme of the socket.
_ABSOLUTE: Final = re.compile(rb"(?:https?|wss?)://([^/?#]+)(/[^?#]*)?(\?[^#]*)?", re.IGNORECASE)


class TargetBad(ValueError):  # noqa: N818 - says what is wrong
    """The target begins like an address, but cannot be one of a chat."""


def split_target(target: bytes) -> tuple[bytes, bytes] | None:
    """The authority of a target in absolute form, and its rest in origin form; None for any other form.

    Raises:
        TargetBad: it has another scheme, no host, a user, a bad port, or a fragment.
    """
    if not _SCHEME.match(target):
        return None
    found = _ABSOLUTE.fullmatch(target)
    if found is None or not is_authority(found[1].decode("latin-1")):
        raise TargetBad("an address to ask for is http://HOST/PATH; here a path alone is enough")
    return found[1], (found[2] or b"/") + (found[3] or b"")
