"""Whether a message of the log is its name's holder's. Pure; `besedka/serve/chat/log_reader.py` asks for each message of a page.

Whether a message is *verified* was decided when it was posted, and is stored in the index of its log: a message posted without the secret
never becomes the holder's, whatever any clock says. A message posted with it is the holder's, unless the name has another holder by now.
Where nothing is stored (the index was deleted or is too old, or another program wrote the line) a message counts as verified only if its
name was claimed before, by every clock that is possible.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from besedka.serve.people.names import Known, KnownNames
from besedka.wire.annotations import MARK

_STAMP_END: Final = len("[0000-00-00 00:00:00")
_NAME_AT: Final = len("[0000-00-00 00:00:00] ")

_NO_DOUBT: Final = float("-inf")
"""No message is earlier."""


class _Standing(NamedTuple):
    """The facts about a name on which verdicts on messages under it depend.

    Attributes:
        is_claimed: whether it has a holder, in this spelling.
        claimed_by: the moment by which they had surely claimed it, in unix seconds: messages that may be earlier are in doubt.
        regained_by: the same of its present holder, if the name had another one before.
    """

    is_claimed: bool
    claimed_by: float
    regained_by: float


class Verdicts:
    """Decides which messages are not verified as their names' holders', and remembers what that depended on.

    Args:
        names: the holders of names.
    """

    def __init__(self, names: KnownNames) -> None:
        self._names = names
        self._clocks = names.offsets, names.begun
        self._standings: dict[str, _Standing] = {}

    @property
    def still_hold(self) -> bool:
        """Whether they would be the same now."""
        names = self._names
        return self._clocks == (names.offsets, names.begun) and all(
            standing == self._look_up(name) for name, standing in self._standings.items()
        )

    def is_unverified(self, line: str, was_verified: bool | None = None) -> bool:
        """Whether a message is not verified as the name's holder's.

        Args:
            line: the message's lines in the log.
            was_verified: whether its poster was verified when it was posted; None if that was not stored.
        """
        names = self._names
        if not names.is_kept or was_verified is False:
            return names.is_kept
        # (No name begins with the mark of an annotation, so nobody else's message is taken for the holder's.)
        standing = self._standing(line[_NAME_AT : line.find(":", _NAME_AT)].removeprefix(MARK))
        if was_verified and standing.regained_by == _NO_DOUBT:
            return False
        said = names.span(line[1:_STAMP_END])
        if was_verified:
            return said.earliest < standing.regained_by
        if said.latest < names.begun.earliest or not line:
            return False
        return not standing.is_claimed or said.earliest < standing.claimed_by

    def _standing(self, name: str) -> _Standing:
        standing = self._standings.get(name)
        if standing is None:
            standing = self._standings[name] = self._look_up(name)
        return standing

    def _look_up(self, name: str) -> _Standing:
        known = self._names.row(name)
        holder = self._names.holder(name) if self._names.was_freed(name) else None
        return _Standing(
            known is not None and bool(known.claim), self._claimed_by(known), self._claimed_by(holder)
        )

    def _claimed_by(self, known: Known | None) -> float:
        return self._names.span(known.first).latest if known and known.claim and known.first else _NO_DOUBT
