"""What the commands do that are about people: talks of two, private rooms and who comes in, another device of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from besedka.remote.address import link
from besedka.terminal.commands import read_span, span, split_name
from besedka.terminal.session import Act, Talk
from besedka.terminal.ui import formatting
from besedka.wire.errors import Refused
from besedka.wire.frames import INVITATION_SECONDS, Kind
from besedka.wire.links import Fragment
from besedka.wire.sanitize import sanitize_line
from besedka.wire.validation import clean_name, clean_room

DIGITS_AT_MOST: Final = 6
"""More people than that need no invitation."""

SHOWN_CHARACTERS: Final = 40


async def _private(talk: Talk, given: str) -> None:
    try:
        room = clean_room(given.removeprefix("#").strip())
    except Refused as refusal:
        talk.tell.refuse(refusal)
        return
    if talk.rooms.is_in():
        made = await talk.rooms.current.connection.asks.private(room)
        talk.rooms.go(await talk.rooms.enter(made.room, talk.rooms.current.me))


async def _msg(talk: Talk, given: str) -> None:
    name, text = split_name(given)
    if not name:
        talk.tell.problem(talk.words.no_name.format(command="msg"))
        return
    if await talk_alone(talk, name) and text:
        talk.say(text, f"/msg {given}")


async def talk_alone(talk: Talk, given: str) -> bool:
    """Go to the direct talk with somebody; tells why if that cannot be. Returns whether one is there now."""
    try:
        name = clean_name(given)
    except Refused as refusal:
        talk.tell.refuse(refusal)
        return False
    if name == talk.rooms.current.me:
        talk.tell.remark(talk.words.direct_oneself)
        return False
    there = talk.rooms.place_of(f"@{name}")
    if there is None:
        if not talk.rooms.is_in():
            return False
        begun = await talk.rooms.current.connection.asks.direct(name)
        there = talk.rooms.places.get(begun.room) or await talk.rooms.enter(begun.room, talk.rooms.current.me)
    if there is not talk.rooms.current:
        talk.rooms.go(there)
    return True


async def _invite(talk: Talk, given: str) -> None:
    place, words = talk.rooms.current, given.split()
    uses, seconds = _how_many(words)
    if not uses:
        talk.tell.problem(talk.words.no_uses.format(given=sanitize_line(given, SHOWN_CHARACTERS)))
    elif place.kind is not Kind.PRIVATE:
        talk.tell.problem(talk.words.not_private.format(room=place.title.removeprefix("# ")))
    elif talk.rooms.is_in():
        made = await place.connection.asks.invite(place.room, uses, seconds)
        phrase = talk.words.invitation if made.uses == 1 else talk.words.invitation_many
        talk.tell.remark(phrase.format(n=made.uses, room=place.room, time=span(seconds)))
        _show_link(talk, Fragment(room=place.room, key=talk.there.key, invite=made.token))


def _how_many(words: list[str]) -> tuple[int, int]:
    """How many people may come in, and within how many seconds; 0 and 0 if that is not what was typed."""
    uses, seconds = 1, INVITATION_SECONDS
    if words and words[0].isdecimal() and len(words[0]) <= DIGITS_AT_MOST:
        uses = int(words.pop(0))
    if words and (given := read_span(words[0])):
        seconds, words = given, words[1:]
    return (0, 0) if words or not uses else (uses, seconds)


async def _uninvite(talk: Talk, given: str) -> None:
    place, (user, _) = talk.rooms.current, split_name(given)
    if place.kind is not Kind.PRIVATE:
        talk.tell.problem(talk.words.not_private.format(room=place.title.removeprefix("# ")))
    elif talk.rooms.is_in():
        await place.connection.asks.uninvite(place.room, user)
        phrase = talk.words.uninvited if user else talk.words.uninvited_all
        talk.tell.remark(phrase.format(user=user, room=place.room))


async def _device(talk: Talk, _: str) -> None:
    if not talk.rooms.is_in():
        return
    made = await talk.rooms.current.connection.add_device()
    fragment = Fragment(key=talk.there.key, name=made.user, device=made.token)
    # The code is as high as a screen; what is below it can be read.
    talk.tell.draw_code(link(talk.there.url, fragment))
    talk.tell.remark(talk.words.device.format(user=made.user, time=span(made.seconds)))
    _show_link(talk, fragment)


def _show_link(talk: Talk, fragment: Fragment) -> None:
    there = talk.there.url
    talk.tell.put(formatting.link(link(there, fragment)))
    if there.startswith("unix:") or urlsplit(there).hostname in {"localhost", "127.0.0.1", "::1"}:
        talk.tell.remark(talk.words.for_this_machine)


ACTS: Final[Mapping[str, Act]] = {
    "private": _private,
    "msg": _msg,
    "invite": _invite,
    "uninvite": _uninvite,
    "device": _device,
}
