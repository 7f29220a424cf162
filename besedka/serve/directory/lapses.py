"""Names that lapse: which are free again, because their holders were away for too long, or came once and there are too many names.

Uptime is counted here, too, because a name lapses only by a clock that can be believed (`besedka/serve/people/uptime.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from besedka.serve.people.acts_in_force import ActsInForce
from besedka.serve.people.memberships import PrivateRooms
from besedka.serve.people.names import KnownNames
from besedka.serve.people.sessions import LiveSessions
from besedka.serve.people.uptime import Uptime
from besedka.serve.people.written_times import write_moment
from besedka.serve.settings import Settings

log = logging.getLogger(__name__)

UNUSED_SECONDS: Final = 7 * 24 * 3600.0
"""How long a name stays its holder's at least, though they came once and there are too many names."""

FREE_SECONDS: Final = 60.0
"""Interval between searches for such names, which look at all of them."""

LAPSE_SECONDS: Final = 600.0
"""Interval between counts of uptime, and between checks for lapsed names."""

_DAY: Final = 24 * 3600


class Lapses:
    """Frees names.

    Args:
        settings: after how many days a name lapses, and the log's zone.
        names: the names and their holders.
        uptime: the server's uptime and its clock during it.
        sessions: all sessions; those who are present use their names.
        rooms: the private rooms; their members keep their names.
        moderation: the moderators; they keep their names.
        clock: unix seconds.
        ticks: seconds of a monotonic clock.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        names: KnownNames,
        uptime: Uptime,
        sessions: LiveSessions,
        rooms: PrivateRooms,
        moderation: ActsInForce,
        clock: Callable[[], float],
        ticks: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._names = names
        self._uptime = uptime
        self._sessions = sessions
        self._rooms = rooms
        self._moderation = moderation
        self._clock = clock
        self._ticks = ticks
        self._counted_at = ticks()
        self._freed_at = float("-inf")

    def free_lapsed(self) -> None:
        """Count uptime, and free names whose holders were away for too long; to be called every `LAPSE_SECONDS`."""
        self.count_uptime()
        now = self._clock()
        self._names.note_offset(self._offset(now))
        self.touch_present(now)
        # If the present clock is the wrong one (1970), correct to the latest moment that has surely passed.
        self._names.correct(self._uptime.ahead(now), write_moment(max(now, self._uptime.passed())))
        passed, days = self._uptime.passed(now), self._settings.claim_days
        if not (days and passed):
            return
        for known in self._names.lapse(passed - days * _DAY):
            log.info("the name %s was not used for %d days, and is free", ascii(known.name), days)

    def free_unused(self) -> None:
        """Free names of people who came once, if there are too many: these give way before anybody is refused."""
        ticks = self._ticks()
        if not self._names.is_full or ticks < self._freed_at + FREE_SECONDS:
            return
        self._freed_at = ticks
        needed = {person.claim for session in self._sessions for person in session.people()}
        needed |= {row.claim for row in self._rooms.rows()}

        def is_needed(claim: str) -> bool:
            return claim in needed or self._moderation.is_moderator(claim)

        before = self._uptime.passed(self._clock()) - UNUSED_SECONDS
        for known in self._names.lapse_unused(before, is_needed):
            log.info("the name %s was used once, and gives way to others", ascii(known.name))

    def count_uptime(self) -> None:
        """Count uptime, which is needed for names only: without names nothing is written."""
        ticks = self._ticks()
        if any(self._names.rows()):
            self._uptime.grow(self._clock(), ticks - self._counted_at)
        self._counted_at = ticks

    def touch_present(self, now: float) -> None:
        """Note that the people present use their names.

        Args:
            now: unix seconds.
        """
        moment = write_moment(now)
        for session in self._sessions:
            for person in session.people():
                self._names.touch(person.claim, person.name, moment)

    def _offset(self, now: float) -> int:
        offset = datetime.fromtimestamp(now, UTC).astimezone(self._settings.zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0
