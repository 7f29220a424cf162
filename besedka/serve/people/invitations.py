"""Invitations to a private room or to a name: bearer tokens with a number of uses and an end. Pure.

Only the hash of a token is kept, as of a secret; the token itself is sent once.

What people make has shares, so that nobody takes all; the operator's take the place of one of those who have the most.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Final, TypeVar

from besedka.serve.limits.networks import Network, levels_of, share_of_site, site_of
from besedka.serve.people.names import claim_of
from besedka.serve.people.table import Table
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.validation import clean_room, stored_name

TOKEN_BYTES: Final = 24
"""192 bits: it cannot be guessed."""

USES_AT_MOST: Final = 10_000
"""The limit of a private room's members."""

SECONDS_AT_MOST: Final = 366 * 24 * 3600

INVITATIONS_OF_ROOM_AT_MOST: Final = 100
"""Unused invitations to one room."""

INVITATIONS_OF_ONE_AT_MOST: Final = 500
"""Unused invitations by one person, under whatever names, to all their rooms."""

INVITATIONS_OF_SOURCE_AT_MOST: Final = 1_000
"""Unused invitations made from one address since the start: a tenth, so that nobody takes all of them."""

INVITATIONS_AT_MOST: Final = 10_000
"""Invitations in all: they are kept in memory, and their file is read as a whole."""

INVITATIONS_OF_SITE_AT_MOST: Final = share_of_site(INVITATIONS_OF_SOURCE_AT_MOST, INVITATIONS_AT_MOST)
"""Unused invitations made from one IPv6 site since the start."""

REMARK: Final = (
    "Invitations that are valid: the SHA-256 of the token, room or name, which one, how often, until when (unix seconds), by whom, "
    "their claim."
)

K = TypeVar("K")

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_NOBODY: Final = "-"
_NUMBER: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Offer:
    """An invitation.

    Attributes:
        token: the hash of the token.
        kind: ``room`` or ``name``.
        what: the room, or the name.
        uses: how often it can still be used.
        expires: when it ends, in unix seconds.
        by: the name of its creator.
        claim: their claim; empty of the operator, and in files of older versions.
    """

    token: str
    kind: str
    what: str
    uses: int
    expires: int
    by: str
    claim: str = ""

    @property
    def is_operators(self) -> bool:
        """Whether the operator has made it: nobody else invites to a name."""
        return self.kind == "name"

    def is_valid(self, now: float) -> bool:
        """Whether it can be used at a moment in unix seconds."""
        return now < self.expires and self.uses > 0


