"""A room: its subscribers, the order of its messages, and which subscribers are live or behind.

Pure: no loop, no socket, no file, no clock. `besedka.serve.chat` drives it: it takes a batch, has the history write
it, and returns it for delivery.

The rules:

- a message is delivered only after its batch is stored, and in the order of the log;
- a *live* subscriber receives each batch: encoded once, the same bytes written to all; a subscriber that is *behind* has
  only a cursor, the id of the next message it needs, and reads pages until it is at the head; then it goes live in
  one step, so that no message is lost or sent twice;
- a subscriber falls behind when its socket is full, and reports that during the write;
- nobody has a queue.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Protocol

from msgspec import structs

from besedka.serve.counters import Counters
from besedka.serve.history import Latest, newcomers_begin
from besedka.serve.room.batch import Batch, Draft, Gathering, Position
from besedka.serve.room.broadcast import Broadcast, Encode
from besedka.serve.room.dedup import Dedup, KeyMemory
from besedka.serve.room.elsewhere import Elsewhere
from besedka.serve.room.presence import Notice, Presence
from besedka.serve.room.recent import RecentBroadcasts, RecentMemory
from besedka.serve.room.redactions import Redactions
from besedka.serve.room.subscriber import Poster, Subscriber
from besedka.serve.room.typists import Typists
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Chat, History, Redacted, ServerFrame, Typing
from besedka.wire.message import Message, MessageId


class Log(Protocol):
    """A room's view of its history."""

    @property
    def count(self) -> int:
        """The id of the last message stored."""

    @property
    def epoch(self) -> str:
        """Identifies the log."""

    @property
    def latest(self) -> Latest:
        """The last few messages."""


