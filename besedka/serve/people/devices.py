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

LINKS_OF_SOURCE_AT_MOST: Final = 100
"""Unused links made from one address; above this number its oldest are forgotten, and nobody else's."""

TOKEN_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Handover:
    """The identity that a link hands over.

    Attributes:
        user: the name.
        secret: the person's secret.
        until: when the link ends, on the clock by which it was made.
        source: the address from which it was made; empty if that is not limited.
    """

    user: str
    secret: str
    until: float
    source: str = ""


class DeviceLinks:
    """All unused links."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Handover] = OrderedDict()

    def make(self, user: str, secret: str, now: float, source: str = "") -> str:
        """Create a link's token. A person has one link at a time.

        Args:
            user: the name.
            secret: the person's secret.
            now: any monotonic clock, in seconds.
            source: the person's address; empty if it is not limited.
        """
        replaced = [
            token
            for token, handover in self._waiting.items()
            if handover.secret == secret or handover.until <= now
        ]
        for token in replaced:
            del self._waiting[token]
        own = [token for token, handover in self._waiting.items() if source and handover.source == source]
        if len(own) >= LINKS_OF_SOURCE_AT_MOST:
            del self._waiting[own[0]]
        if len(self._waiting) >= LINKS_AT_MOST:
            self._waiting.popitem(last=False)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._waiting[claim_of(token)] = Handover(user, secret, now + LINK_SECONDS, source)
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