class Invitations(Table[Offer]):
    """All invitations that may still be used."""

    is_shared: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(REMARK)
        # The addresses from which they were made, in memory only: an address is personal data.
        self._networks: dict[str, Network] = {}
        # Those of which a use is not agreed with other nodes yet.
        self._used: set[str] = set()
        self.rebuild()

    @staticmethod
    def key(row: Offer) -> str:
        return row.token

    @staticmethod
    def read(fields: list[str]) -> Offer:
        token, kind, what, uses, expires, by, *rest = fields
        claim = "".join(rest).removeprefix(_NOBODY)
        clean = {"room": clean_room, "name": stored_name}.get(kind)
        if clean is None or not (
            _HASH.fullmatch(token) and _NUMBER.fullmatch(uses) and _NUMBER.fullmatch(expires)
        ):
            raise ValueError(fields)
        if len(rest) > 1 or (claim and not _HASH.fullmatch(claim)):
            raise ValueError(fields)
        try:
            return Offer(token, kind, clean(what), int(uses), int(expires), by, claim)
        except Refused as refusal:
            raise ValueError(what) from refusal

    @staticmethod
    def write(row: Offer) -> Iterable[str]:
        return (row.token, row.kind, row.what, str(row.uses), str(row.expires), row.by, row.claim or _NOBODY)

    def rebuild(self) -> None:
        self._to: dict[tuple[str, str], dict[str, Offer]] = {}
        self._by: dict[str, dict[str, Offer]] = {}
        self._networks = {token: network for token, network in self._networks.items() if self.has(token)}
        self._from: dict[Network, dict[str, Offer]] = {}
        for row in self.rows():
            self._index(row)

    def take_agreed(self, key: str, row: Offer | None) -> None:
        before = self._rows.get(key)
        if row:
            self.put(row, is_awaited=False)
            self._index(row)
        elif before:
            self.withdraw(before)

    def stored(self, keys: Iterable[str]) -> None:
        self._used.difference_update(keys)

    def settle(self, mine: Offer | None, base: Offer | None, theirs: Offer | None) -> Offer | None:
        if base is None:
            return mine or theirs
        used = base.uses - (mine.uses if mine else 0)
        if mine is None and base.token not in self._used:
            return None  # it was revoked
        left = theirs.uses - used if theirs else -used
        if left < 0:
            raise Refused(ErrorCode.BAD_LINK)
        return replace(theirs, uses=left) if theirs and left else None

    def make(
        self,
        kind: str,
        what: str,
        by: str,
        now: float,
        *,
        uses: int,
        seconds: int,
        claim: str = "",
        network: Network | None = None,
    ) -> tuple[str, Offer]:
        """Create an invitation. Returns the token and the invitation.

        Args:
            kind: ``room`` or ``name``.
            what: the room, or the name.
            by: the creator's name.
            now: unix seconds.
            uses: how often it can be used; at most `USES_AT_MOST`, a request for more is no error.
            seconds: how long it lasts; at most `SECONDS_AT_MOST`.
            claim: the creator's claim; empty of the operator.
            network: the creator's address; None if it is not limited.

        Raises:
            Refused: `not_allowed` if too many are unused.
        """
        self._check_number(self._prune(kind, what, now), INVITATIONS_OF_ROOM_AT_MOST)
        if claim:
            self._check_number(_valid(self._by.get(claim, {}).values(), now), INVITATIONS_OF_ONE_AT_MOST)
        limits = (INVITATIONS_OF_SOURCE_AT_MOST, INVITATIONS_OF_SITE_AT_MOST)
        for of, limit in zip(levels_of(network), limits, strict=False):
            self._check_number(_valid(self._from.get(of, {}).values(), now), limit)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        expires = int(now) + min(seconds, SECONDS_AT_MOST)
        offer = Offer(claim_of(token), kind, what, min(uses, USES_AT_MOST), expires, by, claim)
        self._make_space(now, is_for_operator=offer.is_operators)
        if network is not None:
            self._networks[offer.token] = network
        self._set(offer)
        return token, offer

    def find(self, token: str, kind: str, what: str, now: float) -> Offer | None:
        """The invitation of this token, if it is valid for this room or name."""
        offer = self._rows.get(claim_of(token))
        is_to_this = offer is not None and (offer.kind, offer.what) == (kind, what)
        return offer if offer and is_to_this and offer.is_valid(now) else None

    def use(self, offer: Offer) -> None:
        """Count one use of an invitation."""
        if offer.uses > 1:
            self._set(replace(offer, uses=offer.uses - 1))
        else:
            self.withdraw(offer)
        self._used.add(offer.token)

    def withdraw(self, offer: Offer) -> None:
        """Revoke an invitation."""
        self.drop(offer.token)
        for of in levels_of(self._networks.pop(offer.token, None)):
            _remove(self._from, of, offer.token)
        _remove(self._to, (offer.kind, offer.what), offer.token)
        _remove(self._by, offer.claim, offer.token)

    def revoke_all(self, kind: str, what: str) -> list[str]:
        """Revoke all invitations to a room or name. Returns their keys."""
        taken = [*self._to.get((kind, what), {}).values()]
        for offer in taken:
            self.withdraw(offer)
        return [offer.token for offer in taken]

    def rename_room(self, room: str, to: str) -> list[str]:
        """Have all invitations to a room lead to its new name. Returns their keys."""
        offers = [*self._to.get(("room", room), {}).values()]
        for offer in offers:
            self.put(replace(offer, what=to))
        self.rebuild()
        return [offer.token for offer in offers]

    def forget(self, passed: float) -> None:
        """Forget the invitations that ended before a moment that has surely passed.

        Invitations that have ended by the wall clock alone are kept: it may be wrong today, and right tomorrow.
        """
        for offer in [row for row in self.rows() if not row.is_valid(passed)]:
            self.withdraw(offer)

    def _prune(self, kind: str, what: str, now: float) -> int:
        """Count the unused invitations to a room or name. Keeps at most `INVITATIONS_OF_ROOM_AT_MOST` that have ended."""
        all_to_it = [*self._to.get((kind, what), {}).values()]
        ended = sorted((row for row in all_to_it if not row.is_valid(now)), key=lambda row: row.expires)
        for row in ended[:-INVITATIONS_OF_ROOM_AT_MOST]:
            self.withdraw(row)
        return len(all_to_it) - len(ended)

    def _make_space(self, now: float, *, is_for_operator: bool) -> None:
        """Drop those that have ended first, if there are too many in all; for the operator one of those who have the most.

        Raises:
            Refused: `not_allowed` if there is none to drop.
        """
        if len(self._rows) < INVITATIONS_AT_MOST:
            return
        ended = sorted((row for row in self.rows() if not row.is_valid(now)), key=lambda row: row.expires)
        for row in ended[: len(self._rows) - INVITATIONS_AT_MOST + 1]:
            self.withdraw(row)
        if is_for_operator and len(self._rows) >= INVITATIONS_AT_MOST and (oldest := self._oldest_of_most()):
            self.withdraw(oldest)
        self._check_number(len(self._rows), INVITATIONS_AT_MOST)

    def _oldest_of_most(self) -> Offer | None:
        """The oldest invitation of the site, or the person, with the most; never the operator's."""
        of: dict[Network | str | None, list[Offer]] = {}
        for row in self.rows():
            if not row.is_operators:
                of.setdefault(site_of(self._networks.get(row.token)) or row.claim or row.by, []).append(row)
        return max(of.values(), key=len)[0] if of else None

    @staticmethod
    def _check_number(number: int, limit: int) -> None:
        if number >= limit:
            why = {
                Language.RU: f"ждут уже {limit} приглашений, отзовите их",
                Language.EN: f"{limit} invitations are still unused; revoke them first",
            }
            raise Refused(ErrorCode.NOT_ALLOWED, why=why)

    def _set(self, offer: Offer) -> None:
        self.put(offer)
        self._index(offer)

    def _index(self, offer: Offer) -> None:
        self._to.setdefault((offer.kind, offer.what), {})[offer.token] = offer
        self._by.setdefault(offer.claim, {})[offer.token] = offer
        for of in levels_of(self._networks.get(offer.token)):
            self._from.setdefault(of, {})[offer.token] = offer


def _valid(offers: Iterable[Offer], now: float) -> int:
    return sum(offer.is_valid(now) for offer in offers)


def _remove(index: dict[K, dict[str, Offer]], key: K, token: str) -> None:
    del index[key][token]
    if not index[key]:
        del index[key]
