"""The errors of a node that nobody else is told: no answer, another stream than before, an entry of another version."""

from __future__ import annotations


class Unanswered(TimeoutError):  # noqa: N818 - a state, not a failure
    """Nobody answers at the moment, or nobody can."""


class StreamLost(Exception):  # noqa: N818 - says what happened
    """The stream is not the one any more that was received."""


class EntryInvalid(ValueError):  # noqa: N818 - says what the entry is
    """An entry that no node of this version has written."""
