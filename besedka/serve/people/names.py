"""Whose a name is: it is claimed by using it, with a secret of which only the hash is kept. Pure; moments are those of `moments`.

A name belongs to its claim, and so does every name that looks like it. Whether a message is *verified* was decided when it was posted, and
is stored with it in the index of its log: what was posted without the secret never becomes its holder's, whatever any clock says. What
was posted with it is the holder's, unless the name is another's by now. Where nothing is stored (the index was deleted, or is older than
that, or the line came by another way) a message counts as verified only if its name was claimed before, by every clock that is possible.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from besedka.serve.people.moments import (
    ALL_OFFSETS,
    EAST,
    MOMENT,
    UNKNOWN,
    WEST,
    Offsets,
    Span,
    span,
    write_moment,
)
from besedka.serve.people.table import Table
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.validation import clean_name, skeletons

NAMES_OF_ONE_AT_MOST: Final = 20
"""Names that one may claim: enough for oneself and one's scripts, too few to take them all."""

NAMES_AT_MOST: Final = 50_000
"""Names that may be claimed in all: they are kept in memory, and their file is read as a whole."""

FREED_AT_MOST: Final = 2_000
"""Names of which it is remembered that they were somebody's before; those that were set free first are forgotten."""

REMARK: Final = "Whose which name is: the name, the SHA-256 of its holder's secret, first seen, last seen."

_BEGUN: Final = "# begun "
_OFFSETS: Final = "# clocks "
_FREED: Final = "# freed "
_OFFSET: Final = re.compile(r"UTC([+-])(\d\d):(\d\d)", re.ASCII)
_CLAIM: Final = re.compile(r"[0-9a-f]{64}")
_NOBODY: Final = "nobody"
"""What no hash is."""

_DAY: Final = len("0000-00-00")
_HOUR: Final = len("0000-00-00 00")
_STAMP_END: Final = len("[0000-00-00 00:00:00")
_NAME_AT: Final = len("[0000-00-00 00:00:00] ")


class Names(StrEnum):
    """How names are held.

    An *open* one is its user's while he is here; a *claimed* one is its holder's from the first time on; in a chat of *invited* people
    nobody else comes in.
    """

    OPEN = "open"
    CLAIMED = "claimed"
    INVITED = "invited"


@dataclass(frozen=True, slots=True)
class Known:
    """A name that is known.

    Attributes:
        name: as it is written.
        claim: whose it is; empty if it waits for the first who comes.
        first: when it was claimed, in UTC; in older files in the log's time.
        last: when its holder was seen last.
        looks: what the name looks like.
    """

    name: str
    claim: str = ""
    first: str = ""
    last: str = ""
    looks: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks", skeletons(self.name))  # it is frozen, and takes long


