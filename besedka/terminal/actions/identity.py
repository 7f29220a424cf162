"""Commands on who the user is: their name, and the devices that they use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from besedka.home import remember_name
from besedka.remote.address import link
from besedka.terminal.commands import unquoted
from besedka.terminal.session import Action, TerminalSession
from besedka.wire.durations import format_duration
from besedka.wire.links import Fragment
from besedka.wire.validation import clean_name


async def _name(session: TerminalSession, argument: str) -> None:
    name, rooms = clean_name(unquoted(argument)), session.rooms
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
    remember_name(session.address.url, rooms.current.me)
    session.notifier.notify(session.phrases.renamed.format(user=rooms.current.me))


async def _device(session: TerminalSession, _: str) -> None:
    session.rooms.check_connected()
    device = await session.rooms.current.membership.add_device()
    fragment = Fragment(key=session.address.key, name=device.user, device=device.token)
    url = link(session.address.url, fragment)
    # The QR code is as high as the screen, so the text comes below it.
    session.notifier.show_qr_code(url)
    time = format_duration(device.seconds)
    session.notifier.notify(session.phrases.device.format(user=device.user, time=time))
    session.notifier.show_link(url)


ACTIONS: Final[Mapping[str, Action]] = {
    "name": _name,
    "device": _device,
}
