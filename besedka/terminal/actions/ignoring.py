"""Commands on ignored people: their messages are hidden on this machine only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from besedka.terminal.commands import quote_name, split_name
from besedka.terminal.session import Action, TerminalSession
from besedka.wire.message import UNVERIFIED_MARK
from besedka.wire.naming import in_sentence, listed
from besedka.wire.validation import clean_name


async def _ignore(session: TerminalSession, argument: str) -> None:
    phrases, ignored = session.phrases, session.notifier.ignored
    if not argument:
        names = listed(ignored.names, phrases.language)
        session.notifier.notify(
            phrases.ignored_names.format(names=names) if names else phrases.ignored_nobody
        )
        return
    name = _name_in(argument)
    if name.casefold() == session.rooms.current.me.casefold():
        session.notifier.notify(phrases.direct_to_self)
        return
    ignored.add(name)
    user = in_sentence(name, phrases.language)
    session.notifier.notify(phrases.ignored.format(user=user, name=quote_name(name)))


async def _unignore(session: TerminalSession, argument: str) -> None:
    name = _name_in(argument)
    was_ignored = session.notifier.ignored.remove(name)
    phrase = session.phrases.unignored if was_ignored else session.phrases.not_ignored
    session.notifier.notify(phrase.format(user=in_sentence(name, session.phrases.language)))


def _name_in(argument: str) -> str:
    """The name in an argument, also as it is shown, with the mark of an unverified one.

    Raises:
        Refused: if it can be nobody's.
    """
    return clean_name(split_name(argument)[0].removesuffix(UNVERIFIED_MARK))


ACTIONS: Final[Mapping[str, Action]] = {
    "ignore": _ignore,
    "unignore": _unignore,
}
