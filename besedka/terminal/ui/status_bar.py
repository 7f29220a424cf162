"""The bar below the input line: where one is, how it stands, what waits, who types, what is new elsewhere. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from besedka.terminal.room_view import RoomView, State
from besedka.terminal.ui.formatting import Fragments
from besedka.terminal.ui.phrases import Phrases
from besedka.wire.frames import Kind
from besedka.wire.sanitize import sanitize_line

TYPISTS_AT_MOST: Final = 3


def bar(
    place: RoomView, others: Sequence[RoomView], phrases: Phrases, *, waiting: int, asking: str, now: float
) -> Fragments:
    """The bar.

    Args:
        place: the room that is looked at.
        others: the rooms that are not.
        waiting: how many messages wait to be sent.
        asking: the command whose answer is waited for, if there is one.
        now: the loop's clock.
        phrases: the language.
    """
    mark = f" ({phrases.private})" if place.kind is Kind.PRIVATE else ""
    parts: Fragments = [("class:bar.room", f"{sanitize_line(place.title)}{mark}")]
    # What is cut off in a narrow window stands at the end.
    if waiting:
        parts.append(("class:bar.trouble", phrases.waiting.format(n=waiting)))
    if place.state is State.AWAY:
        seconds = math.ceil(place.retry_at - now)
        trouble = phrases.away.format(n=seconds) if seconds > 0 else phrases.away_now
        parts.append(("class:bar.trouble", trouble))
    if asking:
        parts.append(("class:bar", f"{sanitize_line(asking)} …"))
    who = sanitize_line(place.me)
    is_in = place.state is State.IN
    parts.append(("class:bar", f"{phrases.people.format(n=place.clients_count)} · {who}" if is_in else who))
    typists = [name for name in place.typing() if name != place.me][:TYPISTS_AT_MOST]
    if typists:
        parts.append(("class:bar", phrases.typing.format(names=sanitize_line(", ".join(typists)))))
    news = [
        f"{sanitize_line(other.title)} {other.missed_count}{'!' if other.is_called else ''}"
        for other in others
        if other.missed_count
    ]
    parts += [("class:bar.news", one) for one in news]
    joined: Fragments = []
    for part in parts:
        joined += [("class:bar", " │ "), part] if joined else [part]
    return joined
