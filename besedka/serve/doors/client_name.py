"""The name that a client's program gives itself, for the operator. It proves nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from besedka.wire.operator_frames import CLIENT_CHARACTERS_AT_MOST
from besedka.wire.sanitize import sanitize_line


def client_name(user_agents: Iterable[str]) -> str:
    """The first ``User-Agent``, sanitized and cut off; empty if there is none. Equal names share their memory."""
    first = next(iter(user_agents), "")
    return sys.intern(sanitize_line(first, CLIENT_CHARACTERS_AT_MOST)) if first else ""
