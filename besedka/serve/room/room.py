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

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import structs

from besedka.serve.counters import Counters
from besedka.serve.history import LATEST_MESSAGES, Latest
from besedka.serve.room.batch import Batch, Draft, Gathering, Position
from besedka.serve.room.dedup import Dedup
from besedka.serve.room.presence import Presence
from besedka.serve.room.recent import Broadcast, Encode, RecentBroadcasts
from besedka.serve.room.revisions import Revisions
from besedka.serve.room.subscriber import Poster, Subscriber
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Chat, History, Redacted, ServerFrame, Typing
from besedka.wire.message import Message, MessageId

TYPING_RELAYED_SECONDS: Final = 1.0
"""A subscriber's further typing frames within this time are dropped."""


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


class Room:
    """A room and its members.

    Attributes:
        name: as `clean_room` gives it.
        head: the id of the last message that was told.
        holds: how many need it without being here.
        presence: who is here, as they know of each other.
        revisions: what was redacted since it was opened.
        gathering: what waits to be stored.
        dedup: recognises what is posted again.
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
        self.gathering = Gathering()
        self.dedup = Dedup()

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
        member.is_gone = True
        self._live[member.encode].discard(member)
        self._pulling -= member.pulls
        if member.is_seen:
            self.presence.depart(member.person)

    # Posting.

    def post(self, draft: Draft, poster: Poster) -> Message | None:
        """Have a draft wait for the disk with those that gather.

        Returns:
            None; or, if it was stored before under the same key, the message as it is now.
        """
        admitted = self.dedup.admit(draft, poster)
        if isinstance(admitted, Draft):
            self.gathering.add(draft)
            return None
        return self.message(draft, admitted) if admitted else None

    def found(self, draft: Draft, position: Position) -> Message:
        """A draft was found in the log: know it by its key from now on. Returns the message as it is now."""
        self.dedup.found(draft, position)
        return self.message(draft, position)

    def message(self, draft: Draft, position: Position) -> Message:
        """A message that was stored, as it is now: its text may have been redacted meanwhile."""
        message = draft.at(position)
        if position.id in self.revisions:
            message = structs.replace(message, text=self.revisions.text(position.id))
        return message

    def stored(self, batch: Batch, first: MessageId) -> Sequence[Subscriber]:
        """Deliver a batch that is on disk from the id ``first`` on.

        Returns:
            The subscribers who must read on from the log, because another program has added to it or changed it.
        """
        is_other_log = self._told_epoch != self._log.epoch
        if is_other_log:
            self._forget_log()
        is_next = first == self.head + 1 and not is_other_log
        before, self.head = self.head, first + len(batch.drafts) - 1
        self._counters.messages += len(batch.drafts)
        stored = [
            (draft.at(position), self.dedup.stored(draft, position))
            for draft, position in zip(batch.drafts, batch.positions(first), strict=True)
        ]
        must_read = () if is_next else self._turn_to_log(before, is_other_log=is_other_log)
        if is_next:
            self._deliver([message for message, _ in stored], first)
        for message, posters in stored:
            for poster in posters:
                poster.stored(message)
        return must_read

    def refuse(self, drafts: Sequence[Draft], code: ErrorCode) -> None:
        """Tell the posters of drafts that could not be stored, and nobody else."""
        in_order = {poster for draft in drafts for poster in self.dedup.posters(draft) if poster.keeps_order}
        behind = self.gathering.drop(lambda draft: not in_order.isdisjoint(self.dedup.posters(draft)))
        for draft in (*drafts, *behind):
            for poster in self.dedup.refused(draft):
                if not poster.is_gone:
                    poster.refused(Refused(code, key=draft.message.key, room=self.name))

    def _deliver(self, messages: Sequence[Message], first: MessageId) -> None:
        self._counters.deliveries += len(messages) * self.live_count
        broadcast = Broadcast([Chat.of(self.name, message) for message in messages], first)
        if self._pulling:
            self._recent.keep(broadcast)
        else:
            self._recent.clear()
        self._broadcast(broadcast)

    def _turn_to_log(self, head: int, *, is_other_log: bool) -> Sequence[Subscriber]:
        """Have all who are live read on behind ``head``; in another log, all who are here from its last messages on."""
        self._recent.clear()
        live = tuple(member for members in self._live.values() for member in members)
        self._live.clear()
        for member in live:
            member.cursor = head + 1
            member.notices = self.presence.notices
            member.revisions = self.revisions.count
        if not is_other_log:
            return live
        for member in self._members:
            member.cursor = self._newcomer_cursor()
            member.start_again()
        return tuple(self._members)

    def _forget_log(self) -> None:
        """The log is another one: ids mean other messages now. Only what waits to be stored is still known."""
        self._told_epoch = self._log.epoch
        self.dedup.forget_log()
        self.revisions.clear()

    def type(self, member: Subscriber, now: float) -> None:
        """Tell the others that a member types; ``now`` is any clock in seconds."""
        if now - member.typed_at < TYPING_RELAYED_SECONDS:
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
        keys = self.dedup.keys_of(member.person.name, ids)
        return History(self.name, member.cursor, list(lines), keys=keys, unverified=unverified)

    def _newcomer_cursor(self) -> int:
        return max(1, self.head - LATEST_MESSAGES + 1)
