"""Coming by the link of another device: asking, being its person from then on, and going on as that one."""

from __future__ import annotations

from typing import Final

from besedka.home import keep_secret
from besedka.remote.device import take_device
from besedka.terminal.session import Talk
from besedka.wire.sanitize import sanitize_line

YES: Final = frozenset({"y", "yes", "д", "да"})


async def arrive(talk: Talk, name: str | None, *, is_sure: bool) -> None:
    """Talk; and if one came by such a link, be its person first.

    Args:
        talk: to be had.
        name: one's own; asked for if there is none.
        is_sure: do not ask whether to be the person of the link.

    Raises:
        AskRefused: if the link is not valid any more.
        ConnectionFailed: if there is no chat.
        JoinRefused: if it does not let us in.
    """
    if talk.there.device:
        if not (is_sure or await _agrees(talk)):
            return
        name = await _be_known(talk)
    await talk.run(name)


async def _agrees(talk: Talk) -> bool:
    words, name = talk.words, talk.there.name
    question = words.be_device.format(user=sanitize_line(name)) if name else words.be_device_nameless
    try:
        return (await talk.line.ask(question, "")).casefold() in YES
    except EOFError:
        return False


async def _be_known(talk: Talk) -> str:
    url = talk.there.url
    device = await take_device(url, talk.there.device, key=talk.there.key, keep=False)
    talk.rooms.secret = lambda _: device.secret
    talk.tell.remark(talk.words.is_device.format(user=device.user))
    try:
        keep_secret(url, device.user, device.secret)
    except OSError as error:
        talk.tell.problem(talk.words.device_not_kept.format(why=error))
    return device.user
