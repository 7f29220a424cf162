"""Access keys: the doors are open to everybody, or to clients with a key. Pure.

The keys are in a small file: one a line, from the line's first character on; after a blank follows its label, and a line
that begins with ``#`` is a remark. Only hashes are kept here, and all of them are compared, in constant time, so that the time of a
refusal reveals nothing about any key.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NewType, Protocol

from besedka.wire.access import why_no_key

KeyHash = NewType("KeyHash", bytes)
"""The SHA-256 of a key, which identifies it."""


class BadKeys(ValueError):  # noqa: N818 - the names of the tree say what happened
    """The file's content is not valid; the message says why, and contains no key."""


class KeyHolder(Protocol):
    """A connection, a call, or a download that uses a key."""

    def revoke_access(self) -> None:
        """Close it, because its key has been withdrawn."""

    def abort(self) -> None:
        """Cut it off at once, because it could not be closed."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key in the file; never shown in a log.

    Attributes:
        text: the key itself.
        label: its name for people: its label, or its line.
    """

    text: str
    label: str


def read_keys(text: str) -> list[Key]:
    """The keys in a file, in their order.

    Raises:
        BadKeys: if a key is not valid, or if the file is empty, as it is for a moment while it is written.
    """
    found = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, label = line.rstrip("\r").replace("\t", " ").partition(" ")
        if why := why_no_key(key) if key else "a blank stands before it":
            raise BadKeys(f"the key in line {number} cannot be used: {why}")
        found.append(Key(key, label.strip() or f"of line {number}"))
    if not found and not text.strip():
        raise BadKeys("it is empty")
    return found


def key_hash(key: str) -> KeyHash:
    """The hash that identifies a key."""
    return KeyHash(sha256(key.encode("utf-8", "surrogatepass")).digest())


class Keys:
    """The keys that are valid now."""

    def __init__(self, keys: Iterable[Key]) -> None:
        # Of two lines with the same key the first one names it.
        self._labels: dict[KeyHash, str] = {}
        for key in keys:
            self._labels.setdefault(key_hash(key.text), key.label)

    def __len__(self) -> int:
        return len(self._labels)

    def which(self, given: str) -> KeyHash | None:
        """The hash of a valid key; None if the key is not valid."""
        found, hashed = None, key_hash(given)
        for known in self._labels:
            if hmac.compare_digest(known, hashed):
                found = known
        return found

    def __contains__(self, key: KeyHash) -> bool:
        return key in self._labels

    def label(self, key: KeyHash) -> str:
        """The name of a key for people."""
        return self._labels[key]


class Authenticator:
    """Checks access keys, and knows the sessions of each key.

    Args:
        keys: the valid keys; None admits everybody.
    """

    def __init__(self, keys: Keys | None = None) -> None:
        self._keys = keys
        self._sessions: dict[KeyHolder, KeyHash] = {}

    @property
    def is_open(self) -> bool:
        """Whether everybody is admitted, without a key."""
        return self._keys is None

    def admits(self, key: str) -> bool:
        """Whether this key is valid, or none is needed."""
        return self._keys is None or self._keys.which(key) is not None

    def enter(self, session: KeyHolder, key: str) -> bool:
        """Register a session with its key, until it leaves. Returns whether the key is valid, or none is needed."""
        if self._keys is None:
            return True
        known = self._keys.which(key)
        if known is None:
            return False
        self._sessions[session] = known
        return True

    def leave(self, session: KeyHolder) -> None:
        """Remove a session, if it is registered."""
        self._sessions.pop(session, None)

    def change(self, keys: Keys) -> list[tuple[KeyHolder, str]]:
        """Replace the valid keys.

        Returns:
            The sessions whose keys are not valid any more, whose access is to be revoked, each with the label of its key.
        """
        before, self._keys = self._keys, keys
        gone = [(session, key) for session, key in self._sessions.items() if key not in keys]
        for session, _ in gone:
            del self._sessions[session]
        return [(session, before.label(key)) for session, key in gone] if before else []
