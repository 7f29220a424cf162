"""The rules of direct messages: who may begin them with whom, how many, and who is blocked. Pure.

A person who is *asked* into a direct room has answered when they post there, or open it themselves. Unanswered rooms are what strangers can
do to a person, so there is a limit on them; and one on those that a person, and the people behind an address, may begin.

`besedka/serve/session/requests.py` asks when a direct room is opened, `besedka/serve/session/post.py` before each message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from besedka.serve.limits.networks import SITE_TIMES, Origin, levels_of, share_of_site
from besedka.serve.limits.token_bucket import TokenBucket
from besedka.serve.people.blocks import Blocks
from besedka.serve.people.memberships import DIRECT, PrivateRooms, Role, direct_room
from besedka.serve.people.names import Known
from besedka.wire.counting import count_of
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.naming import in_sentence

ASKED_AT_MOST: Final = 50
"""Unanswered direct rooms that others may open with a person: a teacher whom a whole class writes to in one evening. More strangers are refused
until they answer or block some. People whom they have written to are never refused: those rooms are open already."""

BEGUN_BY_PERSON: Final = 20
"""Direct rooms that a person may begin at once, and then in each hour: more than anybody writes to who expects an answer."""

BEGUN_BY_ADDRESS: Final = 100
"""Direct rooms that all people behind one address may begin at once, and then in each hour: five for each of a small class."""

BEGUN_BY_ADDRESS_WITH_ONE: Final = 20
"""Of these, with the same person: nobody fills their fifty from one address, nor from one IPv6 site."""

BEGUN_BY_SITE: Final = SITE_TIMES * BEGUN_BY_ADDRESS
"""Direct rooms that all people of one IPv6 site may begin at once, and then in each hour."""

BEGUN_BY_SITE_WITH_ONE: Final = share_of_site(BEGUN_BY_ADDRESS_WITH_ONE, ASKED_AT_MOST)
"""Of these, with the same person."""

_BEGUN_BY_LEVEL: Final = (
    (BEGUN_BY_ADDRESS, BEGUN_BY_ADDRESS_WITH_ONE),
    (BEGUN_BY_SITE, BEGUN_BY_SITE_WITH_ONE),
)

BEGUN_SECONDS: Final = 3600.0
"""The hour of these limits."""

BUCKETS_KEPT: Final = 1_000
"""Number of token buckets above which those that are full are purged."""


class DirectRules:
    """The rules.

    Args:
        rooms: the members of direct rooms.
        blocks: the blocks.
    """

    def __init__(self, rooms: PrivateRooms, blocks: Blocks) -> None:
        self._rooms = rooms
        self._blocks = blocks
        # People with whom a direct room is being begun.
        self._beginning: Counter[str] = Counter()
        self._begun: dict[tuple[str, ...], TokenBucket] = {}
        self._purge_at = BUCKETS_KEPT

    # Beginning.

    def check_open(self, claim: str, other: Known) -> None:
        """Check that a person may open the direct room with another.

        Raises:
            Refused: `not_accepted`; `not_allowed` if they have blocked the other.
        """
        is_new = not self._rooms.has_members(direct_room(claim, other.claim))
        asked = len(self.unanswered(other.claim)) + self._beginning[other.claim] if is_new else 0
        self.check_blocks(claim, other)
        if asked >= ASKED_AT_MOST:
            raise Refused(ErrorCode.NOT_ACCEPTED, name=other.name)

    def check_blocks(self, claim: str, other: Known) -> None:
        """Check that neither of two people has blocked the other.

        Raises:
            Refused: `not_accepted`; `not_allowed` if the person has blocked the other.
        """
        if self._blocks.has_blocked(claim, other.claim):
            why = {
                Language.RU: f"вы заблокировали {in_sentence(other.name, Language.RU)}, сначала разблокируйте",
                Language.EN: f"you have blocked {in_sentence(other.name, Language.EN)}; unblock them first",
            }
            raise Refused(ErrorCode.NOT_ALLOWED, why=why)
        if self._blocks.has_blocked(other.claim, claim):
            raise Refused(ErrorCode.NOT_ACCEPTED, name=other.name)

    @contextmanager
    def beginning(self, now: float, claim: str, other: str, origin: Origin) -> Iterator[None]:
        """Charge for a direct room that is begun in this block, as `charge_open`; a failure of the block gives all back.

        Until the end of the block the room counts as one that the other person has not answered.
        """
        buckets = self.charge_open(now, claim, other, origin)
        self._beginning[other] += 1
        try:
            yield
        except BaseException:
            for bucket in buckets:
                bucket.spend(now, -1)
            raise
        finally:
            self._beginning[other] -= 1
            self._beginning += Counter()  # without those at 0

    def charge_open(self, now: float, claim: str, other: str, origin: Origin) -> list[TokenBucket]:
        """Charge for a direct room that a person begins; it costs nothing if it is open already. Returns what was charged.

        Args:
            now: any monotonic clock, in seconds.
            claim: the person's claim.
            other: the claim of the other person.
            origin: where the person is connected from.

        Raises:
            Refused: `not_allowed`, with the time to wait.
        """
        if self._rooms.has_members(direct_room(claim, other)):
            return []
        buckets = [self._bucket(BEGUN_BY_PERSON, claim)]
        if not origin.is_shared_by_machine:
            levels = zip(levels_of(origin.network), _BEGUN_BY_LEVEL, strict=False)
            for network, (count, count_with_one) in levels:
                buckets += [
                    self._bucket(count, str(network)),
                    self._bucket(count_with_one, str(network), other),
                ]
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait:
            minutes = int(wait // 60) + 1
            why = {
                Language.RU: f"слишком много новых личных сообщений, следующему человеку можно написать через {minutes} мин",
                Language.EN: f"too many new direct messages; you can start the next one in {count_of(minutes, 'minute')}",
            }
            raise Refused(ErrorCode.NOT_ALLOWED, why=why, wait=wait)
        for bucket in buckets:
            bucket.spend(now)
        self._purge(now)
        return buckets

    # Afterwards.

    def unanswered(self, claim: str) -> list[str]:
        """The rooms that a person was asked into and has not answered in, the newest last; without those of people they have blocked."""
        return [room for room in self._rooms.of(claim) if self.is_unanswered(room, claim)]

    def is_unanswered(self, room: str, claim: str) -> bool:
        """Whether a person was asked into a direct room, and has neither answered there nor blocked the other."""
        membership = self._rooms.membership(room, claim)
        is_asked = membership is not None and membership.role is Role.ASKED
        return is_asked and not self.has_blocked_peer(room, claim)

    def has_blocked_peer(self, room: str, claim: str) -> bool:
        """Whether a person has blocked the other one of a direct room."""
        other = self._rooms.peer(room, claim)
        return other is not None and self._blocks.has_blocked(claim, other.claim)

    def note_answer(self, room: str, claim: str) -> None:
        """Note that a person has posted in a room, or opened it."""
        if room.startswith(DIRECT):
            self._rooms.answer(room, claim)

    def check_post(self, room: str, claim: str) -> None:
        """Check that a person may post in a room, as far as it is a direct room.

        Raises:
            Refused: `not_accepted` if the other has blocked them.
        """
        other = self._rooms.peer(room, claim) if room.startswith(DIRECT) else None
        if other and self._blocks.has_blocked(other.claim, claim):
            raise Refused(ErrorCode.NOT_ACCEPTED, name=other.name)

    def delivers(self, room: str, claim: str) -> bool:
        """Whether a person may post in a room, as far as it is a direct room."""
        try:
            self.check_post(room, claim)
        except Refused:
            return False
        return True

    def _bucket(self, count: int, *key: str) -> TokenBucket:
        bucket = TokenBucket(count / BEGUN_SECONDS, BEGUN_SECONDS)
        return self._begun.setdefault((str(count), *key), bucket)

    def _purge(self, now: float) -> None:
        if len(self._begun) > self._purge_at:
            self._begun = {key: bucket for key, bucket in self._begun.items() if not bucket.is_full(now)}
            self._purge_at = max(BUCKETS_KEPT, 2 * len(self._begun))
