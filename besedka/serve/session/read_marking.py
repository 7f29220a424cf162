"""Moving people's read marks, and reporting them to their other sessions; nobody else learns of them."""

from __future__ import annotations

import asyncio
from typing import Final

from besedka.serve.directory import Directory
from besedka.serve.people.person import Person
from besedka.serve.people.read_marks import ReadMark
from besedka.serve.people.sessions import LiveSession
from besedka.serve.room import Room
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import ReadUpTo

REPORT_SECONDS: Final = 1.0
"""Shortest interval between two reports of a person's mark in a room: of those that move in it the last one is reported."""


class ReadMarking:
    """Moves and reports read marks.

    Args:
        directory: people, their sessions and their marks.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._loop = asyncio.get_running_loop()
        # The claims and rooms that were reported within the last interval, each with whether the mark has moved since.
        self._reported: dict[tuple[str, str], bool] = {}

    def of(self, person: Person, room: Room) -> int | None:
        """A person's mark in a room, as a welcome has it; also for a reader without a name who has shown the secret of one."""
        names = self._directory.names
        if not (names.is_kept and names.is_known(person.claim)):
            return None
        return self._directory.read_marks.of(person.claim, room.name, room.epoch)

    def move(self, person: Person, room: Room, to: int, *, session: LiveSession) -> int:
        """Move a person's mark forward, if it is behind. Returns how many other sessions that is reported to at once.

        Args:
            person: the person.
            room: the room.
            to: the id of the last message that they have read.
            session: the session in which they have read it.

        Raises:
            Refused: `no_secret`, `not_allowed`: no marks are kept for the person; `bad_cursor`: there is no such message.
        """
        self._directory.policy.check_verified(person)
        if to > room.head:
            raise Refused(ErrorCode.BAD_CURSOR, room=room.name, given=to, head=room.head)
        mark = ReadMark(person.claim, room.name, room.epoch, to)
        if not self._directory.read_marks.move(mark):
            return 0
        if self._directory.other_marks:
            self._directory.other_marks.move(mark)
        about = (person.claim, room.name)
        if about in self._reported:
            self._reported[about] = True
            return 0
        self._loop.call_later(REPORT_SECONDS, self._report_latest, about, room)
        self._reported[about] = False
        return self._report(about, to, session)

    def _report_latest(self, about: tuple[str, str], room: Room) -> None:
        """At the end of an interval, report a mark that has moved in it."""
        if self._reported.pop(about):
            claim, name = about
            if to := self._directory.read_marks.of(claim, name, room.epoch):
                self._loop.call_later(REPORT_SECONDS, self._report_latest, about, room)
                self._reported[about] = False
                self._report(about, to)

    def _report(self, about: tuple[str, str], to: int, session: LiveSession | None = None) -> int:
        claim, room = about
        others = [
            other
            for other in self._directory.sessions.of(claim)
            if other is not session and (room, claim) in other.memberships()
        ]
        for other in others:
            other.send(ReadUpTo(room, to))
        return len(others)
