"""Add-a-device links: another device becomes the same person, once, within minutes. Pure.

The secret behind a link is kept until the link is used or too old, in memory only.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from besedka.serve.limits.networks import Network, share_of_site, site_of
from besedka.serve.people.names import claim_of
from besedka.wire.errors import ErrorCode, Refused

LINK_SECONDS: Final = 300
"""How long a link lasts: enough to fetch the phone."""

LINKS_AT_MOST: Final = 1_000
"""Unused links; above this number the oldest of the site with the most are forgotten."""

LINKS_OF_SOURCE_AT_MOST: Final = 100
"""Unused links made from one address; above this number its oldest are forgotten, and nobody else's."""

LINKS_OF_SITE_AT_MOST: Final = share_of_site(LINKS_OF_SOURCE_AT_MOST, LINKS_AT_MOST)
"""The same for an IPv6 site."""

TOKEN_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Handover:
    """The identity that a link hands over.

    Attributes:
        user: the name.
        secret: the person's secret.
        until: when the link ends, on the clock by which it was made.
        network: the address from which it was made; None if that is not limited.
    """

    user: str
    secret: str
    until: float
    network: Network | None = None


class DeviceLinks:
    """All unused links."""

    @property
    def size(self) -> int:
        """The number of links that can be used."""
        return len(self._waiting)

    def __init__(self) -> None:
        self._waiting: dict[str, Handover] = {}
        self._of_site: dict[Network | None, dict[str, Handover]] = {}

    def make(self, user: str, secret: str, now: float, network: Network | None = None) -> str:
        """Create a link's token. A person has one link at a time.

        Args:
            user: the name.
            secret: the person's secret.
            now: any monotonic clock, in seconds.
            network: the person's address; None if it is not limited.
        """
        replaced = [
            token
            for token, handover in self._waiting.items()
            if handover.secret == secret or handover.until <= now
        ]
        for token in replaced:
            self._pop(token)
        if network is not None:
            self._make_space(network)
        if len(self._waiting) >= LINKS_AT_MOST:
            of_site = max(self._of_site.values(), key=len)
            self._pop(next(iter(of_site)))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        claim, handover = claim_of(token), Handover(user, secret, now + LINK_SECONDS, network)
        self._waiting[claim] = handover
        self._of_site.setdefault(site_of(network), {})[claim] = handover
        return token

    def take(self, token: str, now: float) -> Handover:
        """Use a link; it is not valid afterwards.

        Raises:
            Refused: `bad_link`.
        """
        found = self._pop(claim_of(token))
        if found is None or found.until <= now:
            raise Refused(ErrorCode.BAD_LINK)
        return found

    def _pop(self, token: str) -> Handover | None:
        found = self._waiting.pop(token, None)
        if found:
            site = site_of(found.network)
            del self._of_site[site][token]
            if not self._of_site[site]:
                del self._of_site[site]
        return found

    def _make_space(self, network: Network) -> None:
        """Forget the oldest link of an address, or of its site, that has as many as it may."""
        of_site = self._of_site.get(site_of(network), {})
        own = [token for token, of in of_site.items() if of.network == network]
        if len(own) >= LINKS_OF_SOURCE_AT_MOST:
            self._pop(own[0])
        elif len(of_site) >= LINKS_OF_SITE_AT_MOST:
            self._pop(next(iter(of_site)))
