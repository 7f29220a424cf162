"""Whose a name is: it is claimed by using it, with a secret of which only the hash is kept. Pure; times are those of the log.

A name belongs to its claim, and so does every name that looks like it. What a claim says of old messages follows from the same
rows: a message is *verified* if its name is claimed today, and was so already when it was said.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from besedka.serve.people.moments import EAST, UNKNOWN, WEST, span, write_moment
from besedka.serve.people.table import Table
from besedka.wire.names import clean_name, skeletons
from besedka.wire.refusals import Code, Language, Refused

NAMES_OF_ONE_AT_MOST: Final = 20
"""Names that one may claim: enough for oneself and one's scripts, too few to take them all."""

NAMES_AT_MOST: Final = 50_000
"""Names that may be claimed in all: they are kept in memory, and their file is read as a whole."""

REMARK: Final = "Whose which name is: the name, the SHA-256 of its holder's secret, first seen, last seen."

_BEGUN: Final = "# begun "
_CLAIM: Final = re.compile(r"[0-9a-f]{64}")
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
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
        first: when it was claimed, in the log's time.
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
        begun: the time of the log now.

    Attributes:
        mode: how names are held.
        is_kept: whether they are held beyond the visit.
    """

    def __init__(self, mode: Names = Names.CLAIMED, begun: str = "") -> None:
        super().__init__(f"{REMARK}\n{_BEGUN.removeprefix('# ')}{begun}")
        self._begun = begun
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
        if any(stamp and not _STAMP.fullmatch(stamp) for stamp in (first, last)):
            raise ValueError(fields)
        try:
            return Known(clean_name(name), claim, first, last)
        except Refused as refusal:
            raise ValueError(name) from refusal

    @staticmethod
    def write(row: Known) -> Iterable[str]:
        return (row.name, row.claim or "-", row.first, row.last)

    def rebuild(self) -> None:
        self._by_look: dict[str, Known] = {}
        self._by_claim: dict[str, list[str]] = {}
        begun = [line.removeprefix(_BEGUN).strip() for line in self.remarks if line.startswith(_BEGUN)]
        self._begun = next(filter(_STAMP.fullmatch, begun), self._begun)
        if self._begun not in begun:
            self.remark(f"{_BEGUN}{self._begun}")  # the file is somebody's own, or he took it out
        # A line that is not understood names somebody: until it is mended the name is nobody's.
        for name in self.misread():
            with suppress(Refused):
                self._by_look.update(dict.fromkeys(skeletons(clean_name(name)), Known(name, _NOBODY)))
        for row in self.rows():
            self._note(row)

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
            raise Refused(Code.NAME_CLAIMED, name=name)
        if self.mode is Names.INVITED and not (claim and (known or is_invited)):
            raise Refused(Code.NOT_KNOWN)
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
            raise Refused(Code.NO_SUCH_NAME, name=name)
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

    def seen_later(self, than: float, now: str) -> list[Known]:
        """The names whose holders a clock that was wrong has seen surely later than a moment in unix seconds: seen now instead."""
        day = write_moment(than - WEST)[:_DAY]
        late = (row for row in self.rows() if row.last[:_DAY] >= day)
        wrong = [row for row in late if than < span(row.last).earliest < UNKNOWN.latest]
        for row in wrong:
            self._set(replace(row, last=now))
        return wrong

    def unverified(self, lines: Sequence[str], first: int) -> list[int]:
        """The ids of messages, given by their lines from the id ``first`` on, to which nobody can be held."""
        return [number for number, line in enumerate(lines, first) if self.is_doubtful(line)]

    def is_doubtful(self, line: str) -> bool:
        """Whether nobody can be held to a message, given by its lines."""
        stamp = line[1:_STAMP_END]
        if stamp < self._begun:
            return False
        known = self._rows.get(line[_NAME_AT : line.find(":", _NAME_AT)])
        return self.is_kept and (known is None or not known.claim or stamp < known.first)

    def _set(self, row: Known, *, is_awaited: bool = True) -> None:
        self.put(row, is_awaited=is_awaited)
        self._note(row)

    def _forget(self, row: Known) -> None:
        self.drop(row.name)
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


def _too_many(russian: str, english: str) -> Refused:
    return Refused(Code.TOO_MANY_NAMES, why={Language.RU: russian, Language.EN: english})
