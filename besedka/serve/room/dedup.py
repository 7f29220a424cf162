"""Exactly once: recognise a resent message that is in the log already, and track the posters that wait for an outcome. Pure.

A room knows recent messages by their posters' keys. After a restart it has forgotten them, and the log decides: a message by
that name, with that text, later than the last one that its poster had seen when they posted it first, and with no other key, *is* that message
(`besedka/serve/history/resent.py`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Final, Generic, TypeVar

from besedka.serve.limits.networks import Network
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.room.batch import Draft, Position
from besedka.serve.room.subscriber import Poster

KEYS_AT_MOST: Final = 50_000
"""How many recent keyed messages of all rooms together are recognised when they are resent: about 25 MB, and 75
if each is of another site. The log decides about the others."""

NameAndKey = tuple[str, str]


_Entry = tuple["Dedup", str, str]  # the room, and a `NameAndKey`

T = TypeVar("T")


class _Ranked(Generic[T]):
    """Sources, or sites, that have keys, by the number of binary digits of how many: so they change their rank seldom."""

    __slots__ = ("_by_rank",)

    def __init__(self) -> None:
        self._by_rank: dict[int, dict[T, None]] = {}

    def move(self, item: T, before: int, now: int) -> None:
        """Note that an item has another number of keys than before."""
        rank, new = before.bit_length(), now.bit_length()
        if rank == new:
            return
        if rank:
            del self._by_rank[rank][item]
            if not self._by_rank[rank]:
                del self._by_rank[rank]
        if new:
            self._by_rank.setdefault(new, {})[item] = None

    @property
    def highest(self) -> T:
        """An item of those with the highest rank."""
        return next(iter(self._by_rank[max(self._by_rank)]))


class _Site:
    """The sources of a site that have keys, and how many these have together."""

    __slots__ = ("count", "network", "sources")

    def __init__(self, network: Network | None) -> None:
        self.network = network
        self.sources: _Ranked[_Keys] = _Ranked()
        self.count = 0


class _Keys:
    """The keys of a source, the oldest first, with the positions of their messages."""

    __slots__ = ("positions", "site", "source")

    def __init__(self, source: Tenant, site: _Site) -> None:
        self.source = source
        self.site = site
        self.positions: OrderedDict[_Entry, Position] = OrderedDict()


class KeyMemory:
    """The keys of recent messages of all rooms. If there are too many, a source that has the most loses its oldest one.

    So nobody makes the server forget the keys of others who have fewer. Sites are compared first, then the sources of the site that has the most:
    a single customer may have thousands of claims. They are compared by the number of binary digits of how many keys they
    have: whoever loses a key has at least half as many as any other site, or source of the site.

    Args:
        limit: how many are remembered; `KEYS_AT_MOST` if None.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = KEYS_AT_MOST if limit is None else limit
        self._owners: dict[_Entry, _Keys] = {}
        self._of: dict[Tenant, _Keys] = {}
        self._sites: dict[Network | None, _Site] = {}
        self._ranked: _Ranked[_Site] = _Ranked()

    def __len__(self) -> int:
        return len(self._owners)

    @property
    def sources(self) -> int:
        """The number of sources that have keys."""
        return len(self._of)

    def put(self, room: Dedup, name: NameAndKey, position: Position, source: Tenant) -> None:
        """Remember a key, and forget one if these are too many.

        Args:
            room: the room.
            name: the poster's name, and the key.
            position: of the message.
            source: the poster, as `Draft` has it.
        """
        entry = (room, *name)
        keys = self._of.get(source) or self._new(source)
        self._owners[entry] = keys
        keys.positions[entry] = position
        self._count(keys, 1)
        if len(self._owners) > self._limit:
            self._forget_one()

    def position(self, room: Dedup, name: NameAndKey) -> Position | None:
        """The position of the message with a key, if it is remembered."""
        entry = (room, *name)
        keys = self._owners.get(entry)
        return keys.positions[entry] if keys else None

    def drop(self, room: Dedup, name: NameAndKey) -> None:
        """Forget a key."""
        entry = (room, *name)
        keys = self._owners.pop(entry)
        del keys.positions[entry]
        self._count(keys, -1)

    def _new(self, source: Tenant) -> _Keys:
        site = self._sites.get(source.network)
        if site is None:
            site = self._sites[source.network] = _Site(source.network)
        keys = self._of[source] = _Keys(source, site)
        return keys

    def _forget_one(self) -> None:
        keys = self._ranked.highest.sources.highest
        entry, position = keys.positions.popitem(last=False)
        del self._owners[entry]
        self._count(keys, -1)
        entry[0].forgotten(position.id)

    def _count(self, keys: _Keys, change: int) -> None:
        """Note that a source has one key more or less."""
        site, now = keys.site, len(keys.positions)
        site.sources.move(keys, now - change, now)
        self._ranked.move(site, site.count, site.count + change)
        site.count += change
        if not now:
            del self._of[keys.source]
        if not site.count:
            del self._sites[site.network]


