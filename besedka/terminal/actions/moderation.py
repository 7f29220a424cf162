"""Commands of moderators."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from besedka.terminal.commands import mistyped_duration, split_duration, split_name
from besedka.terminal.session import Action, TerminalSession
from besedka.wire.durations import parse_duration
from besedka.wire.frames import Act

DIGITS_AT_MOST: Final = 15
"""Longer numbers are not even parsed."""

_TAKE_DURATION: Final = frozenset({Act.MUTE, Act.BAN})


async def _moderate_person(act: Act, session: TerminalSession, argument: str) -> None:
    """Carry out an act on a person, with an optional duration and an optional reason."""
    user, rest = split_name(argument)
    if not user:
        session.notifier.show_problem(session.phrases.missing_name.format(command=act.value))
        return
    if act in _TAKE_DURATION and (given := mistyped_duration(rest)):
        session.notifier.show_invalid(session.phrases.invalid_duration, given)
        return
    seconds, reason = split_duration(rest) if act in _TAKE_DURATION else (0, rest)
    session.rooms.check_connected()
    requests = session.rooms.current.membership.requests
    done = await requests.moderate(act, user=user, seconds=seconds, reason=reason)
    # The server says until when: a longer mute or ban may be in force already.
    session.notifier.show_answer(done)


async def _slow(session: TerminalSession, argument: str) -> None:
    is_number = argument.isdecimal() and len(argument) <= DIGITS_AT_MOST
    seconds = int(argument) if is_number else parse_duration(argument)
    if not (seconds or is_number or argument == "off"):
        session.notifier.show_invalid(session.phrases.invalid_duration, argument)
        return
    session.rooms.check_connected()
    # The server notifies the whole room, so there is no notice here.
    view = session.rooms.current
    await view.membership.requests.moderate(Act.SLOW, room=view.name, seconds=seconds)


async def _redact(session: TerminalSession, argument: str) -> None:
    if not (argument.isdecimal() and len(argument) <= DIGITS_AT_MOST and int(argument)):
        session.notifier.show_invalid(session.phrases.invalid_number, argument, command="redact")
        return
    session.rooms.check_connected()
    # The server notifies the whole room, so there is no notice here.
    view = session.rooms.current
    await view.membership.requests.moderate(Act.REDACT, room=view.name, id=int(argument))


_ON_PERSON: Final = (Act.KICK, Act.MUTE, Act.UNMUTE, Act.BAN, Act.UNBAN)

ACTIONS: Final[Mapping[str, Action]] = {
    **{act.value: partial(_moderate_person, act) for act in _ON_PERSON},
    "slow": _slow,
    "redact": _redact,
}
