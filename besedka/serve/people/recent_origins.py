"""Where the last messages of guests came from: a mute is about something that was just said, and its author may be gone by now. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from besedka.serve.limits.networks import Network, Origin, site_of

ORIGINS_KEPT: Final = 10_000
"""Skeletons of guests' names that are remembered: minutes of a flood, in which a moderator can mute any of its names."""


class RecentOrigins:
    """The origin of the last message under each name, by the name's skeletons.

    If there are too many, the site that has the most loses its oldest one: nobody makes the server forget the origins of others by posting
    under many names.
    """

    def __init__(self) -> None:
        self._origins: dict[str, Origin] = {}
        self._of_site: dict[Network | None, dict[str, None]] = {}

    def note(self, looks: Iterable[str], origin: Origin) -> None:
        """Remember where a message under a name that looks so came from."""
        for look in looks:
            self._forget(look)
            self._origins[look] = origin
            self._of_site.setdefault(site_of(origin.network), {})[look] = None
        while len(self._origins) > ORIGINS_KEPT:
            most = max(self._of_site, key=lambda site: len(self._of_site[site]))
            self._forget(next(iter(self._of_site[most])))

    def find(self, looks: Iterable[str]) -> set[Origin]:
        """Where the last messages came from whose authors' names look so."""
        return {self._origins[look] for look in looks if look in self._origins}

    def _forget(self, look: str) -> None:
        origin = self._origins.pop(look, None)
        if origin is None:
            return
        site = site_of(origin.network)
        del self._of_site[site][look]
        if not self._of_site[site]:
            del self._of_site[site]