class KnownNames(Table[Known]):
    """All names that are known.

    Args:
        mode: how names are held.
        begun: the moment now.

    Attributes:
        mode: how names are held.
        is_kept: whether they are held beyond the visit.
        offsets: how far east of UTC the clocks of the log were, as far as is known, in seconds.
    """

    def __init__(self, mode: Names = Names.CLAIMED, begun: str = "") -> None:
        super().__init__(f"{REMARK}\n{_BEGUN.removeprefix('# ')}{begun}")
        self._begun = begun
        self.offsets: Offsets = ()
        # Names that were somebody's before, as far as is known; in order, for the oldest are forgotten.
        self._freed: dict[str, None] = {}
        self._by_look: dict[str, Known] = {}
        self.mode = mode
        self.is_kept = mode is not Names.OPEN
        self.rebuild()

    @staticmethod
    def key(row: Known) -> str:
        return row.name

    @staticmethod
    def read(fields: list[str]) -> Known:
        name, claim, first, last = (*fields, "", "", "")[:4]
        claim = claim.removeprefix("-")
        if not (_CLAIM.fullmatch(claim) if claim else True) or len(fields) > 4:  # noqa: PLR2004 - the fields of a row
            raise ValueError(fields)
        if any(stamp and not MOMENT.fullmatch(stamp) for stamp in (first, last)):
            raise ValueError(fields)
        try:
            return Known(clean_name(name), claim, first, last)
        except Refused as refusal:
            raise ValueError(name) from refusal

    @staticmethod
    def write(row: Known) -> Iterable[str]:
        return (row.name, row.claim or "-", row.first, row.last)

    def rebuild(self) -> None:
        before = {*self._by_look.values()}
        self._by_look = {}
        self._by_claim: dict[str, list[str]] = {}
        begun = self._remarks_of(_BEGUN)
        # The last one counts: it may have been put right.
        self._begun = next(filter(MOMENT.fullmatch, reversed(begun)), self._begun)
        if self._begun not in begun:
            self.remark(f"{_BEGUN}{self._begun}")  # the file is somebody's own, or he took it out
        clocks = _OFFSET.findall(" ".join(self._remarks_of(_OFFSETS)))
        self.offsets = tuple(sorted({*self.offsets, *map(_seconds, clocks)}))
        # A line that is not understood names somebody: until it is mended the name is nobody's.
        for name in self.misread():
            with suppress(Refused):
                self._by_look.update(dict.fromkeys(skeletons(clean_name(name)), Known(name, _NOBODY)))
        for row in self.rows():
            self._note(row)
        self._freed.update(dict.fromkeys(self._remarks_of(_FREED)))
        self._forget_freed()
        for row in before:
            if row.claim not in {"", _NOBODY, self._rows[row.name].claim if row.name in self._rows else ""}:
                self.was_freed(row.name)

    def _remarks_of(self, begin: str) -> list[str]:
        return [line.removeprefix(begin).strip() for line in self.remarks if line.startswith(begin)]

    def see_offset(self, seconds: int) -> None:
        """The clock of the log is so far east of UTC now: times in the log may be meant by it."""
        if seconds not in self.offsets:
            self.offsets = tuple(sorted((*self.offsets, seconds)))
            hours, minutes = divmod(abs(seconds) // 60, 60)
            self.remark(f"{_OFFSETS}UTC{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}")

    def was_freed(self, name: str) -> None:
        """A name was set free: what was said under it until it is claimed again is not its next holder's."""
        if name not in self._freed:
            self._freed[name] = None
            self.remark(f"{_FREED}{name}")
            self._forget_freed()

    def _forget_freed(self) -> None:
        for oldest in [*self._freed][:-FREED_AT_MOST]:
            del self._freed[oldest]
            if f"{_FREED}{oldest}" in self.remarks:
                self.remarks.remove(f"{_FREED}{oldest}")

    def holder(self, name: str) -> Known | None:
        """Who holds a name, or one that looks like it."""
        return next((self._by_look[look] for look in skeletons(name) if look in self._by_look), None)

    def is_known(self, claim: str) -> bool:
        """Whether somebody holds any name."""
        return claim in self._by_claim

    def name_of(self, claim: str) -> str:
        """The name that somebody has held for longest; empty if he holds none."""
        return self._by_claim.get(claim, [""])[0]

    def held_by(self, claim: str) -> list[str]:
        """The names that somebody holds, as they are written, the oldest first."""
        return [*self._by_claim.get(claim, ())]

    def allow(self, name: str, claim: str, *, is_invited: bool = False) -> str:
        """Let somebody use a name. Returns how it is written.

        Args:
            name: as `clean_name` gives it.
            claim: of who wants it; empty if he shows no secret.
            is_invited: he has an invitation to this name.

        Raises:
            Refused: `name_claimed`, `not_known`, `too_many_names`.
        """
        if not self.is_kept:
            return name
        known = self.holder(name)
        if known and known.claim and not hmac.compare_digest(known.claim, claim):
            raise Refused(ErrorCode.NAME_CLAIMED, name=name)
        if self.mode is Names.INVITED and not (claim and (known or is_invited)):
            raise Refused(ErrorCode.NOT_KNOWN)
        if claim and not (known and known.claim):
            self._count(claim)
        return known.name if known else name

    def is_new(self, name: str, claim: str) -> bool:
        """Whether this would be a claim that nobody has made yet."""
        known = self.holder(name)
        return self.is_kept and bool(claim) and not (known and known.claim)

    def take(self, name: str, claim: str, now: str) -> None:
        """Somebody who was allowed to uses a name now: from the first time on it is his."""
        if self.is_new(name, claim):
            known = self.holder(name)
            self._set(Known(known.name if known else name, claim, now, now))
        else:
            self.touch(claim, name, now)

    def touch(self, claim: str, name: str, now: str) -> None:
        """Somebody is seen now, under a name that is his, or under none, and then all of his are used; noted once an hour."""
        holder = self.holder(name) if name else None
        for mine in [holder.name] if holder else self._by_claim.get(claim, []) if not name else ():
            known = self._rows[mine]
            # A clock that is behind says nothing about when somebody was seen last.
            if known.claim == claim and known.last[:_HOUR] < now[:_HOUR]:
                self._set(replace(known, last=now), is_awaited=False)

    def release(self, name: str) -> Known:
        """Set a name free.

        Raises:
            Refused: `no_such_name`.
        """
        known = self.holder(name)
        if known is None or known.name not in self._rows:
            raise Refused(ErrorCode.NO_SUCH_NAME, name=name)
        self._forget(known)
        return known

    def lapse(self, before: float) -> list[Known]:
        """Set all names free whose holders were surely not seen since a moment in unix seconds. Returns them."""
        # A row that was written by hand without times is as if it was used just now.
        day = write_moment(before + EAST)[:_DAY]
        early = (row for row in self.rows() if row.claim and "" < row.last[:_DAY] <= day)
        lapsed = [row for row in early if span(row.last).latest < before]
        for row in lapsed:
            self._forget(row)
        return lapsed

    def correct(self, than: float, now: str) -> None:
        """What a clock that was wrong has noted as surely later than a moment in unix seconds was now instead."""
        day = write_moment(than - WEST)[:_DAY]

        def corrected(noted: str) -> str:
            return now if noted[:_DAY] >= day and than < span(noted).earliest < UNKNOWN.latest else noted

        for row in [row for row in self.rows() if max(row.first, row.last)[:_DAY] >= day]:
            right = replace(row, first=corrected(row.first), last=corrected(row.last))
            if right != row:
                self._set(right)
        if corrected(self._begun) != self._begun:
            self.remarks.remove(f"{_BEGUN}{self._begun}")
            self._begun = now
            self.remark(f"{_BEGUN}{now}")

    def is_unverified(self, line: str, was_verified: bool | None = None) -> bool:
        """Whether nobody can be held to a message, or another than the name's holder.

        Args:
            line: its lines in the log.
            was_verified: whether the name was its poster's when it was posted; None if that was not stored.
        """
        if not self.is_kept or was_verified is False:
            return self.is_kept
        name, said = line[_NAME_AT : line.find(":", _NAME_AT)], self._span(line[1:_STAMP_END])
        if was_verified:
            known = self.holder(name) if name in self._freed else None
            return known is not None and bool(known.claim) and self._may_be_earlier(said, known)
        if said.latest < self._span(self._begun).earliest or not line:
            return False
        known = self._rows.get(name)
        return known is None or not known.claim or self._may_be_earlier(said, known)

    def _may_be_earlier(self, said: Span, known: Known) -> bool:
        return bool(known.first) and said.earliest < self._span(known.first).latest

    def _span(self, written: str) -> Span:
        return span(written, self.offsets or ALL_OFFSETS)

    def _set(self, row: Known, *, is_awaited: bool = True) -> None:
        self.put(row, is_awaited=is_awaited)
        self._note(row)

    def _forget(self, row: Known) -> None:
        self.drop(row.name)
        if row.claim:
            self.was_freed(row.name)
        names = self._by_claim.get(row.claim, [])
        if row.name in names:
            names.remove(row.name)
        if row.claim in self._by_claim and not names:
            del self._by_claim[row.claim]
        for look in row.looks:
            self._by_look.pop(look, None)
        # What looked like it was his, too.
        for name in names:
            self._note(self._rows[name])

    def _note(self, row: Known) -> None:
        self._by_look.update(dict.fromkeys(row.looks, row))
        if row.claim and row.name not in (names := self._by_claim.setdefault(row.claim, [])):
            names.append(row.name)

    def _count(self, claim: str) -> None:
        limit = NAMES_OF_ONE_AT_MOST
        if len(self._by_claim.get(claim, ())) >= limit:
            raise _too_many(f"одному — до {limit}", f"one person may have {limit}")
        if len(self._rows) >= NAMES_AT_MOST:
            raise _too_many(f"всего их может быть {NAMES_AT_MOST}", f"there may be {NAMES_AT_MOST} in all")


def claim_of(secret: str) -> str:
    """The hash of a secret, in hexadecimal: what is kept of a person. Of no secret it is empty."""
    return hashlib.sha256(secret.encode()).hexdigest() if secret else ""


def _seconds(found: tuple[str, str, str]) -> int:
    sign, hours, minutes = found
    return int(f"{sign}1") * 60 * (60 * int(hours) + int(minutes))


def _too_many(russian: str, english: str) -> Refused:
    return Refused(ErrorCode.TOO_MANY_NAMES, why={Language.RU: russian, Language.EN: english})
