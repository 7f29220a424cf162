"""Names and their holders: a name is claimed by using it with a secret, of which only the hash is kept. Pure; moments are those of `written_times`.

A name belongs to its claim, and so does every name that looks like it. `verification` says what that means for messages of the log.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar, Final

from besedka.serve.people.table import Table
from besedka.serve.people.written_times import (
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
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.skeletons import skeletons
from besedka.wire.validation import stored_name

NAMES_OF_ONE_AT_MOST: Final = 20
"""Names that one person may claim: enough for themselves and their scripts, too few to take them all."""

NAMES_AT_MOST: Final = 50_000
"""Names that may be claimed in all: they are kept in memory, and their file is read as a whole."""

UNUSED_AT_ONCE: Final = 500
"""Names of people who came once that are freed together."""

FREED_AT_MOST: Final = 2_000
"""Freed names that are remembered; the oldest are forgotten."""

REMARK: Final = "Whose which name is: the name, the SHA-256 of its holder's secret, first seen, last seen."

_BEGUN: Final = "# begun "
_OFFSETS: Final = "# clocks "
_FREED: Final = "# freed "
_OFFSET: Final = re.compile(r"UTC([+-])(\d\d):(\d\d)", re.ASCII)
_CLAIM: Final = re.compile(r"[0-9a-f]{64}")
_NOBODY: Final = "nobody"
"""A claim that no secret can have."""

_DAY: Final = len("0000-00-00")
_HOUR: Final = len("0000-00-00 00")


class Names(StrEnum):
    """How names are held.

    An *open* name is its user's while they are present; a *claimed* name is its holder's from its first use on; a chat of *invited*
    people admits nobody else.
    """

    OPEN = "open"
    CLAIMED = "claimed"
    INVITED = "invited"


@dataclass(frozen=True, slots=True)
class Known:
    """A known name.

    Attributes:
        name: its spelling.
        claim: its holder's claim; empty if it waits for its first user.
        first: when it was claimed, in UTC; in older files in the log's time.
        last: when its holder was seen last.
        looks: its skeletons.
    """

    name: str
    claim: str = ""
    first: str = ""
    last: str = ""
    looks: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks", skeletons(self.name))  # computed once, because it takes long


class KnownNames(Table[Known]):
    """All known names.

    Args:
        mode: how names are held.
        begun: the present moment.

    Attributes:
        mode: how names are held.
        is_kept: whether a name stays its holder's while they are away.
        offsets: the known offsets of the log's clocks, in seconds east of UTC.
    """

    is_shared: ClassVar[bool] = True

    def __init__(self, mode: Names = Names.CLAIMED, begun: str = "") -> None:
        super().__init__(f"{REMARK}\n{_BEGUN.removeprefix('# ')}{begun}")
        self._begun = begun
        self.offsets: Offsets = ()
        # Names that had a holder before, oldest first.
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
            return Known(stored_name(name), claim, first, last)
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
        # The last one counts: it may have been corrected.
        self._begun = next(filter(MOMENT.fullmatch, reversed(begun)), self._begun)
        if self._begun not in begun:
            self.remark(f"{_BEGUN}{self._begun}")  # written by hand, or the remark was removed
        clocks = _OFFSET.findall(" ".join(self._remarks_of(_OFFSETS)))
        self.offsets = tuple(sorted({*self.offsets, *map(_seconds, clocks)}))
        # A line that is not understood reserves its name until it is mended.
        for name in self.misread():
            with suppress(Refused):
                self._by_look.update(dict.fromkeys(skeletons(stored_name(name)), Known(name, _NOBODY)))
        for row in self.rows():
            self._index(row)
        self._freed.update(dict.fromkeys(self._remarks_of(_FREED)))
        self._forget_freed()
        for row in before:
            if row.claim not in {"", _NOBODY, self._rows[row.name].claim if row.name in self._rows else ""}:
                self.note_freed(row.name)

    def take_agreed(self, key: str, row: Known | None) -> None:
        before = self._rows.get(key)
        if before and (row is None or row.claim != before.claim):
            self._forget(before)
        if row:
            self._set(row, is_awaited=False)

    def note_removed(self, row: Known) -> None:
        if row.claim:
            self.note_freed(row.name)

    def shared_remarks(self) -> Mapping[str, str]:
        clocks = {line: line for line in self.remarks if line.startswith(_OFFSETS)}
        return {_BEGUN: f"{_BEGUN}{self._begun}", **clocks}

    def take_remark(self, line: str) -> None:
        if line in self.remarks:
            return
        if line.startswith(_BEGUN):
            self.remarks = [other for other in self.remarks if not other.startswith(_BEGUN)]
            self._begun = line.removeprefix(_BEGUN)
        self.remark(line)
        self.offsets = tuple(sorted({*self.offsets, *map(_seconds, _OFFSET.findall(line))}))

    def settle(self, mine: Known | None, base: Known | None, theirs: Known | None) -> Known | None:
        if mine is None or theirs is None:
            return None
        if mine.claim == theirs.claim:
            return replace(theirs, last=max(mine.last, theirs.last))
        if mine.claim and mine.claim != (base.claim if base else ""):
            raise Refused(ErrorCode.NAME_CLAIMED, name=mine.name)
        return theirs

    def clash(self, mine: Known, theirs: Known) -> Refused | None:
        is_other = bool(mine.claim and theirs.claim) and mine.claim != theirs.claim
        return (
            Refused(ErrorCode.NAME_CLAIMED, name=mine.name)
            if is_other and not mine.looks.isdisjoint(theirs.looks)
            else None
        )

    def _remarks_of(self, begin: str) -> list[str]:
        return [line.removeprefix(begin).strip() for line in self.remarks if line.startswith(begin)]

    @property
    def is_full(self) -> bool:
        """Whether no more names may be claimed."""
        return len(self._rows) >= NAMES_AT_MOST

    def note_offset(self, seconds: int) -> None:
        """Record an offset of the log's clock, in seconds east of UTC, that times in the log may have."""
        if seconds not in self.offsets:
            self.offsets = tuple(sorted((*self.offsets, seconds)))
            hours, minutes = divmod(abs(seconds) // 60, 60)
            self.remark(f"{_OFFSETS}UTC{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}")

    def note_freed(self, name: str) -> None:
        """Record that a name was freed: messages under it until it is claimed again are not its next holder's."""
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
        """The entry of a name, or of one that looks like it."""
        return next((self._by_look[look] for look in skeletons(name) if look in self._by_look), None)

    def is_known(self, claim: str) -> bool:
        """Whether a claim holds any name."""
        return claim in self._by_claim

    def name_of(self, claim: str) -> str:
        """The name that a claim has held for longest; empty if it holds none."""
        return self._by_claim.get(claim, [""])[0]

    def held_by(self, claim: str) -> list[str]:
        """The names that a claim holds, the oldest first."""
        return [*self._by_claim.get(claim, ())]

    @property
    def begun(self) -> Span:
        """When names began to be held in this chat."""
        return self.span(self._begun)

    def row(self, name: str) -> Known | None:
        """The entry of a name in this spelling."""
        return self._rows.get(name)

    def was_freed(self, name: str) -> bool:
        """Whether a name had a holder before, as far as that is remembered."""
        return name in self._freed

    def span(self, written: str) -> Span:
        """The possible meanings of a moment, or of a time of the log by this chat's clocks."""
        return span(written, self.offsets or ALL_OFFSETS)

    def since(self, claim: str) -> float:
        """When a claim that holds names was made, in unix seconds: the earliest moment at which it may have been."""
        return min(self.span(self._rows[name].first).earliest for name in self._by_claim[claim])

    def check_name(self, name: str, claim: str, *, is_invited: bool = False) -> str:
        """Check that a person may use a name. Returns its registered spelling.

        Args:
            name: as `clean_name` gives it.
            claim: the person's claim; empty if they have shown no secret.
            is_invited: whether they have an invitation to this name.

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
            self._check_count(claim, is_invited=is_invited)
        return known.name if known else name

    def is_new(self, name: str, claim: str) -> bool:
        """Whether using the name would claim it."""
        known = self.holder(name)
        return self.is_kept and bool(claim) and not (known and known.claim)

    def take(self, name: str, claim: str, now: str) -> None:
        """Use a name, after `check_name`; the first use claims it."""
        if self.is_new(name, claim):
            known = self.holder(name)
            self._set(Known(known.name if known else name, claim, now, now))
        else:
            self.touch(claim, name, now)

    def touch(self, claim: str, name: str, now: str) -> None:
        """Note that a claim was seen now, under a name of its own, or under none, which counts for all its names; noted once an hour."""
        holder = self.holder(name) if name else None
        for mine in [holder.name] if holder else self._by_claim.get(claim, []) if not name else ():
            known = self._rows[mine]
            # A clock that is behind must not move the last time back.
            if known.claim == claim and known.last[:_HOUR] < now[:_HOUR]:
                self._set(replace(known, last=now), is_awaited=False)

    def release(self, name: str) -> Known:
        """Free a name.

        Raises:
            Refused: `no_such_name`.
        """
        known = self.holder(name)
        if known is None or known.name not in self._rows:
            raise Refused(ErrorCode.NO_SUCH_NAME, name=name)
        self._forget(known)
        return known

    def lapse(self, before: float) -> list[Known]:
        """Free and return all names whose holders were surely not seen since a moment in unix seconds."""
        # A row written by hand without times counts as just used.
        day = write_moment(before + EAST)[:_DAY]
        early = (row for row in self.rows() if row.claim and "" < row.last[:_DAY] <= day)
        lapsed = [row for row in early if span(row.last).latest < before]
        for row in lapsed:
            self._forget(row)
        return lapsed

    def lapse_unused(self, before: float, is_needed: Callable[[str], bool]) -> list[Known]:
        """Free some names of people who came once and surely not since a moment in unix seconds.

        Args:
            before: that moment.
            is_needed: whether the names of a claim must stay.
        """
        day = write_moment(before + EAST)[:_DAY]
        once = (
            row
            for row in self.rows()
            if row.claim and "" < row.last[:_DAY] <= day and row.first[:_HOUR] == row.last[:_HOUR]
        )
        unused = [row for row in once if span(row.last).latest < before and not is_needed(row.claim)]
        lapsed = sorted(unused, key=lambda row: row.last)[:UNUSED_AT_ONCE]
        for row in lapsed:
            self._forget(row)
        return lapsed

    def correct(self, than: float, now: str) -> None:
        """Replace times by ``now`` where a wrong clock has noted them as surely later than a moment in unix seconds."""
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

    def _set(self, row: Known, *, is_awaited: bool = True) -> None:
        self.put(row, is_awaited=is_awaited)
        self._index(row)

    def _forget(self, row: Known) -> None:
        self.drop(row.name)
        if row.claim:
            self.note_freed(row.name)
        names = self._by_claim.get(row.claim, [])
        if row.name in names:
            names.remove(row.name)
        if row.claim in self._by_claim and not names:
            del self._by_claim[row.claim]
        for look in row.looks:
            # Another one that looks like it may hold it already: of two nodes that were asked at once the other one was faster.
            if self._by_look.get(look) == row:
                del self._by_look[look]
        # Names that looked like it are still held.
        for name in names:
            self._index(self._rows[name])

    def _index(self, row: Known) -> None:
        self._by_look.update(dict.fromkeys(row.looks, row))
        if row.claim and row.name not in (names := self._by_claim.setdefault(row.claim, [])):
            names.append(row.name)

    def _check_count(self, claim: str, *, is_invited: bool) -> None:
        limit = NAMES_OF_ONE_AT_MOST
        if len(self._by_claim.get(claim, ())) >= limit:
            raise _too_many(f"одному — до {limit}", f"one person may have {limit}")
        # Those whom the operator has invited come in all the same; there are only so many invitations.
        if self.is_full and not is_invited:
            raise _too_many(f"всего их может быть {NAMES_AT_MOST}", f"there may be {NAMES_AT_MOST} in all")


def claim_of(secret: str) -> str:
    """The hash of a secret, in hexadecimal, which identifies a person. Empty for no secret."""
    return hashlib.sha256(secret.encode()).hexdigest() if secret else ""


def _seconds(found: tuple[str, str, str]) -> int:
    sign, hours, minutes = found
    return int(f"{sign}1") * 60 * (60 * int(hours) + int(minutes))


def _too_many(russian: str, english: str) -> Refused:
    return Refused(ErrorCode.TOO_MANY_NAMES, why={Language.RU: russian, Language.EN: english})
