"""Commands on a private room's invitations and members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from besedka.remote.address import link
from besedka.terminal.commands import split_name
from besedka.terminal.room_view import RoomView
from besedka.terminal.session import Action, TerminalSession
from besedka.wire.durations import format_duration, parse_duration
from besedka.wire.frames import INVITATION_SECONDS, Kind
from besedka.wire.links import Fragment

USES_DIGITS_AT_MOST: Final = 6
"""The server allows fewer uses than that."""


async def _invite(session: TerminalSession, argument: str) -> None:
    view = session.rooms.current
    uses, seconds = _invitation_limits(argument.split())
    if not uses:
        session.notifier.show_invalid(session.phrases.invalid_uses, argument)
        return
    if not _is_private(session, view):
        return
    session.rooms.check_connected()
    invitation = await view.membership.requests.invite(view.name, uses, seconds)
    phrase = session.phrases.invitation if invitation.uses == 1 else session.phrases.invitation_many
    session.notifier.notify(phrase.format(n=invitation.uses, room=view.name, time=format_duration(seconds)))
    fragment = Fragment(room=view.name, key=session.address.key, invite=invitation.token)
    session.notifier.show_link(link(session.address.url, fragment))


def _invitation_limits(arguments: list[str]) -> tuple[int, int]:
    """Parse the number of uses and the duration in seconds; 0 and 0 if the arguments are invalid."""
    uses, seconds = 1, INVITATION_SECONDS
    if arguments and arguments[0].isdecimal() and len(arguments[0]) <= USES_DIGITS_AT_MOST:
        uses = int(arguments.pop(0))
    if arguments and (given := parse_duration(arguments[0])):
        seconds, arguments = given, arguments[1:]
    return (0, 0) if arguments or not uses else (uses, seconds)


async def _uninvite(session: TerminalSession, argument: str) -> None:
    view, (user, _) = session.rooms.current, split_name(argument)
    if not _is_private(session, view):
        return
    session.rooms.check_connected()
    await view.membership.requests.uninvite(view.name, user)
    phrase = session.phrases.member_removed if user else session.phrases.invitations_revoked
    session.notifier.notify(phrase.format(user=user, room=view.name))


def _is_private(session: TerminalSession, view: RoomView) -> bool:
    """Whether a room is private; shows a problem if it is not."""
    if view.kind is not Kind.PRIVATE:
        room = view.title.removeprefix("# ")
        session.notifier.show_problem(session.phrases.not_private.format(room=room))
    return view.kind is Kind.PRIVATE


ACTIONS: Final[Mapping[str, Action]] = {
    "invite": _invite,
    "uninvite": _uninvite,
}
