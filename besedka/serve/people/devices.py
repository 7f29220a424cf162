"""Taking a name along: links by which another device becomes the same person, once, within minutes. Pure.

The secret of who asks for a link is kept until it is taken or too old, in memory only.
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
"""Links that wait to be taken; those made first are forgotten."""

TOKEN_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Handover:
    """Who somebody is.

    Attributes:
        user: the name.
        secret: what shows it.
        until: on the clock by which it was made.
    """

    user: str
    secret: str
    until: float


class DeviceLinks:
    """All links that wait to be taken."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Handover] = OrderedDict()

    def make(self, user: str, secret: str, now: float) -> str:
        """A token for somebody; ``now`` is any clock in seconds that never goes back. One person has one link at a time."""
        mine = [token for token, one in self._waiting.items() if one.secret == secret or one.until <= now]
        for token in mine:
            del self._waiting[token]
        if len(self._waiting) >= LINKS_AT_MOST:
            self._waiting.popitem(last=False)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._waiting[claim_of(token)] = Handover(user, secret, now + LINK_SECONDS)
        return token

    def take(self, token: str, now: float) -> Handover:
        """Who it makes one; it is of no use afterwards.

        Raises:
            Refused: `bad_link`.
        """
        found = self._waiting.pop(claim_of(token), None)
        if found is None or found.until <= now:
            raise Refused(ErrorCode.BAD_LINK)
        return found
