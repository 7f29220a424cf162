"""Before a session that was started by an add-a-device link: asks whether to be that person on this device, and redeems the link."""

from __future__ import annotations

from typing import Final

from besedka.home import keep_secret
from besedka.remote.device_link import take_device
from besedka.terminal.session.session import TerminalSession

YES: Final = frozenset({"y", "yes", "д", "да"})


async def confirms_device(session: TerminalSession) -> bool:
    """Ask the user whether to become the person of the link."""
    phrases, name = session.phrases, session.address.name
    question = phrases.confirm_device.format(user=name) if name else phrases.confirm_device_nameless
    try:
        return (await session.input_line.ask(question, "")).casefold() in YES
    except EOFError:
        return False


async def become_person_of_link(session: TerminalSession) -> str:
    """Redeem the link, and store its secret for later sessions. Returns the person's name.

    Raises:
        RemoteError: if the link is not valid any more, or is that of somebody else; nothing is stored.
    """
    address = session.address
    device = await take_device(
        address.url,
        address.device,
        key=address.key,
        name=address.name,
        keep=False,
        language=session.phrases.language,
    )
    session.rooms.secret = lambda _: device.secret
    session.notifier.notify(session.phrases.device_added.format(user=device.user))
    try:
        keep_secret(address.url, device.user, device.secret)
    except OSError as error:
        session.notifier.show_problem(session.phrases.device_not_stored.format(why=error))
    return device.user
