"""What the commands do by which order is kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from besedka.terminal.commands import bare_number, read_span, span, split_name, split_span
from besedka.terminal.session import Act as Carry
from besedka.terminal.session import Talk
from besedka.wire.frames import Act
from besedka.wire.sanitize import sanitize_line

SHOWN_CHARACTERS: Final = 40

DIGITS_AT_MOST: Final = 15


async def _to_somebody(act: Act, talk: Talk, given: str) -> None:
    """An act that is about a person, for so long, for a reason; each of the two may be missing."""
    user, rest = split_name(given)
    if not user:
        talk.tell.problem(talk.words.no_name.format(command=act.value))
        return
    if act in _LASTS and (number := bare_number(rest)):
        talk.tell.problem(talk.words.bare_number.format(number=sanitize_line(number, SHOWN_CHARACTERS)))
        return
    seconds, reason = split_span(rest) if act in _LASTS else (0, rest)
    if talk.rooms.is_in():
        await talk.rooms.current.connection.asks.moderate(act, user=user, seconds=seconds, reason=reason)
        time = talk.words.lasts.format(time=span(seconds)) if seconds else talk.words.lasts_open
        talk.tell.remark(talk.words.orders[act.value].format(user=user, time=time))


async def _slow(talk: Talk, given: str) -> None:
    is_number = given.isdecimal() and len(given) <= DIGITS_AT_MOST
    seconds = int(given) if is_number else read_span(given)
    if not (seconds or is_number):
        talk.tell.problem(talk.words.no_span.format(given=sanitize_line(given, SHOWN_CHARACTERS)))
    elif talk.rooms.is_in():
        place = talk.rooms.current
        await place.connection.asks.moderate(Act.SLOW, room=place.room, seconds=seconds)
        phrase = talk.words.orders["slow" if seconds else "slow_off"]
        talk.tell.remark(phrase.format(time=span(seconds) if seconds else ""))


async def _redact(talk: Talk, given: str) -> None:
    if not (given.isdecimal() and len(given) <= DIGITS_AT_MOST and int(given)):
        talk.tell.problem(
            talk.words.no_number.format(given=sanitize_line(given, SHOWN_CHARACTERS), command="redact")
        )
    elif talk.rooms.is_in():
        # That it is done is told to all, and so to us.
        place = talk.rooms.current
        await place.connection.asks.moderate(Act.REDACT, room=place.room, id=int(given))


_LASTS: Final = frozenset({Act.MUTE, Act.BAN})

ACTS: Final[Mapping[str, Carry]] = {
    **{act.value: partial(_to_somebody, act) for act in (Act.KICK, Act.MUTE, Act.UNMUTE, Act.BAN, Act.UNBAN)},
    "slow": _slow,
    "redact": _redact,
}