class Room:
    """A room and its subscribers.

    Attributes:
        name: as `clean_room` gives it.
        head: the id of the last message that was delivered.
        holds: the number of operations that need it open.
        presence: the people in the room.
        redactions: the redactions since it was opened.
        typists: the people who are typing.
        gathering: the drafts that wait for the next batch.
        dedup: recognises resent messages.
    """

    def __init__(
        self,
        name: str,
        log: Log,
        counters: Counters,
        *,
        keys: KeyMemory,
        recent: RecentMemory,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.name = name
        self.head = log.count
        self._log = log
        # Their ids, perhaps of some behind the head, which are not delivered yet.
        self._latest_messages = log.latest.messages
        self._counters = counters
        self._epoch = log.epoch
        self.holds = 0
        self._elsewhere = elsewhere
        self.presence = Presence(name, elsewhere)
        self.redactions = Redactions()
        self.typists = Typists()
        self._subscribers: set[Subscriber] = set()
        self._named = 0
        self._live: defaultdict[Encode, set[Subscriber]] = defaultdict(set)
        self._pulling: Counter[Encode] = Counter()
        self._recent = RecentBroadcasts(recent)
        self.gathering = Gathering()
        self.dedup = Dedup(keys)

    @property
    def epoch(self) -> str:
        """Identifies the log of the ids that subscribers know, also while the room is switching to another log."""
        return self._epoch

    @property
    def live_count(self) -> int:
        """The number of live subscribers."""
        return sum(map(len, self._live.values()))

    @property
    def behind_count(self) -> int:
        """The number of subscribers that are not live: they read the log, or their sockets are full."""
        return len(self._subscribers) - self.live_count

    @property
    def has_names(self) -> bool:
        """Whether somebody is in it under a name, seen or unseen."""
        return self._named > 0

    @property
    def subscribers(self) -> list[Subscriber]:
        """A snapshot of its subscribers."""
        return [*self._subscribers]

    @property
    def is_idle(self) -> bool:
        """Whether it has no subscribers and no holds."""
        return not self._subscribers and not self.holds

    # Entering and leaving.

    def enter(self, subscriber: Subscriber, since: int | None = None, epoch: str = "") -> bool:
        """Add a subscriber, behind, with its cursor set. Returns whether ``since`` could not be used."""
        self._subscribers.add(subscriber)
        self._named += bool(subscriber.person.name)
        subscriber.notices = self.presence.notices
        subscriber.redactions = self.redactions.count
        subscriber.charged_to = self.head
        if subscriber.pulls:
            self._pulling[subscriber.encode] += 1
        if subscriber.is_seen:
            self.presence.arrive(subscriber.person)
        # Whoever has seen nothing begins with the first message of any log: an empty one may have been removed meanwhile.
        known = since is not None and since <= self.head and (since == 0 or epoch in {"", self.epoch})
        subscriber.cursor = since + 1 if known and since is not None else self._newcomer_cursor()
        return since is not None and not known

    def leave(self, subscriber: Subscriber) -> None:
        """Remove a subscriber. Its pending messages are stored all the same."""
        self._subscribers.remove(subscriber)
        self._named -= bool(subscriber.person.name)
        subscriber.is_gone = True
        self._live[subscriber.encode].discard(subscriber)
        if subscriber.pulls:
            self._pulling[subscriber.encode] -= 1
            self._forget_needless()
        self.typists.leave(subscriber)
        if subscriber.is_seen:
            self.presence.depart(subscriber.person)

    def hide(self, subscriber: Subscriber) -> None:
        """Count, announce and list a subscriber no more; nothing is said of it."""
        self.typists.leave(subscriber)
        if subscriber.is_seen:
            subscriber.is_seen = False
            self.presence.withdraw(subscriber.person)

    # Posting.

    def post(self, draft: Draft, poster: Poster) -> Message | None:
        """Add a draft to those that wait for the next batch.

        Returns:
            None; or, if it was stored before under the same key, the message as it is now.
        """
        admitted = self.dedup.admit(draft, poster)
        if isinstance(admitted, Draft):
            self.gathering.add(draft)
            return None
        return self.message(draft, admitted) if admitted else None

    def found(self, draft: Draft, position: Position) -> Message:
        """Remember the key of a draft that was found in the log. Returns the message as it is now."""
        self.dedup.found(draft, position)
        return self.message(draft, position)

    def message(self, draft: Draft, position: Position) -> Message:
        """A stored message, as it is now: its text may have been redacted meanwhile."""
        message = draft.at(position)
        if position.id in self.redactions:
            message = structs.replace(message, text=self.redactions.text(position.id))
        return message

    def stored(self, batch: Batch, first: MessageId) -> Sequence[Subscriber]:
        """Deliver a batch that is on disk from the id ``first`` on; with its own message, each sender receives the acknowledgement.

        Returns:
            The subscribers who must read on from the log, because another program has added to it or changed it.
        """
        is_other_log = self._epoch != self._log.epoch
        if is_other_log:
            self._forget_log()
        is_next = first == self.head + 1 and not is_other_log
        before, self.head = self.head, first + len(batch.drafts) - 1
        self._latest_messages = self._log.latest.messages
        self._counters.messages += len(batch.drafts)
        messages: list[Message] = []
        posters: list[tuple[Poster, Message]] = []
        for draft, position in zip(batch.drafts, batch.positions(first), strict=True):
            message = draft.at(position)
            messages.append(message)
            posters += zip(self.dedup.stored(draft, position), repeat(message))
        must_read = () if is_next else self._turn_to_log(before, first, is_other_log=is_other_log)
        if is_next:
            self._deliver(messages, first)
        for poster, message in posters:
            poster.stored(message)
        return must_read

    def read_on(self, log: Log) -> Sequence[Subscriber]:
        """Go on with a log that has grown otherwise than by `stored`, or with another one, which was made anew.

        Returns:
            The subscribers who must read on from it.
        """
        is_other_log = log is not self._log or log.epoch != self._epoch
        self._log = log
        if is_other_log:
            self._forget_log()
        before, self.head = self.head, log.count
        self._latest_messages = log.latest.messages
        return self._turn_to_log(before, MessageId(self.head + 1), is_other_log=is_other_log)

    def refuse(self, drafts: Sequence[Draft], code: ErrorCode, wait: float = 0.0) -> None:
        """Notify the posters of drafts that could not be stored.

        Args:
            drafts: the drafts.
            code: the reason.
            wait: how many seconds to wait before posting them again; 0 where waiting does not help.
        """
        in_order = {poster for draft in drafts for poster in self.dedup.posters(draft) if poster.keeps_order}
        behind = self.gathering.drop(lambda draft: not in_order.isdisjoint(self.dedup.posters(draft)))
        for draft in (*drafts, *behind):
            for poster in self.dedup.refused(draft):
                if not poster.is_gone:
                    poster.refused(Refused(code, key=draft.message.key, room=self.name, wait=wait))

    def _deliver(self, messages: Sequence[Message], first: MessageId) -> None:
        self._counters.deliveries += len(messages) * self.live_count
        broadcast = Broadcast([Chat.of(self.name, message) for message in messages], first)
        if self._pulling:
            self._recent.keep(broadcast, self._pulled_by())
        self._broadcast(broadcast)

    def _pulled_by(self) -> list[Encode]:
        """The encodings of the subscribers that pull and are behind."""
        return [encode for encode, count in self._pulling.items() if count > len(self._live[encode])]

    def _forget_needless(self) -> None:
        """Forget the recent broadcasts if no subscriber that pulls is behind."""
        if not self._pulled_by():
            self._recent.clear()

    def _turn_to_log(self, head: int, first: MessageId, *, is_other_log: bool) -> Sequence[Subscriber]:
        """Have all who are live read on behind ``head``; in another log, all who are here from its last messages on.

        There they read from ``first`` on at least, the batch that was just stored: its posters learn from the log that it was.
        """
        self._recent.clear()
        live = tuple(subscriber for subscribers in self._live.values() for subscriber in subscribers)
        self._live.clear()
        for subscriber in live:
            subscriber.cursor = head + 1
            subscriber.notices = self.presence.notices
            subscriber.redactions = self.redactions.count
        if not is_other_log:
            return live
        for subscriber in self._subscribers:
            subscriber.cursor = min(self._newcomer_cursor(), first)
            subscriber.charged_to = 0
            subscriber.start_again()
        return tuple(self._subscribers)

    def _forget_log(self) -> None:
        """The log has been replaced, and with it the meaning of ids: forget everything except pending drafts."""
        self._epoch = self._log.epoch
        self.dedup.forget_log()
        self.redactions.clear()

    # Redacting.

    def redact(self, number: int, size: int) -> None:
        """Record a message's tombstone of ``size`` bytes in the log, and broadcast it to subscribers that may have its text."""
        if self.redactions.add(number, size):
            self._recent.clear()
            self._send_behind_answers(self._redacted(number))

    def missed_redactions(self, subscriber: Subscriber) -> list[Redacted]:
        """The redactions since a subscriber was live last, or entered: it may have received the old texts meanwhile."""
        numbers = self.redactions.since(subscriber.redactions)
        subscriber.redactions = self.redactions.count
        return [] if Redacted in subscriber.ignores else list(map(self._redacted, numbers))

    def _redacted(self, number: int) -> Redacted:
        return Redacted(self.name, number, self.redactions.text(number))

    # Delivering.

    def broadcast_notice(self, notice: Notice) -> None:
        """Send a notice of presence to all live subscribers, to each in its language."""
        for encode, subscribers in tuple(self._live.items()):
            encoded: dict[Language, bytes] = {}
            for subscriber in tuple(subscribers):
                language = subscriber.language
                data = encoded.get(language)
                if data is None:
                    data = encoded[language] = encode([notice(language)])
                if not data:
                    break  # this kind ignores it
                self._counters.bytes_told += len(data)
                subscriber.write(data)

    def broadcast_typists(self) -> bool:
        """Tell all live subscribers who is typing, each of the others only. Returns whether anybody is."""
        typists = self.typists.take()
        own = {typist: Typing(self.name, typist.person.name) for typist in typists}
        if own and self._elsewhere:
            self._elsewhere.type(self.name, [frame.user for frame in own.values()])
        frames = [*own.values(), *(Typing(self.name, name) for name in self.typists.take_elsewhere())]
        if frames:
            self._send_to_some(frames, own)
        return bool(frames)

    @property
    def notice_writes(self) -> int:
        """The price of a notice to all live subscribers, in writes to a socket."""
        return sum(
            next(iter(subscribers)).notice_writes * len(subscribers)
            for subscribers in self._live.values()
            if subscribers
        )

    def recall(self, subscriber: Subscriber) -> bytes:
        """The broadcasts from a pulling subscriber's cursor on, encoded; moves the cursor. Empty if only the log has them."""
        data, count = self._recent.recall(subscriber.cursor, subscriber.encode)
        subscriber.cursor += count
        self._counters.deliveries += count
        self._counters.bytes_told += len(data)
        return data

    def _broadcast(self, broadcast: Broadcast) -> None:
        # One encoding for each kind of door, one write for each subscriber.
        for encode, subscribers in tuple(self._live.items()):
            if subscribers:
                data = broadcast.encoded(encode)
                if not data:
                    continue  # this kind ignores these frames
                self._counters.bytes_told += len(data) * len(subscribers)
                for subscriber in tuple(subscribers):
                    subscriber.write(data)

    def _send_to_some(
        self, frames: Sequence[ServerFrame], own: Mapping[Subscriber, ServerFrame] | None = None
    ) -> None:
        """Send frames of one type to all live subscribers except the kinds that ignore it, and to each all but their own."""
        own = own or {}
        for encode, subscribers in self._live_to(type(frames[0])):
            data = encode(frames)
            for subscriber in subscribers:
                if subscriber not in own:
                    subscriber.write(data)
                elif others := [frame for frame in frames if frame is not own[subscriber]]:
                    subscriber.write(encode(others))

    def _send_behind_answers(self, frame: ServerFrame) -> None:
        """Send a frame to all live subscribers that do not ignore it, behind what each was answered: an answer may hold the text redacted.

        What is broadcast to one that pulls overtakes its answers.
        """
        for encode, subscribers in self._live_to(type(frame)):
            data = encode([frame])
            for subscriber in subscribers:
                if subscriber.pulls:
                    subscriber.send(frame)
                else:
                    subscriber.write(data)

    def _live_to(self, kind: type[ServerFrame]) -> Iterator[tuple[Encode, Sequence[Subscriber]]]:
        """The live subscribers that do not ignore frames of a type, by their encoding."""
        for encode, subscribers in tuple(self._live.items()):
            concerned = [subscriber for subscriber in subscribers if kind not in subscriber.ignores]
            if concerned:
                yield encode, concerned

    def fall_behind(self, subscriber: Subscriber) -> None:
        """Make a live subscriber whose socket is full read the log, from the head on."""
        live = self._live[subscriber.encode]
        if subscriber in live:
            live.remove(subscriber)
            subscriber.cursor = self.head + 1
            subscriber.notices = self.presence.notices
            subscriber.redactions = self.redactions.count

    def is_live(self, subscriber: Subscriber) -> bool:
        """Whether it receives broadcasts."""
        return subscriber in self._live[subscriber.encode]

    def try_live(self, subscriber: Subscriber) -> bool:
        """Make a subscriber live, if it is at the head and its socket is not full. Returns whether it is live now."""
        if subscriber.cursor <= self.head or subscriber.is_full or subscriber not in self._subscribers:
            return False
        self._live[subscriber.encode].add(subscriber)
        if subscriber.pulls:
            self._forget_needless()
        return True

    def latest_from(self, cursor: int) -> Latest | None:
        """The messages from a cursor to the head, if all of them are still in memory."""
        latest = self._log.latest
        if cursor < latest.first:
            return None
        part = slice(cursor - latest.first, self.head - latest.first + 1)
        return Latest(cursor, latest.lines[part], latest.flags[part])

    def with_keys(self, subscriber: Subscriber, page: History) -> History:
        """A page, with the keys that a subscriber's person gave to its messages; the same one if there are none."""
        keys = self.dedup.keys_of(subscriber.person.name, range(page.first, page.first + len(page.messages)))
        return structs.replace(page, keys=keys) if keys else page

    def _newcomer_cursor(self) -> int:
        return newcomers_begin(self._latest_messages, self.head)
