"""What the commands of the table do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from besedka.remote.events import Heard
from besedka.terminal.actions import moderation, people
from besedka.terminal.commands import COMMANDS
from besedka.terminal.room_view import title
from besedka.terminal.session import Act, Talk
from besedka.terminal.ui import formatting
from besedka.terminal.ui.notifier import Bell
from besedka.wire.errors import Refused
from besedka.wire.frames import Kind
from besedka.wire.sanitize import sanitize_line
from besedka.wire.validation import clean_name, clean_room

OLDER_MESSAGES: Final = 20
"""How many `/history` shows that does not say how many."""

OLDER_MESSAGES_AT_MOST: Final = 1_000

FOUND_AT_MOST: Final = 20

DIGITS_AT_MOST: Final = 9

SHOWN_CHARACTERS: Final = 40
"""Of something that was typed and is none of what could be."""


async def _help(talk: Talk, _: str) -> None:
    rows = [
        (
            " ".join(filter(None, (f"/{command.name}", talk.words.behind(command), *command.aliases))),
            talk.words.commands[command.name],
        )
        for command in COMMANDS
        if command.may in {"", *talk.rooms.current.may}
    ]
    talk.tell.put(formatting.table([*rows, *talk.words.keys.items()]))


async def _who(talk: Talk, _: str) -> None:
    place = talk.rooms.current
    more = place.clients_count - len(place.people)
    names = ", ".join(sorted(place.people, key=str.casefold)) + (f" +{more}" if more > 0 else "")
    talk.tell.remark(f"{talk.words.here.format(names=names)} ({place.clients_count})")


async def _rooms(talk: Talk, _: str) -> None:
    if not talk.rooms.is_in():
        return
    rows = []
    for room in await talk.rooms.current.connection.asks.rooms():
        talk.rooms.know(room.name, room.kind, room.peer)
        marks = [talk.words.people.format(n=room.clients_count)]
        marks += [talk.words.private] if room.kind is Kind.PRIVATE else []
        place = talk.rooms.places.get(room.name)
        marks += [talk.words.room_here] if place else []
        marks += [talk.words.news.format(n=place.missed_count)] if place and place.missed_count else []
        rows.append((title(room.name, room.kind, room.peer), " · ".join(marks)))
    talk.tell.remark(talk.words.rooms)
    talk.tell.put(formatting.table(rows))


async def _join(talk: Talk, given: str) -> None:
    there = talk.rooms.place_of(given)
    if there is talk.rooms.current:
        talk.tell.remark(talk.words.already_here.format(room=there.room))
    elif there:
        talk.rooms.go(there)
    elif given.startswith("@"):
        await people.talk_alone(talk, given.removeprefix("@").strip())
    else:
        await _join_room(talk, given.removeprefix("#").strip())


async def _join_room(talk: Talk, given: str) -> None:
    try:
        room = clean_room(given)
    except Refused as refusal:
        talk.tell.refuse(refusal)
        return
    if room in talk.rooms.places:
        talk.rooms.go(talk.rooms.places[room])
    elif talk.rooms.is_in():
        talk.rooms.go(await talk.rooms.enter(room, talk.rooms.current.me))


async def _leave(talk: Talk, given: str) -> None:
    place = talk.rooms.place_of(given) if given else talk.rooms.current
    if place is None:
        talk.tell.problem(
            talk.words.not_in.format(room=sanitize_line(given.removeprefix("#"), SHOWN_CHARACTERS))
        )
    elif len(talk.rooms.places) == 1:
        talk.tell.remark(talk.words.last_room)
    else:
        await talk.rooms.forget(place)
        talk.aside.left(place)


async def _name(talk: Talk, given: str) -> None:
    try:
        name = clean_name(given)
    except Refused as refusal:
        talk.tell.refuse(refusal)
        return
    if name == talk.rooms.current.me:
        talk.tell.remark(talk.words.name_same)
    elif talk.rooms.waiting:
        talk.tell.problem(talk.words.name_waits.format(n=talk.rooms.waiting))
    elif talk.rooms.is_in():
        looked_at = talk.rooms.current
        # The first one is refused if any is; the others are the same person then.
        for place in (looked_at, *(place for place in talk.rooms.places.values() if place is not looked_at)):
            await talk.rooms.rename(place, name)
        talk.tell.remark(talk.words.renamed.format(user=talk.rooms.current.me))


async def _history(talk: Talk, given: str) -> None:
    if given and not (given.isdecimal() and len(given) <= DIGITS_AT_MOST and int(given)):
        talk.tell.problem(
            talk.words.no_number.format(given=sanitize_line(given, SHOWN_CHARACTERS), command="history")
        )
        return
    place, count = talk.rooms.current, min(int(given or OLDER_MESSAGES), OLDER_MESSAGES_AT_MOST)
    if place.oldest <= 1:
        talk.tell.remark(talk.words.no_older)
    elif talk.rooms.is_in():
        first = max(1, place.oldest - count)
        older = await place.connection.asks.page(first, place.oldest - first)
        if not older:
            talk.tell.remark(talk.words.no_older)
            return
        day = place.day
        talk.tell.put(formatting.rule(talk.words.older.format(first=older[0].id, last=older[-1].id)))
        talk.tell.show(place, older)
        talk.tell.put(formatting.rule(talk.words.now))
        place.oldest, place.day = older[0].id, day


async def _find(talk: Talk, given: str) -> None:
    if not talk.rooms.is_in():
        return
    place, found, before = talk.rooms.current, list[Heard](), 0
    # The server looks only so long at a time.
    while len(found) < FOUND_AT_MOST:
        answer = await place.connection.asks.search(given, before, FOUND_AT_MOST - len(found))
        found, before = [*answer.messages, *found], answer.before
        if not before:
            break
    for heard in found:
        place.shown(heard)
        talk.tell.put(formatting.found(heard, place.me, is_numbered=place.may_moderate))
    count = f"{len(found)}{'+' if before else ''}"
    talk.tell.remark(talk.words.found.format(n=count) if found else talk.words.found_nothing)


async def _edit(talk: Talk, given: str) -> None:
    talk.line.edit(given)


async def _bell(talk: Talk, given: str) -> None:
    kinds = {kind.value: kind for kind in Bell}
    if given and given not in kinds:
        talk.tell.problem(
            talk.words.not_one.format(
                given=sanitize_line(given, SHOWN_CHARACTERS), command="bell", usage="[on|off|all]"
            )
        )
        return
    talk.tell.bell = kinds.get(given, talk.tell.bell)
    talk.tell.remark(talk.words.bell.format(kind=talk.words.bell_kinds[talk.tell.bell.value]))


async def _clear(talk: Talk, _: str) -> None:
    talk.line.clear()


async def _exit(talk: Talk, _: str) -> None:
    talk.line.end()


ACTS: Final[Mapping[str, Act]] = {
    "help": _help,
    "who": _who,
    "rooms": _rooms,
    "join": _join,
    "leave": _leave,
    "name": _name,
    "history": _history,
    "find": _find,
    "edit": _edit,
    "bell": _bell,
    "clear": _clear,
    "exit": _exit,
    **people.ACTS,
    **moderation.ACTS,
}
"""By the names of `COMMANDS`; ``/me`` is no act but words."""
