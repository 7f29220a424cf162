"""The people of all rooms, at this node and at the others. Pure.

Everybody is a digest here, the same one at all nodes: so a person who is at two of them, or who moves, counts once. The nodes tell each other their changes; what
they have told is kept for each, and falls with it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from besedka.serve.cluster.presence.gossip_frames import PEOPLE_IN_FRAME, RoomChange
from besedka.serve.people.person import Person

PEOPLE_OF_NODE_AT_MOST: Final = 100_000
"""People of one other node that are kept, each with some hundred bytes: four times as many as its connections. The others are not counted."""

ROOMS_TYPED_AT_MOST: Final = 1_000
"""Rooms in which typing is told in one frame; of the others nothing is said."""

_DIGEST_BYTES: Final = 8


class Observer(Protocol):
    """Is told what changes in rooms by people elsewhere; all names may be empty."""

    def arrived(self, room: str, name: str) -> None:
        """A person is in a room who was in it nowhere before."""

    def departed(self, room: str, name: str) -> None:
        """A person is in a room nowhere any more."""

    def renamed(self, room: str, former: str, name: str) -> None:
        """A person has changed their name, after the old one has departed and the new one has arrived."""

    def withdrawn(self, room: str, name: str) -> None:
        """A person is in a room nowhere any more, of whom no notice is to tell."""

    def changed(self, room: str) -> None:
        """Others are in a room now than were known."""


@dataclass(slots=True)
class _Here:
    name: str
    uses: int = 1


@dataclass(slots=True)
class _There:
    name: str
    nodes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Node:
    count: int = 0
    rooms: dict[str, set[int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Room:
    here: dict[int, _Here] = field(default_factory=dict)
    there: dict[int, _There] = field(default_factory=dict)
    both: int = 0


class PeopleElsewhere:
    """The people of all rooms, here and at other nodes: an `Elsewhere` of rooms.

    Args:
        cluster: the id of the cluster.
        wake: is called when there is something that the others are to be observer.
    """

    def __init__(self, cluster: str, wake: Callable[[], None] = lambda: None) -> None:
        self._key = cluster.encode()
        self._wake = wake
        # The nameless have no identity: each is one by themselves.
        self._nonce = secrets.token_hex(8)
        self._rooms: dict[str, _Room] = {}
        self._changes: dict[str, RoomChange] = {}
        self._typing: dict[str, list[str]] = {}
        self._nodes: dict[str, _Node] = {}

    # As rooms see it.

    def count(self, room: str) -> int:
        """The number of people who are in a room at other nodes, and not here as well."""
        found = self._rooms.get(room)
        return len(found.there) - found.both if found else 0

    def names(self, room: str) -> Iterator[str]:
        """Their names; those who have none are left out."""
        found = self._rooms.get(room)
        if found:
            yield from (
                there.name for digest, there in found.there.items() if there.name and digest not in found.here
            )

    def is_present(self, name: str) -> bool:
        """Whether anybody is at another node under a name, in capitals or not. It takes as long as people are there."""
        folded = name.casefold()
        return any(
            there.name.casefold() == folded
            for found in self._rooms.values()
            for there in found.there.values()
        )

    def arrive(self, room: str, person: Person) -> bool:
        """Note that a person is in a room here from now on. Returns whether they are in it elsewhere, too."""
        digest, found = self.digest(person), self._rooms.setdefault(room, _Room())
        if here := found.here.get(digest):
            here.uses += 1
            return True
        found.here[digest] = _Here(person.name)
        change = self._change(room)
        if digest in change.left or digest in change.hidden:
            change.left.discard(digest)
            change.hidden.discard(digest)
        else:
            change.joined[digest] = person.name
        is_elsewhere = digest in found.there
        found.both += is_elsewhere
        return is_elsewhere

    def depart(self, room: str, person: Person) -> bool:
        """Note that a person is not in a room here any more. Returns whether they are in it still."""
        return self._depart(room, person, self._change(room).left)

    def withdraw(self, room: str, person: Person) -> bool:
        """The same of a person of whom no notice is to tell."""
        return self._depart(room, person, self._change(room).hidden)

    def rename(self, room: str, former: str, name: str) -> None:
        """Note a change of name, after the person has departed under the old one and arrived under the new one."""
        self._change(room).renamed[former] = name

    def type(self, room: str, names: Sequence[str]) -> None:
        """Note that people here are typing in a room."""
        if room in self._typing or len(self._typing) < ROOMS_TYPED_AT_MOST:
            self._typing[room] = [*names]
            self._wake()

    def digest(self, person: Person) -> int:
        """The number of a person, which is the same at all nodes."""
        return self.digest_of(person.name, person.identity or f"{self._nonce} {id(person)}")

    def digest_of(self, name: str, identity: str) -> int:
        """The number of a person with a name and an identity."""
        text = f"{name}\0{identity}".encode()
        found = hashlib.blake2b(text, digest_size=_DIGEST_BYTES, key=self._key)
        return int.from_bytes(found.digest()) >> 1

    # What is sent to the others.

    def take_changes(self) -> Iterator[dict[str, RoomChange]]:
        """The changes here since the last call, in parts for a frame each."""
        changes, self._changes = self._changes, {}
        part: dict[str, RoomChange] = {}
        size = 0
        for room, change in changes.items():
            for piece in _pieces(change):
                if part and (size + piece.size > PEOPLE_IN_FRAME or room in part):
                    yield part
                    part, size = {}, 0
                part[room] = piece
                size += piece.size
        if part:
            yield part

    def take_typing(self) -> dict[str, list[str]]:
        """The people who are typing here, of whom the others do not know yet."""
        typing, self._typing = self._typing, {}
        return typing

    def state(self) -> Iterator[dict[str, dict[int, str]]]:
        """All people here, in parts for a frame each; at least one. `take_changes` comes first, at the same moment."""
        part: dict[str, dict[int, str]] = {}
        size = 0
        for room, found in self._rooms.items():
            for digest, here in found.here.items():
                if size == PEOPLE_IN_FRAME:
                    yield part
                    part, size = {}, 0
                part.setdefault(room, {})[digest] = here.name
                size += 1
        yield part

    # What the others have sent.

    def apply(self, node: str, changes: Mapping[str, RoomChange], observer: Observer) -> bool:
        """Take in changes at a node. Returns whether there was space for all of its people."""
        fits = True
        for room, change in changes.items():
            for digest, name in change.joined.items():
                if not self._has_space(node):
                    fits = False
                elif self._add(node, room, digest, name):
                    observer.arrived(room, name)
            for digest in change.left:
                if (there := self._remove(node, room, digest)) is not None:
                    observer.departed(room, there)
            for former, name in change.renamed.items():
                observer.renamed(room, former, name)
            for digest in change.hidden:
                if (there := self._remove(node, room, digest)) is not None:
                    observer.withdrawn(room, there)
        return fits

    def replace(self, node: str, state: Mapping[str, Mapping[int, str]], observer: Observer) -> bool:
        """Take in all people of a node, instead of what was known. Returns whether there was space for all of them."""
        changed = set()
        for room, digests in self._known(node):
            for digest in [digest for digest in digests if digest not in state.get(room, {})]:
                if self._remove(node, room, digest) is not None:
                    changed.add(room)
        fits = True
        for room, people in state.items():
            for digest, name in people.items():
                if not self._has_space(node):
                    fits = False
                elif self._add(node, room, digest, name):
                    changed.add(room)
        for room in changed:
            observer.changed(room)
        return fits

    def drop(self, node: str, observer: Observer) -> None:
        """Forget a node: its people have left, but for those who are at another one."""
        for room, digests in self._known(node):
            for digest in [*digests]:
                if (name := self._remove(node, room, digest)) is not None:
                    observer.departed(room, name)
        self._nodes.pop(node, None)

    # Steps.

    def _known(self, node: str) -> list[tuple[str, set[int]]]:
        """The people who are known to be at a node, by their rooms."""
        return [*self._nodes[node].rooms.items()] if node in self._nodes else []

    def _has_space(self, node: str) -> bool:
        return node not in self._nodes or self._nodes[node].count < PEOPLE_OF_NODE_AT_MOST

    def _add(self, node: str, room: str, digest: int, name: str) -> bool:
        """Add a person at a node. Returns whether they were nowhere before."""
        found, at = self._rooms.setdefault(room, _Room()), self._nodes.setdefault(node, _Node())
        digests = at.rooms.setdefault(room, set())
        if digest in digests:
            return False
        digests.add(digest)
        at.count += 1
        there = found.there.get(digest)
        if there:
            there.nodes.add(node)
            return False
        found.there[digest] = _There(name, {node})
        is_here = digest in found.here
        found.both += is_here
        return not is_here

    def _remove(self, node: str, room: str, digest: int) -> str | None:
        """Remove a person at a node. Returns their name if they are nowhere any more, else None."""
        at = self._nodes.get(node, _Node())
        digests = at.rooms.get(room, set())
        if digest not in digests:
            return None
        digests.remove(digest)
        at.count -= 1
        if not digests:
            del at.rooms[room]
        found = self._rooms[room]
        there = found.there[digest]
        there.nodes.remove(node)
        if there.nodes:
            return None
        del found.there[digest]
        is_here = digest in found.here
        found.both -= is_here
        self._forget(room, found)
        return None if is_here else there.name

    def _depart(self, room: str, person: Person, to: set[int]) -> bool:
        digest, found = self.digest(person), self._rooms[room]
        here = found.here[digest]
        here.uses -= 1
        if here.uses:
            return True
        del found.here[digest]
        if self._change(room).joined.pop(digest, None) is None:
            to.add(digest)
        is_elsewhere = digest in found.there
        found.both -= is_elsewhere
        self._forget(room, found)
        return is_elsewhere

    def _forget(self, room: str, found: _Room) -> None:
        if not found.here and not found.there:
            del self._rooms[room]

    def _change(self, room: str) -> RoomChange:
        self._wake()
        return self._changes.setdefault(room, RoomChange())


def _pieces(change: RoomChange) -> Iterable[RoomChange]:
    """A change in parts; the new names are in the last one, when all who have left and joined are known."""
    if change.size <= PEOPLE_IN_FRAME:
        yield change
        return
    joined = [*change.joined.items()]
    for begin in range(0, len(joined), PEOPLE_IN_FRAME):
        yield RoomChange(joined=dict(joined[begin : begin + PEOPLE_IN_FRAME]))
    left, hidden = [*change.left], [*change.hidden]
    for begin in range(0, len(left), PEOPLE_IN_FRAME):
        yield RoomChange(left={*left[begin : begin + PEOPLE_IN_FRAME]})
    for begin in range(0, len(hidden), PEOPLE_IN_FRAME):
        yield RoomChange(hidden={*hidden[begin : begin + PEOPLE_IN_FRAME]})
    yield RoomChange(renamed=change.renamed)
