"""Add-a-device links: another device becomes the same person, once, within minutes. Pure.

The secret behind a link is kept until the link is used or too old, in memory only.
"""

from __future__ import annotations

import secrets
from collections import Counter, OrderedDict
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

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Handover] = OrderedDict()

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
            del self._waiting[token]
        if network is not None:
            self._make_space(network)
        if len(self._waiting) >= LINKS_AT_MOST:
            del self._waiting[self._oldest_of_most()]
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._waiting[claim_of(token)] = Handover(user, secret, now + LINK_SECONDS, network)
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

    def _oldest_of_most(self) -> str:
        """The oldest link of the site with the most of them."""
        sites = {token: site_of(of.network) for token, of in self._waiting.items()}
        most = max(Counter(sites.values()).items(), key=lambda site: site[1])[0]
        return next(token for token, site in sites.items() if site == most)

    def _make_space(self, network: Network) -> None:
        """Forget the oldest link of an address, or of its site, that has as many as it may."""
        site = site_of(network)
        of_site = [(token, of.network) for token, of in self._waiting.items() if site_of(of.network) == site]
        own = [token for token, of in of_site if of == network]
        if len(own) >= LINKS_OF_SOURCE_AT_MOST:
            del self._waiting[own[0]]
        elif len(of_site) >= LINKS_OF_SITE_AT_MOST:
            del self._waiting[of_site[0][0]]
