"""Commands about people: the user's name, members of private rooms, invitations, the user's other devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from besedka.remote.address import link
from besedka.terminal.commands import format_duration, parse_duration, split_name
from besedka.terminal.room_view import RoomView
from besedka.terminal.session import Action, TerminalSession
from besedka.terminal.ui import formatting
from besedka.wire.frames import INVITATION_SECONDS, Kind
from besedka.wire.links import Fragment
from besedka.wire.validation import clean_name

USES_DIGITS_AT_MOST: Final = 6
"""The server allows fewer uses than that."""


async def _name(session: TerminalSession, argument: str) -> None:
    name, rooms = clean_name(argument), session.rooms
    if name == rooms.current.me:
        session.notifier.notify(session.phrases.name_same)
        return
    if rooms.unsent_count:
        session.notifier.show_problem(session.phrases.name_has_unsent.format(n=rooms.unsent_count))
        return
    rooms.check_connected()
    # A refusal comes from the first room; the others then recognise the same person.
    for view in (rooms.current, *rooms.others):
        await rooms.rename(view, name)
    session.notifier.notify(session.phrases.renamed.format(user=rooms.current.me))


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
    _show_link(session, Fragment(room=view.name, key=session.address.key, invite=invitation.token))


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


async def _block(session: TerminalSession, argument: str) -> None:
    session.rooms.check_connected()
    requests, (user, _) = session.rooms.current.membership.requests, split_name(argument)
    if not user:
        names = ", ".join(await requests.blocked())
        phrase = session.phrases.blocked_names if names else session.phrases.blocked_nobody
        session.notifier.notify(phrase.format(names=names))
        return
    await requests.block(user)
    session.notifier.notify(session.phrases.blocked.format(user=user))
    view = session.rooms.find(f"@{user}")
    if view and len(session.rooms.views) > 1:
        await session.rooms.leave(view)


async def _unblock(session: TerminalSession, argument: str) -> None:
    session.rooms.check_connected()
    user, _ = split_name(argument)
    await session.rooms.current.membership.requests.unblock(user)
    session.notifier.notify(session.phrases.unblocked.format(user=user))


async def _device(session: TerminalSession, _: str) -> None:
    session.rooms.check_connected()
    device = await session.rooms.current.membership.add_device()
    fragment = Fragment(key=session.address.key, name=device.user, device=device.token)
    # The QR code is as high as the screen, so the text comes below it.
    session.notifier.show_qr_code(link(session.address.url, fragment))
    time = format_duration(device.seconds)
    session.notifier.notify(session.phrases.device.format(user=device.user, time=time))
    _show_link(session, fragment)


def _show_link(session: TerminalSession, fragment: Fragment) -> None:
    url = session.address.url
    session.notifier.show(formatting.link(link(url, fragment)))
    if url.startswith("unix:") or urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}:
        session.notifier.notify(session.phrases.local_link)


ACTIONS: Final[Mapping[str, Action]] = {
    "name": _name,
    "invite": _invite,
    "uninvite": _uninvite,
    "block": _block,
    "unblock": _unblock,
    "device": _device,
}
