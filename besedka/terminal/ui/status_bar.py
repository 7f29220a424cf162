"""The status bar below the input line: the current room, its connection, unsent messages, typing, and unread messages elsewhere. Pure."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from typing import Final

from besedka.terminal.room_view import ConnectionState, RoomView
from besedka.terminal.ui.fitting import Part, Urgency, fit
from besedka.terminal.ui.fragments import Fragments
from besedka.terminal.ui.phrases import Phrases
from besedka.wire.durations import format_duration
from besedka.wire.frames import Kind
from besedka.wire.naming import listed
from besedka.wire.sanitize import sanitize_line

TYPING_NAMES_AT_MOST: Final = 3


def status_bar(
    current: RoomView,
    others: Sequence[RoomView],
    phrases: Phrases,
    *,
    unsent_count: int,
    command: str,
    refusal: str,
    line_count: int,
    now: float,
    columns: int,
    ignored: Container[str],
) -> Fragments:
    """The status bar. In a narrow window the less urgent parts are left out; the room, a lost connection and the user's name stay.

    Args:
        current: the room on the screen.
        others: the other rooms.
        phrases: the user's language.
        unsent_count: the number of messages that wait to be sent.
        command: the command that waits for the server's response; empty if none does.
        refusal: why the last line was refused; empty if it was not.
        line_count: the number of lines that are typed, where the input line does not show all of them; else 0.
        now: the time by the loop's clock.
        columns: of the window.
        ignored: people who are not said to be typing.
    """
    parts = [_room(current, phrases)]
    if refusal:
        sentence = sanitize_line(refusal)
        parts.append(Part("class:bar.problem", sentence, sentence, Urgency.ALWAYS, is_name=True))
    if line_count:
        lines = phrases.lines.format(n=line_count)
        parts.append(Part("class:bar", lines, lines, Urgency.UNSENT))
    if unsent_count:
        unsent = phrases.unsent.format(n=unsent_count)
        parts.append(Part("class:bar.problem", unsent, unsent, Urgency.UNSENT))
    if throttled := math.ceil(current.throttled_seconds(now)):
        phrase = phrases.slow_next if current.slow else phrases.fast_next
        pause = phrase.format(time=format_duration(throttled))
        parts.append(Part("class:bar.problem", pause, pause, Urgency.UNSENT))
    if current.state is ConnectionState.AWAY:
        parts.append(_reconnecting(current.retry_at - now, phrases))
    if command:
        waiting = f"{sanitize_line(command)} …"
        parts.append(Part("class:bar", waiting, waiting, Urgency.COMMAND))
    parts.append(_presence(current, phrases))
    typing = [name for name in current.typing() if name != current.me and name not in ignored][
        :TYPING_NAMES_AT_MOST
    ]
    if typing:
        names = listed(map(sanitize_line, typing), phrases.language)
        sentence = phrases.typing.format(names=names)
        parts.append(Part("class:bar", sentence, sentence, Urgency.TYPING))
    parts += [_unread(other) for other in others if other.unread_count]
    return fit(parts, columns)


def _room(view: RoomView, phrases: Phrases) -> Part:
    room = sanitize_line(view.title)
    mark = f" ({phrases.private})" if view.kind is Kind.PRIVATE else ""
    return Part("class:bar.room", f"{room}{mark}", room, Urgency.ALWAYS, is_name=True)


def _reconnecting(remaining_seconds: float, phrases: Phrases) -> Part:
    seconds = math.ceil(remaining_seconds)
    if seconds > 0:
        sentence, short = phrases.reconnecting.format(n=seconds), phrases.reconnecting_short.format(n=seconds)
    else:
        sentence, short = phrases.reconnecting_now, phrases.reconnecting_now_short
    return Part("class:bar.problem", sentence, short, Urgency.ALWAYS)


def _presence(view: RoomView, phrases: Phrases) -> Part:
    me = sanitize_line(view.me)
    is_connected = view.state is ConnectionState.CONNECTED
    presence = f"{phrases.people.format(n=view.clients_count)} · {me}" if is_connected else me
    return Part("class:bar", presence, me, Urgency.ALWAYS, is_name=True)


def _unread(view: RoomView) -> Part:
    room = f"{view.number}: {sanitize_line(view.title)} {view.unread_count}{'!' if view.is_mentioned else ''}"
    return Part("class:bar.unread", room, room, Urgency.UNREAD)
