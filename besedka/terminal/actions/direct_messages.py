"""Commands on direct messages: to write to a person, and to receive nothing from a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from besedka.terminal.commands import split_name
from besedka.terminal.session import Action, TerminalSession
from besedka.wire.naming import in_sentence, listed
from besedka.wire.validation import clean_name


async def _msg(session: TerminalSession, argument: str) -> None:
    name, text = split_name(argument)
    if not name:
        session.notifier.show_problem(session.phrases.missing_name.format(command="msg"))
    elif await open_direct_room(session, name) and text:
        session.typed_lines.post(text, f"/msg {argument}")


async def open_direct_room(session: TerminalSession, name: str) -> bool:
    """Switch to the direct room with somebody; False if that would be the user."""
    name, rooms = clean_name(name), session.rooms
    if name == rooms.current.me:
        session.notifier.notify(session.phrases.direct_to_self)
        return False
    view = rooms.find(f"@{name}")
    if view is None:
        rooms.check_connected()
        opened = await rooms.current.membership.requests.direct(name)
        view = rooms.views.get(opened.room) or await rooms.join(opened.room, rooms.current.me)
    if view is not rooms.current:
        rooms.switch_to(view)
    return True


async def _block(session: TerminalSession, argument: str) -> None:
    session.rooms.check_connected()
    requests, (user, _) = session.rooms.current.membership.requests, split_name(argument)
    if not user:
        names = listed(await requests.blocked(), session.phrases.language)
        phrase = session.phrases.blocked_names if names else session.phrases.blocked_nobody
        session.notifier.notify(phrase.format(names=names))
        return
    await requests.block(user)
    session.notifier.notify(session.phrases.blocked.format(user=in_sentence(user, session.phrases.language)))
    # The room is named by the other's first name, whatever name was given.
    for entry in await requests.own_rooms():
        view = session.rooms.views.get(entry.name)
        if entry.blocked and view and len(session.rooms.views) > 1:
            await session.rooms.leave(view)


async def _unblock(session: TerminalSession, argument: str) -> None:
    session.rooms.check_connected()
    user, _ = split_name(argument)
    await session.rooms.current.membership.requests.unblock(user)
    shown = in_sentence(user, session.phrases.language)
    session.notifier.notify(session.phrases.unblocked.format(user=shown))


ACTIONS: Final[Mapping[str, Action]] = {
    "msg": _msg,
    "block": _block,
    "unblock": _unblock,
}
