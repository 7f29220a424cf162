"""A room: who is in it, what order things are said in, who is live and who is behind.

Pure: no loop, no socket, no file, no clock. `besedka.serve.chat` moves it: it takes a batch, has the history write
it, and hands it back to be told.

The rules:

- a message is told only after its batch is stored, and in the order of the log;
- a member who is *live* is handed each batch: encoded once, the same bytes written to all; one who is *behind* has
  only a cursor, the id of the next message it wants, and reads pages until it is at the head; then it goes live in
  one step, so that there is no gap and no double;
- a member falls behind when its socket is full, and says so itself while it is written to;
- nobody has a queue.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, Protocol

from besedka.serve.counters import Counters
from besedka.serve.history import LATEST_MESSAGES, Flag, Latest
from besedka.serve.room.presence import Presence
from besedka.serve.room.recent import Broadcast, Encode, RecentBroadcasts
from besedka.serve.room.revisions import Revisions
from besedka.serve.room.subscriber import Sender, Subscriber
from besedka.wire.errors import Refused
from besedka.wire.frames import Chat, History, Redacted, ServerFrame, Typing
from besedka.wire.log_line import clock_time, stamp, write_line
from besedka.wire.message import Message

KEYS_REMEMBERED: Final = 10_000
"""How many of the last keyed messages are known again when they are sent again."""

GATHERING_BYTES_AT_MOST: Final = 1024 * 1024
"""What may wait for the disk in one room; who wants to say more is not listened to until it has been written."""

TYPING_SECONDS: Final = 1.0
"""A member's further words of typing within this time are dropped."""

_BYTES_OF_A_MESSAGE: Final = 500  # what an empty one takes in memory, about


