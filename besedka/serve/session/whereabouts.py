"""Where the target of an act of moderation is: the sessions, connections and addresses of a person, a name or an address, at this server."""

from __future__ import annotations

from collections.abc import Iterable

from besedka.serve.directory import Directory
from besedka.serve.limits.networks import THIS_MACHINE, Origin
from besedka.serve.people.audit_entry import Event
from besedka.serve.people.sessions import LiveSession
from besedka.serve.session.act_target import Target
from besedka.wire.frames import Act


class Whereabouts:
    """Finds targets.

    Args:
        directory: people and their sessions.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def sessions(self, target: Target) -> list[LiveSession]:
        """The sessions of a target."""
        return [session for session in self._directory.sessions if target.is_session(session)]

    def restricted_addresses(
        self, act: Act | Event, target: Target, sessions: Iterable[LiveSession]
    ) -> tuple[str, ...]:
        """The addresses that are restricted with a target: its own if it is one, those of a person by a ban or a mute."""
        if act is Act.BAN and target.user:
            return self._addresses(sessions)
        return self._muted_addresses(target, sessions) if act is Act.MUTE else target.addresses

    def muted_connections(self, act: Act | Event, target: Target) -> set[int]:
        """The connections that are muted with a target; none by another act."""
        if act is not Act.MUTE:
            return set()
        return {origin.connection for origin in self.origins(target, self.sessions(target))} - {0}

    def origins(self, target: Target, sessions: Iterable[LiveSession]) -> set[Origin]:
        """Where a target is connected from; of a guest, also where the last messages under the name came from."""
        present = {Origin(session.connection, session.network) for session in sessions}
        return present if target.claim else present | self._directory.moderation.origins(target.looks)

    def _addresses(self, sessions: Iterable[LiveSession]) -> tuple[str, ...]:
        """The addresses of a target's sessions, without this machine, and without those that other verified people use."""
        targeted = {*sessions}
        others = [session for session in self._directory.sessions if session not in targeted]
        shared = {
            session.network for session in others if any(person.is_verified for person in session.people())
        }
        networks = {session.network for session in targeted} - shared - {None, THIS_MACHINE}
        return tuple(sorted(map(str, networks)))

    def _muted_addresses(self, target: Target, sessions: Iterable[LiveSession]) -> tuple[str, ...]:
        """The addresses from which newcomers are muted with a target: of a guest all of theirs, else as for a ban."""
        if target.claim and self._directory.names.is_kept:
            return self._addresses(sessions)
        origins = self.origins(target, sessions)
        return tuple(sorted({str(origin.network) for origin in origins if not origin.is_shared_by_machine}))