class Dedup:
    """The keys of a room's recent messages, and the posters of those that are not stored yet.

    Args:
        memory: the keys of all rooms.
    """

    def __init__(self, memory: KeyMemory) -> None:
        self._memory = memory
        # Of messages that wait to be stored.
        self._pending: set[NameAndKey] = set()
        # Of stored messages, by id: a page gives posters their own keys.
        self._keys: dict[int, NameAndKey] = {}
        self._posters: dict[NameAndKey, list[Poster]] = {}
        self._generated = count(1)

    # Before a message is stored.

    def knows(self, user: str, key: str) -> bool:
        """Whether a message by this name with this key was posted recently."""
        name = (user, key)
        return bool(key) and (name in self._pending or self._memory.position(self, name) is not None)

    def admit(self, draft: Draft, poster: Poster) -> Draft | Position | None:
        """Register a poster for a draft's outcome.

        Returns:
            The draft, to be stored; or, if it was posted before under the same key, its position, None while it is pending.
        """
        name = draft.message.user, draft.message.key
        if not draft.message.key:
            name = draft.message.user, f" {next(self._generated)}"  # no key holds a space
        elif name in self._pending:
            self._posters[name].append(poster)
            return None
        elif position := self._memory.position(self, name):
            return position
        else:
            self._pending.add(name)
        draft.identity = name
        self._posters[name] = [poster]
        return draft

    def posters(self, draft: Draft) -> Sequence[Poster]:
        """The posters that wait for a draft's outcome."""
        return self._posters.get(draft.identity, ())

    def is_waiting(self, draft: Draft) -> bool:
        """Whether a draft's outcome is not known yet."""
        return draft.identity in self._posters

    # When its outcome is known.

    def stored(self, draft: Draft, position: Position) -> list[Poster]:
        """Remember a stored draft's position; returns the posters to notify."""
        self.found(draft, position)
        return self._posters.pop(draft.identity, [])

    def refused(self, draft: Draft) -> list[Poster]:
        """Forget a draft that was not stored; returns the posters to notify."""
        self._pending.discard(draft.identity)
        return self._posters.pop(draft.identity, [])

    def found(self, draft: Draft, position: Position) -> None:
        """Remember the key of a draft that is in the log."""
        name = draft.message.user, draft.message.key
        if draft.message.key:
            self._pending.discard(name)
            if known := self._memory.position(self, name):
                self._forget(known.id)
            self._keys[position.id] = name
            self._memory.put(self, name, position, draft.source)

    # Keys of messages in the log.

    def has_key(self, number: int) -> bool:
        """Whether the key of the message with this id is known, so that it cannot be a message with another key."""
        return number in self._keys

    def keys_of(self, user: str, ids: Iterable[int]) -> dict[int, str]:
        """The keys that a poster gave to messages with these ids, as far as they are known."""
        if not self._keys:
            return {}
        own = ((number, self._keys[number]) for number in ids if number in self._keys)
        return {number: key for number, (name, key) in own if name == user}

    def forget_log(self) -> None:
        """Forget everything except pending drafts: the log has been replaced, and with it the meaning of ids, or it is closed."""
        for number in [*self._keys]:
            self._forget(number)

    def forgotten(self, number: int) -> None:
        """The memory has forgotten the key of a message."""
        del self._keys[number]

    def _forget(self, number: int) -> None:
        self._memory.drop(self, self._keys.pop(number))
