"""The one way to post a message, for every door.

The sequence of steps is defined here, and nowhere else:

1. validate the text and the key;
2. answer a message with a known key at once: it costs nothing, and the poster's present rights do not matter;
3. the rate limit: refuse a message that is too fast, and all others with a key until that one is resent;
4. look in the log for a message that is resent after a reconnect;
5. space: wait while too many of the room's drafts are pending;
6. rights: refuse a post in an archived room, a muted poster, one whom the other person of a direct room has blocked, and a message that is too early for a slow room
   (`besedka/serve/people/acts_in_force.py`, `besedka/serve/people/direct.py`);
7. the committer (`besedka/serve/chat/committer.py`).

After each wait the poster's membership is checked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from besedka.serve.chat import Committer, Resends
from besedka.serve.chat.workers import SEARCH_SECONDS
from besedka.serve.clock import Clock
from besedka.serve.limits.rate_limits import REFUSAL_SECONDS, SEARCH_FRAMES, RateLimiter
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.people.acts_in_force import ActsInForce
from besedka.serve.people.direct import DirectRules
from besedka.serve.people.person import Person
from besedka.serve.room import Draft, Poster, Room
from besedka.serve.session.unstored import Unstored
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.message import Message
from besedka.wire.validation import clean_key, clean_text

FOUND_REMEMBERED: Final = 1_000
"""Messages that a connection has resent without a key and that were found in the log."""

Later = Coroutine[Any, Any, Message | None]
"""The outcome of a post that must wait."""


class Pipeline(NamedTuple):
    """The parts of the server that every message passes.

    Attributes:
        committer: stores and delivers messages.
        resends: finds the messages that were posted before.
        moderation: the mutes and slow modes in force.
        direct: the rules of direct messages.
        clock: the server's clock.
    """

    committer: Committer
    resends: Resends
    moderation: ActsInForce
    direct: DirectRules
    clock: Clock


class Posting:
    """Posts one person's messages in one room.

    Args:
        pipeline: the parts that every message passes.
        room: the room.
        person: the poster's person.
        poster: is notified of each message's outcome.
        limiter: of their connection.
        check: raises `Refused` if they may not post any more; called after each wait.
        is_free: whether the rate limit counts their messages and refuses none.
        has_frames: whether each message comes in a frame of its own, which was charged.
    """

    __slots__ = (
        "_check",
        "_clock",
        "_committer",
        "_direct",
        "_found",
        "_has_frames",
        "_is_free",
        "_limiter",
        "_moderation",
        "_origin",
        "_person",
        "_poster",
        "_refused_key",
        "_resends",
        "_room",
        "_source",
        "_unstored",
    )

    def __init__(
        self,
        pipeline: Pipeline,
        room: Room,
        person: Person,
        poster: Poster,
        *,
        limiter: RateLimiter,
        check: Callable[[], None],
        is_free: bool = False,
        has_frames: bool = True,
    ) -> None:
        self._committer, self._resends, self._moderation, self._direct, self._clock = pipeline
        self._room = room
        self._person = person
        self._poster = poster
        self._limiter = limiter
        self._origin = limiter.origin
        self._source = Tenant.of(limiter, person).of_site
        self._check = check
        self._is_free = is_free
        self._has_frames = has_frames
        # Messages of the log that were recognised without a key: each is recognised once.
        self._found: tuple[int, ...] = ()
        # The key of the message that was too fast, and must be resent first.
        self._refused_key = ""
        # Made when it is needed, which is seldom.
        self._unstored: Unstored | None = None

    def post(self, text: str, key: str = "", after: int | None = None) -> Message | Later | None:
        """Post a message.

        Args:
            text: as it was received.
            key: as it was received.
            after: on a resend, the last id that its poster had seen when they posted it first.

        Returns:
            None: the poster will be notified of the outcome. Or the message, if it was stored before. Or, if that is not known
            at once, a coroutine with either of them.

        Raises:
            Refused: `empty_text`, `text_too_long`, `bad_key`, `too_fast`, `room_archived`, `muted`, `going_down`; later also what ``check`` raises.
        """
        person = self._person
        message = Message(
            "", person.name, clean_text(text), key=clean_key(key), unverified=person.is_unverified
        )
        draft = Draft(message, person.is_verified, self._source)
        if self._room.dedup.knows(message.user, message.key):
            return self._committer.post(self._room, draft, self._poster)
        self._charge(message)
        if after is not None and after < self._room.head:
            return self._find_or_post(draft, after)
        return (
            self._post_when_there_is_space(draft) if self._room.gathering.is_full else self._post_new(draft)
        )

    async def post_in_time(self, text: str, key: str = "") -> Message | None:
        """Post a message, however long the rate limit and a slow room make it wait.

        Raises:
            Refused: as `post`, but for `too_fast`.
        """
        while True:
            try:
                return await settled(self.post(text, key))
            except Refused as refusal:
                if refusal.code is not ErrorCode.TOO_FAST:
                    raise
                await asyncio.sleep(refusal.wait)
                self._check()

    def note_refused(self, refusal: Refused) -> None:
        """Note that a message was refused after all; if it is to be posted again, then before all others with a key."""
        if refusal.code is ErrorCode.OUT_OF_REACH:
            self._unstored = self._unstored or Unstored()
            self._unstored.note(refusal.key, self._clock.now())

    def forget_log(self) -> None:
        """Forget the log's messages, because the log has been replaced."""
        self._found = ()

    async def _find_or_post(self, draft: Draft, after: int) -> Message | None:
        asker = Tenant.of(self._limiter, self._person)
        try:
            message = await self._resends.find(
                self._room, draft, after, self._is_other, asker=asker, pay=self._pay
            )
        except asyncio.CancelledError:
            # The thread searches on to the end of its step.
            self._limiter.charge_frames(self._clock.now(), SEARCH_FRAMES)
            raise
        except Refused as refusal:
            self._note_too_fast(refusal, draft.message.key)
            raise
        if message is None:
            return await self._post_when_there_is_space(draft)
        if not draft.message.key:
            self._found = (*self._found, message.id)[-FOUND_REMEMBERED:]
        if draft.message.key:
            self._refused_key = ""
        return message

    def _is_other(self, number: int) -> bool:
        return self._room.dedup.has_key(number) or number in self._found

    async def _pay(self, seconds: float) -> None:
        """Charge for the time that the log was searched for, and wait as long as the rate limit says."""
        self._check()
        self._limiter.charge_frames(self._clock.now(), round(seconds * SEARCH_FRAMES / SEARCH_SECONDS))
        await asyncio.sleep(self._limiter.delay(self._clock.now()))
        self._check()

    async def _post_when_there_is_space(self, draft: Draft) -> Message | None:
        while self._room.gathering.is_full:
            await asyncio.shield(self._committer.space(self._room))
            self._check()
        return self._post_new(draft)

    def _post_new(self, draft: Draft) -> Message | None:
        key = draft.message.key
        # While this one was looked for in the log, an earlier one may have been refused.
        self._check_order(key)
        try:
            self._check_rights()
        except Refused as refusal:
            self._note_too_fast(refusal, key)
            raise
        self._direct.note_answer(self._room.name, self._person.claim)
        if key:
            self._refused_key = ""
        return self._committer.post(self._room, draft, self._poster)

    def _check_rights(self) -> None:
        """Refuse a poster who is blocked or muted; charge the post to the room's slow mode."""
        self._direct.check_post(self._room.name, self._person.claim)
        wall, now = self._clock.wall(), self._clock.now()
        self._moderation.check_post(wall, now, self._room.name, self._person, self._origin)

    def _charge(self, message: Message) -> None:
        self._check_order(message.key)
        if self._is_free:
            if self._has_frames:
                self._limiter.count_message(self._clock.now())
            return
        try:
            self._limiter.charge_message(self._clock.now(), message.text, has_frame=self._has_frames)
        except Refused as refusal:
            self._note_too_fast(refusal, message.key)
            raise

    def _check_order(self, key: str) -> None:
        """Refuse what was posted behind a message that was refused for now, until that one comes again."""
        if self._refused_key and self._is_known(self._refused_key):
            self._refused_key = ""  # another node has stored it, and its poster need not post it again
        is_early = bool(self._refused_key and key) and key != self._refused_key
        if is_early or (self._unstored and self._unstored.is_behind(key, self._is_known, self._clock.now())):
            raise Refused(ErrorCode.TOO_FAST, wait=REFUSAL_SECONDS)

    def _is_known(self, key: str) -> bool:
        return self._room.dedup.knows(self._person.name, key)

    def _note_too_fast(self, refusal: Refused, key: str) -> None:
        """Note that a message is refused; if it is too fast, it must be resent before any other with a key, which preserves their order."""
        if refusal.code is ErrorCode.TOO_FAST:
            self._refused_key = self._refused_key or key


async def settled(outcome: Message | Later | None) -> Message | None:
    """The outcome of a post, after its wait if it has one."""
    return await outcome if isinstance(outcome, Coroutine) else outcome
