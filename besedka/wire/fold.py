"""The fold of a log's annotations: what has become of each message, by all lines about it, in their order.

It is total and deterministic, and takes the same time for each line: whatever a file holds, all who read it see the same. It trusts the file for who is who, and destroys
nothing: a message that a line has deleted keeps its text in the log, until whoever may do so overwrites it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from besedka.wire.annotations import Annotation, Verb

EDITS_AT_MOST: Final = 20
"""Of a message; further ones have no effect."""

REACTIONS_AT_MOST: Final = 20
"""Of a person to a message; further ones have no effect."""

REACTION_CHARACTERS_AT_MOST: Final = 32
"""An emoji may be a sequence of a dozen."""


class Target(msgspec.Struct, frozen=True):
    """A message that lines are about, as far as the fold must know it.

    Attributes:
        name: whose it is.
        unverified: its poster had not shown that the name is theirs.
        options: how many options it has, if it is a poll; else 0.
    """

    name: str
    unverified: bool = False
    options: int = 0


@dataclass(slots=True)
class Fate:
    """The state of a message, by the lines about it.

    Attributes:
        edits: the ids of the edits that count, the newest last.
        deleted: the id of the line that has deleted it; 0 if none has.
        reactions: by reaction, in the order in which they came, the names of those who react so, in theirs.
        votes: by name, in the order of the first votes, the number of the option that counts.
        pinned: the id of the line that has pinned it; 0 if it is not pinned.
        closed: the id of the line that has closed the poll; 0 if it is open.
    """

    edits: list[int] = field(default_factory=list)
    deleted: int = 0
    reactions: dict[str, dict[str, None]] = field(default_factory=dict)
    votes: dict[str, int] = field(default_factory=dict)
    pinned: int = 0
    closed: int = 0
    _reacting: dict[str, int] = field(default_factory=dict)

    def apply(self, number: int, annotation: Annotation, target: Target, *, unverified: bool = False) -> bool:
        """Take in the next line about the message. Returns whether it changes anything.

        Args:
            number: the id of the line.
            annotation: what it says.
            target: the message.
            unverified: whether the line's author had not shown that the name is theirs.
        """
        if self.deleted:
            return False
        name, text = annotation.name, annotation.text
        changes = False
        match annotation.verb:
            case Verb.EDIT:
                is_own = (name, unverified) == (target.name, target.unverified)
                changes = is_own and self._edit(number)
            case Verb.DELETE:
                self.deleted = number
                changes = True
            case Verb.REACT:
                changes = self._react(name, text)
            case Verb.UNREACT:
                changes = self._unreact(name, text)
            case Verb.PIN:
                changes = not self.pinned
                self.pinned = self.pinned or number
            case Verb.UNPIN:
                changes = bool(self.pinned)
                self.pinned = 0
            case Verb.VOTE:
                changes = self._vote(name, text, target.options)
            case Verb.CLOSE:
                changes = bool(target.options) and not self.closed
                self.closed = number if changes else self.closed
        return changes

    def _edit(self, number: int) -> bool:
        # Votes are for what was asked.
        if self.votes or len(self.edits) >= EDITS_AT_MOST:
            return False
        self.edits.append(number)
        return True

    def _react(self, name: str, reaction: str) -> bool:
        if not is_reaction(reaction) or name in self.reactions.get(reaction, ()):
            return False
        count = self._reacting.get(name, 0)
        if count >= REACTIONS_AT_MOST:
            return False
        self._reacting[name] = count + 1
        self.reactions.setdefault(reaction, {})[name] = None
        return True

    def _unreact(self, name: str, reaction: str) -> bool:
        names = self.reactions.get(reaction, {})
        if name not in names:
            return False
        del names[name]
        if not names:
            del self.reactions[reaction]
        self._reacting[name] -= 1
        if not self._reacting[name]:
            del self._reacting[name]
        return True

    def _vote(self, name: str, text: str, options: int) -> bool:
        if self.closed or text not in map(str, range(1, options + 1)):
            return False
        option = int(text)
        if self.votes.get(name) == option:
            return False
        self.votes[name] = option
        return True


def is_reaction(text: str) -> bool:
    """Whether a text can be a reaction: some characters without a blank. Which emoji there are changes each year, so others are told from them by whoever posts one."""
    return 0 < len(text) <= REACTION_CHARACTERS_AT_MOST and text.isprintable() and " " not in text
