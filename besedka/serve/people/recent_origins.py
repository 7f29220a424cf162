"""Where the last messages of guests came from: a mute is about something that was just said, and its author may be gone by now. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from besedka.serve.limits.networks import Network, Origin, site_of

ORIGINS_KEPT: Final = 10_000
"""Skeletons of guests' names that are remembered: minutes of a flood, in which a moderator can mute any of its names."""


class _Known(NamedTuple):
    """The origin of a name's last message, and all names that are remembered of its site, the oldest first."""

    origin: Origin
    of_site: dict[str, None]


class RecentOrigins:
    """The origin of the last message under each name, by the name's skeletons.

    If there are too many, the site that has the most loses its oldest one: nobody makes the server forget the origins of others by posting
    under many names.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._of_site: dict[Network | None, dict[str, None]] = {}

    def note(self, looks: Iterable[str], origin: Origin) -> None:
        """Remember where a message under a name that looks so came from."""
        for look in looks:
            known = self._known.get(look)
            if known is None or known.origin is not origin:
                self._forget(look)
                known = _Known(origin, self._of_site.setdefault(site_of(origin.network), {}))
                self._known[look] = known
            else:
                del known.of_site[look]  # it is the newest one again
            known.of_site[look] = None
        while len(self._known) > ORIGINS_KEPT:
            most = max(self._of_site, key=lambda site: len(self._of_site[site]))
            self._forget(next(iter(self._of_site[most])))

    def find(self, looks: Iterable[str]) -> set[Origin]:
        """Where the last messages came from whose authors' names look so."""
        return {self._known[look].origin for look in looks if look in self._known}

    def _forget(self, look: str) -> None:
        known = self._known.pop(look, None)
        if known is None:
            return
        del known.of_site[look]
        if not known.of_site:
            del self._of_site[site_of(known.origin.network)]
