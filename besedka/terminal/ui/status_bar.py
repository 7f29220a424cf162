"""The status bar below the input line: the current room, its connection, unsent messages, typing, and unread messages elsewhere. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from besedka.terminal.room_view import ConnectionState, RoomView
from besedka.terminal.ui.formatting import Fragments
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
) -> Fragments:
    """The status bar. In a narrow window its end is cut off, so the most urgent parts come first.

    Args:
        current: the room on the screen.
        others: the other rooms.
        phrases: the user's language.
        unsent_count: the number of messages that wait to be sent.
        command: the command that waits for the server's response; empty if none does.
        refusal: why the last line was refused; empty if it was not.
        line_count: the number of lines that are typed, where the input line does not show all of them; else 0.
        now: the time by the loop's clock.
    """
    mark = f" ({phrases.private})" if current.kind is Kind.PRIVATE else ""
    parts: Fragments = [("class:bar.room", f"{sanitize_line(current.title)}{mark}")]
    if refusal:
        parts.append(("class:bar.problem", sanitize_line(refusal)))
    if line_count:
        parts.append(("class:bar", phrases.lines.format(n=line_count)))
    if unsent_count:
        parts.append(("class:bar.problem", phrases.unsent.format(n=unsent_count)))
    if throttled := math.ceil(current.throttled_seconds(now)):
        phrase = phrases.slow_next if current.slow else phrases.fast_next
        parts.append(("class:bar.problem", phrase.format(time=format_duration(throttled))))
    if current.state is ConnectionState.AWAY:
        parts.append(("class:bar.problem", _reconnecting(current.retry_at - now, phrases)))
    if command:
        parts.append(("class:bar", f"{sanitize_line(command)} …"))
    parts.append(("class:bar", _presence(current, phrases)))
    typing = [name for name in current.typing() if name != current.me][:TYPING_NAMES_AT_MOST]
    if typing:
        parts.append(
            ("class:bar", phrases.typing.format(names=listed(map(sanitize_line, typing), phrases.language)))
        )
    parts += [("class:bar.unread", _unread(other)) for other in others if other.unread_count]
    return _separated(parts)


def _reconnecting(remaining_seconds: float, phrases: Phrases) -> str:
    seconds = math.ceil(remaining_seconds)
    return phrases.reconnecting.format(n=seconds) if seconds > 0 else phrases.reconnecting_now


def _presence(view: RoomView, phrases: Phrases) -> str:
    me = sanitize_line(view.me)
    if view.state is not ConnectionState.CONNECTED:
        return me
    return f"{phrases.people.format(n=view.clients_count)} · {me}"


def _unread(view: RoomView) -> str:
    return f"{sanitize_line(view.title)} {view.unread_count}{'!' if view.is_mentioned else ''}"


def _separated(parts: Fragments) -> Fragments:
    separated: Fragments = []
    for part in parts:
        separated += [("class:bar", " │ "), part] if separated else [part]
    return separated