class Log(Protocol):
    """What a room needs to know of its history."""

    @property
    def count(self) -> int:
        """The id of the last message stored."""

    @property
    def epoch(self) -> str:
        """Names the log."""

    @property
    def latest(self) -> Latest:
        """The last few messages."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message that waits to be stored.

    Attributes:
        sender: who hears that it is.
        user: the name.
        text: what is said.
        key: what its sender knows it by; may be empty.
        unverified: its sender has not shown that the name is his, where names are held.
        verified: he has.
    """

    sender: Sender
    user: str
    text: str
    key: str
    unverified: bool = False
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that are stored and told together, all at the same moment (unix seconds)."""

    said: Sequence[Said]
    at: int
    stamp: str

    def lines(self) -> list[str]:
        """The messages as they stand in the log."""
        return [write_line(Message(self.stamp, one.user, one.text)) for one in self.said]

    def flags(self) -> list[Flag]:
        """What is stored of each beside. Where names are nobody's, nobody has shown anything."""
        return [Flag.VERIFIED if one.verified else Flag.UNVERIFIED for one in self.said]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where and when a message was stored."""

    id: int
    at: int
    stamp: str


class Room:
    """A room and its members.

    Attributes:
        name: as `clean_room` gives it.
        head: the id of the last message that was told.
        holds: how many need it without being here.
        presence: who is here, as they know of each other.
        revisions: what was redacted since it was opened.
    """

    def __init__(self, name: str, log: Log, counters: Counters) -> None:
        self.name = name
        self.head = log.count
        self._log = log
        self._counters = counters
        self._told_epoch = log.epoch
        self.holds = 0
        self.presence = Presence(name)
        self.revisions = Revisions()
        self._members: set[Subscriber] = set()
        self._live: defaultdict[Encode, set[Subscriber]] = defaultdict(set)
        self._pulling = 0
        self._recent = RecentBroadcasts()
        self._gathering: list[Said] = []
        self._gathering_bytes = 0
        # (user, key) -> where messages of late stand in the log; None while one waits to be stored.
        self._known: OrderedDict[tuple[str, str], _Place | None] = OrderedDict()
        # Who else has said what waits to be stored, under the same key.
        self._asked_again: dict[tuple[str, str], list[Sender]] = {}
        # What `_known` knows the other way round, by id: for those who hear their own message by a page.
        self._keys: dict[int, tuple[str, str]] = {}

    @property
    def epoch(self) -> str:
        """Names the log whose ids these are: the one that was told of, also while another is being taken."""
        return self._told_epoch

    @property
    def live_count(self) -> int:
        """How many connections are handed what is told."""
        return sum(map(len, self._live.values()))

    @property
    def behind_count(self) -> int:
        """How many are not: they read the log, or cannot take more."""
        return len(self._members) - self.live_count

    @property
    def is_gathering(self) -> bool:
        """Whether anything waits for the disk."""
        return bool(self._gathering)

    @property
    def is_full(self) -> bool:
        """Whether so much waits for the disk that nothing more should be said for now."""
        return self._gathering_bytes > GATHERING_BYTES_AT_MOST

    @property
    def is_deserted(self) -> bool:
        """Whether nobody is here, or needs it."""
        return not self._members and not self.holds

    # Coming and going.

    def enter(self, member: Subscriber, since: int | None = None, epoch: str = "") -> bool:
        """Let a member in, behind, with its cursor set. Returns whether ``since`` could not be used."""
        self._members.add(member)
        member.notices = self.presence.notices
        member.revisions = self.revisions.count
        self._pulling += member.pulls
        if member.is_seen:
            self.presence.arrive(member.person)
        known = since is not None and since <= self.head and epoch in {"", self.epoch}
        member.cursor = since + 1 if known and since is not None else self._newcomer_cursor()
        return since is not None and not known

    def leave(self, member: Subscriber) -> None:
        """Let a member out. What it said is stored all the same."""
        self._members.remove(member)
        self._live[member.encode].discard(member)
        self._pulling -= member.pulls
        if member.is_seen:
            self.presence.depart(member.person)

    # Saying.

    def say(self, said: Said) -> Chat | None:
        """Take a message into the batch that gathers.

        Returns:
            None; or, if it is already stored under this key, the message as it was told then.
        """
        if isinstance(said.sender, Subscriber):
            said.sender.typed_at = float("-inf")  # who has spoken may type again at once
        if said.key:
            name = (said.user, said.key)
            if name in self._known:
                place = self._known[name]
                if place is None:
                    self._asked_again.setdefault(name, []).append(said.sender)
                return self._word(said, place) if place else None
            self._known[name] = None
            self._forget()
        self._gathering.append(said)
        self._gathering_bytes += _size(said)
        return None

    def knows(self, user: str, key: str) -> bool:
        """Whether a message by this name with this key was said of late."""
        return (user, key) in self._known

    def is_keyed(self, number: int) -> bool:
        """Whether a message's key is known, so that it is no message with another key."""
        return number in self._keys

    def found(self, said: Said, number: int, at: int, stamp: str) -> Chat:
        """A message that is said again was found in the log: know it by its key from now on."""
        if said.key:
            self._forget()
        return self._remember(said, _Place(number, at, stamp))

    def take_batch(self, at: float, zone: tzinfo | None) -> Batch | None:
        """The messages gathered so far, to be stored now; None if there are none."""
        if not self._gathering:
            return None
        said, self._gathering = self._gathering, []
        self._gathering_bytes = 0
        return Batch(said, int(at), stamp(at, zone))

    def stored(self, batch: Batch, first: int) -> Sequence[Subscriber]:
        """Tell a batch that is on disk from the id ``first`` on.

        Returns:
            The members who must read on from the log, because other hands have added to it or changed it.
        """
        is_other_log = self._told_epoch != self._log.epoch
        if is_other_log:
            self._forget_log()
        is_next = first == self.head + 1 and not is_other_log
        frames = [
            self._remember(one, _Place(number, batch.at, batch.stamp))
            for number, one in enumerate(batch.said, first)
        ]
        before, self.head = self.head, first + len(frames) - 1
        self._counters.messages += len(frames)
        if is_next:
            self._counters.deliveries += len(frames) * self.live_count
            broadcast = Broadcast(frames, first)
            if self._pulling:
                self._recent.keep(broadcast)
            else:
                self._recent.clear()
            self._broadcast(broadcast)
            self._acknowledge(batch, frames)
            return ()
        # What is there now is read from the log, the batch among it.
        self._recent.clear()
        self._acknowledge(batch, frames)
        live = tuple(member for members in self._live.values() for member in members)
        self._live.clear()
        for member in live:
            member.cursor = before + 1
            member.notices = self.presence.notices
            member.revisions = self.revisions.count
        if not is_other_log:
            return live
        for member in self._members:
            member.cursor = self._newcomer_cursor()
            member.start_again()
        return tuple(self._members)

    def not_stored(self, batch: Batch, why: Callable[[Said], Refused]) -> None:
        """Tell the senders of a batch that could not be stored, and nobody else.

        Of one who says many things in one call, what has gathered meanwhile is not stored either: it stands behind.
        """
        callers = {one.sender for one in batch.said if not isinstance(one.sender, Subscriber)}
        behind = [one for one in self._gathering if one.sender in callers]
        self._gathering = [one for one in self._gathering if one.sender not in callers]
        self._gathering_bytes -= sum(map(_size, behind))
        for one in (*batch.said, *behind):
            senders = [one.sender]
            if one.key:
                self._known.pop((one.user, one.key), None)
                senders += self._asked_again.pop((one.user, one.key), ())
            for sender in senders:
                if not isinstance(sender, Subscriber) or sender in self._members:
                    sender.refused(why(one))

    def type(self, member: Subscriber, now: float) -> None:
        """Tell the others that a member types; ``now`` is any clock in seconds."""
        if now - member.typed_at < TYPING_SECONDS:
            return
        member.typed_at = now
        frame = Typing(room=self.name, user=member.person.name)
        self._send_to_some(frame, member)

    # Redacting.

    def redact(self, number: int, size: int) -> None:
        """A message has a tombstone of so many bytes in the log now: tell those who may have heard its text."""
        if self.revisions.add(number, size):
            self._recent.clear()
            self._send_to_some(self._redacted(number))

    def missed_redactions(self, member: Subscriber) -> list[Redacted]:
        """What was redacted since a member was live last, or came in: it may have been handed the old texts meanwhile."""
        numbers = self.revisions.since(member.revisions)
        member.revisions = self.revisions.count
        return [] if Redacted in member.ignores else list(map(self._redacted, numbers))

    def _redacted(self, number: int) -> Redacted:
        return Redacted(self.name, number, self.revisions.text(number))

    # Telling.

    def broadcast(self, frames: Sequence[ServerFrame]) -> None:
        """Hand something to all who are live."""
        self._broadcast(Broadcast(frames))

    def recall(self, member: Subscriber) -> bytes:
        """What was told from a pulling member's cursor on, encoded, and move the cursor; nothing if only the log has it."""
        data, count = self._recent.recall(member.cursor, member.encode)
        member.cursor += count
        self._counters.deliveries += count
        self._counters.bytes_told += len(data)
        return data

    def _broadcast(self, broadcast: Broadcast) -> None:
        # One encoding for each kind of door, one write for each member.
        for encode, members in tuple(self._live.items()):
            if members:
                data = broadcast.encoded(encode)
                if not data:
                    continue  # not for this kind
                self._counters.bytes_told += len(data) * len(members)
                for member in tuple(members):
                    member.write(data)

    def _send_to_some(self, frame: ServerFrame, sender: Subscriber | None = None) -> None:
        """Tell something that not all kinds of members hear; not to its sender."""
        for encode, members in tuple(self._live.items()):
            data = encode([frame]) if members else b""
            for member in tuple(members):
                if type(frame) not in member.ignores and member is not sender:
                    member.write(data)

    def fall_behind(self, member: Subscriber) -> None:
        """A member cannot take more than what it was handed so far; from there on it will read the log."""
        live = self._live[member.encode]
        if member in live:
            live.remove(member)
            member.cursor = self.head + 1
            member.notices = self.presence.notices
            member.revisions = self.revisions.count

    def is_live(self, member: Subscriber) -> bool:
        """Whether it is handed what is told."""
        return member in self._live[member.encode]

    def try_live(self, member: Subscriber) -> bool:
        """Let a member go live, if it is at the head and can take more."""
        if member.cursor <= self.head or member.is_full or member not in self._members:
            return False
        self._live[member.encode].add(member)
        return True

    def latest_from(self, cursor: int) -> Latest | None:
        """The messages from a cursor to the head, if memory still has them all."""
        latest = self._log.latest
        if cursor < latest.first:
            return None
        part = slice(cursor - latest.first, self.head - latest.first + 1)
        return Latest(cursor, latest.lines[part], latest.flags[part])

    def page(self, member: Subscriber, lines: Sequence[str], unverified: list[int]) -> History:
        """The page with these lines that a member hears at its cursor, with the keys that it gave itself."""
        ids = range(member.cursor, member.cursor + len(lines))
        own = ((number, self._keys[number]) for number in ids if number in self._keys)
        keys = {number: key for number, (user, key) in own if user == member.person.name}
        return History(self.name, member.cursor, list(lines), keys=keys, unverified=unverified)

    def _acknowledge(self, batch: Batch, frames: Sequence[Chat]) -> None:
        for one, frame in zip(batch.said, frames, strict=True):
            one.sender.stored(frame)
            if self._asked_again:
                for sender in self._asked_again.pop((one.user, one.key), ()):
                    sender.stored(frame)

    def _forget(self) -> None:
        if len(self._known) > KEYS_REMEMBERED:
            _, place = self._known.popitem(last=False)
            if place:
                del self._keys[place.id]

    def _remember(self, said: Said, place: _Place) -> Chat:
        if said.key:
            self._known[said.user, said.key] = place
            self._keys[place.id] = (said.user, said.key)
        return self._word(said, place)

    def _forget_log(self) -> None:
        """The log is another one: ids mean other messages now. Only what waits to be stored is still known."""
        self._told_epoch = self._log.epoch
        self._known = OrderedDict((key, place) for key, place in self._known.items() if place is None)
        self._keys.clear()
        self.revisions.clear()

    def _newcomer_cursor(self) -> int:
        return max(1, self.head - LATEST_MESSAGES + 1)

    def _word(self, said: Said, place: _Place) -> Chat:
        return Chat(
            room=self.name,
            id=place.id,
            user=said.user,
            text=self.revisions.text(place.id) if place.id in self.revisions else said.text,
            timestamp=clock_time(place.stamp),
            at=place.at,
            key=said.key,
            unverified=said.unverified,
        )


def _size(said: Said) -> int:
    """What a message that waits takes in memory, about."""
    return _BYTES_OF_A_MESSAGE + 4 * len(said.text)
