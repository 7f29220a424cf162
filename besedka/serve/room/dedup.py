"""Exactly once: recognise a resent message that is in the log already, and track the posters that wait for an outcome. Pure.

A room knows recent messages by their posters' keys. After a restart it has forgotten them, and the log decides: a message by
that name, with that text, later than the last one that its poster had seen when they posted it first, and with no other key, *is* that message
(`besedka/serve/history/resent.py`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Final

from besedka.serve.room.batch import Draft, Position
from besedka.serve.room.subscriber import Poster

KEYS_REMEMBERED: Final = 10_000
"""How many recent keyed messages are recognised when they are resent."""

NameAndKey = tuple[str, str]


class Dedup:
    """The keys of a room's recent messages, and the posters of those that are not stored yet."""

    def __init__(self) -> None:
        # None while a message waits to be stored.
        self._known: OrderedDict[NameAndKey, Position | None] = OrderedDict()
        # The inverse, by id: a page gives posters their own keys.
        self._keys: dict[int, NameAndKey] = {}
        self._posters: dict[NameAndKey, list[Poster]] = {}
        self._generated = count(1)

    # Before a message is stored.

    def knows(self, user: str, key: str) -> bool:
        """Whether a message by this name with this key was posted recently."""
        return bool(key) and (user, key) in self._known

    def admit(self, draft: Draft, poster: Poster) -> Draft | Position | None:
        """Register a poster for a draft's outcome.

        Returns:
            The draft, to be stored; or, if it was posted before under the same key, its position, None while it is pending.
        """
        user, key = draft.message.user, draft.message.key
        if not key:
            draft.dedup_key = f" {next(self._generated)}"  # no key holds a space
        elif (user, key) in self._known:
            position = self._known[user, key]
            if position is None:
                self._posters[user, key].append(poster)
            return position
        else:
            draft.dedup_key = key
            self._known[user, key] = None
            self._forget_oldest()
        self._posters[draft.identity] = [poster]
        return draft

    def posters(self, draft: Draft) -> Sequence[Poster]:
        """The posters that wait for a draft's outcome."""
        return self._posters.get(draft.identity, ())

    # When its outcome is known.

    def stored(self, draft: Draft, position: Position) -> list[Poster]:
        """Remember a stored draft's position; returns the posters to notify."""
        self.found(draft, position)
        return self._posters.pop(draft.identity, [])

    def refused(self, draft: Draft) -> list[Poster]:
        """Forget a draft that was not stored; returns the posters to notify."""
        self._known.pop(draft.identity, None)
        return self._posters.pop(draft.identity, [])

    def found(self, draft: Draft, position: Position) -> None:
        """Remember the key of a draft that is in the log."""
        user, key = draft.message.user, draft.message.key
        if key:
            self._known[user, key] = position
            self._keys[position.id] = (user, key)
            self._forget_oldest()

    # Keys of messages in the log.

    def has_key(self, number: int) -> bool:
        """Whether the key of the message with this id is known, so that it cannot be a message with another key."""
        return number in self._keys

    def keys_of(self, user: str, ids: Iterable[int]) -> dict[int, str]:
        """The keys that a poster gave to messages with these ids, as far as they are known."""
        own = ((number, self._keys[number]) for number in ids if number in self._keys)
        return {number: key for number, (name, key) in own if name == user}

    def forget_log(self) -> None:
        """The log has been replaced, and with it the meaning of ids: forget everything except pending drafts."""
        self._known = OrderedDict(
            (name, position) for name, position in self._known.items() if position is None
        )
        self._keys.clear()

    def _forget_oldest(self) -> None:
        if len(self._known) > KEYS_REMEMBERED:
            _, position = self._known.popitem(last=False)
            if position:
                del self._keys[position.id]
