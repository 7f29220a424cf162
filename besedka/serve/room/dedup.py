"""Exactly once: whether a message that is posted again is in the log already, and who waits to hear what became of it. Pure.

A room knows recent messages by their posters' keys. Where it has forgotten (the server was restarted), the log decides: a message by
that name, with that text, later than the last one that its poster had seen when they posted it first, and not yet matched on this
connection, *is* that message. It may have been redacted meanwhile: then a tombstone of the same length is that message, so that what
was taken away does not come back with its poster.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import count
from typing import Final

from besedka.serve.room.batch import Draft, Position
from besedka.serve.room.subscriber import Poster
from besedka.wire.log_line import tombstone, written_bytes
from besedka.wire.message import Message

KEYS_REMEMBERED: Final = 10_000
"""How many of the last keyed messages are recognised when they are posted again."""

NameAndKey = tuple[str, str]


class Dedup:
    """The keys of a room's recent messages, and the posters of those that are not stored yet."""

    def __init__(self) -> None:
        # None while a message waits to be stored.
        self._known: OrderedDict[NameAndKey, Position | None] = OrderedDict()
        # The same the other way round, by id: a page gives posters their own keys.
        self._keys: dict[int, NameAndKey] = {}
        self._posters: dict[NameAndKey, list[Poster]] = {}
        self._marks = count(1)

    # Before a message is stored.

    def knows(self, user: str, key: str) -> bool:
        """Whether a message by this name with this key was posted of late."""
        return bool(key) and (user, key) in self._known

    def admit(self, draft: Draft, poster: Poster) -> Draft | Position | None:
        """Have a poster wait for what becomes of a draft.

        Returns:
            The draft, to be stored; or, if it was posted before under the same key, where it stands, None while it waits to be stored.
        """
        user, key = draft.message.user, draft.message.key
        if not key:
            draft.mark = f" {next(self._marks)}"  # no key holds a space
        elif (user, key) in self._known:
            position = self._known[user, key]
            if position is None:
                self._posters[user, key].append(poster)
            return position
        else:
            draft.mark = key
            self._known[user, key] = None
            self._forget_oldest()
        self._posters[draft.name] = [poster]
        return draft

    def posters(self, draft: Draft) -> Sequence[Poster]:
        """Those who wait for what becomes of a draft."""
        return self._posters.get(draft.name, ())

    # When it is known what became of it.

    def stored(self, draft: Draft, position: Position) -> list[Poster]:
        """Remember where a draft was stored; returns its posters, to be told."""
        self.found(draft, position)
        return self._posters.pop(draft.name, [])

    def refused(self, draft: Draft) -> list[Poster]:
        """Forget a draft that was not stored; returns its posters, to be told."""
        self._known.pop(draft.name, None)
        return self._posters.pop(draft.name, [])

    def found(self, draft: Draft, position: Position) -> None:
        """A draft is in the log: know it by its key from now on."""
        user, key = draft.message.user, draft.message.key
        if key:
            self._known[user, key] = position
            self._keys[position.id] = (user, key)
            self._forget_oldest()

    # What the log has.

    def has_key(self, number: int) -> bool:
        """Whether the key of the message with this id is known, so that it is no message with another key."""
        return number in self._keys

    def keys_of(self, user: str, ids: Iterable[int]) -> dict[int, str]:
        """The keys that somebody gave to messages with these ids, as far as they are known."""
        own = ((number, self._keys[number]) for number in ids if number in self._keys)
        return {number: key for number, (name, key) in own if name == user}

    def forget_log(self) -> None:
        """The log is another one, and ids mean other messages now: only what waits to be stored is still known."""
        self._known = OrderedDict(
            (name, position) for name, position in self._known.items() if position is None
        )
        self._keys.clear()

    def _forget_oldest(self) -> None:
        if len(self._known) > KEYS_REMEMBERED:
            _, position = self._known.popitem(last=False)
            if position:
                del self._keys[position.id]


class PostedBefore:
    """What one name has posted in a room later than an id, for one connection; each message is matched once.

    Attributes:
        after: the id; for what was posted later, ask anew.
    """

    def __init__(self, after: int, messages: Iterable[tuple[int, Message]]) -> None:
        self.after = after
        self._by_text: defaultdict[bytes, list[tuple[int, str]]] = defaultdict(list)
        for number, message in messages:
            self._by_text[_digest(message.text)].append((number, message.stamp))

    def take(self, text: str, after: int, is_other: Callable[[int], bool]) -> tuple[int, Message] | None:
        """The first message with this text, later than ``after``, that is no other for certain and not matched yet."""
        for found in (text, tombstone(written_bytes(text))):
            candidates = self._by_text.get(_digest(found), [])
            for place, (number, stamp) in enumerate(candidates):
                if number > after and not is_other(number):
                    del candidates[place]
                    return number, Message(stamp, "", found)
        return None


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
