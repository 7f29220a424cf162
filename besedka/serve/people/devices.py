"""Add-a-device links: another device becomes the same person, once, within minutes. Pure.

The secret behind a link is kept until the link is used or too old, in memory only.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from besedka.serve.people.names import claim_of
from besedka.wire.errors import ErrorCode, Refused

LINK_SECONDS: Final = 300
"""How long a link lasts: enough to fetch the phone."""

LINKS_AT_MOST: Final = 1_000
"""Unused links; above this number the oldest are forgotten."""

TOKEN_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Handover:
    """The identity that a link hands over.

    Attributes:
        user: the name.
        secret: the person's secret.
        until: when the link ends, on the clock by which it was made.
    """

    user: str
    secret: str
    until: float


class DeviceLinks:
    """All unused links."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Handover] = OrderedDict()

    def make(self, user: str, secret: str, now: float) -> str:
        """Create a link's token; ``now`` is any monotonic clock in seconds. A person has one link at a time."""
        replaced = [
            token
            for token, handover in self._waiting.items()
            if handover.secret == secret or handover.until <= now
        ]
        for token in replaced:
            del self._waiting[token]
        if len(self._waiting) >= LINKS_AT_MOST:
            self._waiting.popitem(last=False)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._waiting[claim_of(token)] = Handover(user, secret, now + LINK_SECONDS)
        return token

    def take(self, token: str, now: float) -> Handover:
        """Use a link; it is not valid afterwards.

        Raises:
            Refused: `bad_link`.
        """
        found = self._waiting.pop(claim_of(token), None)
        if found is None or found.until <= now:
            raise Refused(ErrorCode.BAD_LINK)
        return found
