"""Who may come to the doors: everybody, or whoever brings an access key. Pure.

The keys stand in a small file: one a line, from the line's first character on; what stands behind a blank is its label, and a line
that begins with ``#`` is for people. Here only their hashes are kept, and all of them are compared, in constant time: how long it
takes to be refused tells nothing of any key.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NewType, Protocol

from besedka.wire.access import why_no_key

KeyHash = NewType("KeyHash", bytes)
"""The SHA-256 of a key: what it is known by."""


class BadKeys(ValueError):  # noqa: N818 - the names of the tree say what happened
    """What stands in the file are no keys; the message says why, and tells no key."""


class LiveSession(Protocol):
    """Somebody who came with a key: a connection, a call, a download."""

    def revoke_access(self) -> None:
        """The key is valid no more."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key, as it stands in the file; never shown in a log.

    Attributes:
        text: the key itself.
        label: what people call it: its label, or its line.
    """

    text: str
    label: str


def read_keys(text: str) -> list[Key]:
    """The keys in a file, in their order.

    Raises:
        KeysBad: if one can be none, or if the file is empty: so it is for a moment while it is written.
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
    """What a key is known by."""
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
        """Which of the keys this is; None if it is none of them."""
        found, hashed = None, key_hash(given)
        for known in self._labels:
            if hmac.compare_digest(known, hashed):
                found = known
        return found

    def __contains__(self, key: KeyHash) -> bool:
        return key in self._labels

    def label(self, key: KeyHash) -> str:
        """What people call a key."""
        return self._labels[key]


class Authenticator:
    """Who may come in, and who is in by which key.

    Args:
        keys: those that are valid; None lets everybody in.
    """

    def __init__(self, keys: Keys | None = None) -> None:
        self._keys = keys
        self._sessions: dict[LiveSession, KeyHash] = {}

    @property
    def is_open(self) -> bool:
        """Whether everybody may come in."""
        return self._keys is None

    def admits(self, key: str) -> bool:
        """Whether somebody with this key may come in."""
        return self._keys is None or self._keys.which(key) is not None

    def enter(self, session: LiveSession, key: str) -> bool:
        """Whether somebody with this key may come in; he is in then, until he leaves."""
        if self._keys is None:
            return True
        known = self._keys.which(key)
        if known is None:
            return False
        self._sessions[session] = known
        return True

    def leave(self, session: LiveSession) -> None:
        """He is gone, if he was in."""
        self._sessions.pop(session, None)

    def change(self, keys: Keys) -> list[tuple[LiveSession, str]]:
        """Other keys are valid from now on.

        Returns:
            Who came by one that is not among them, to be shut out, and the label of his key.
        """
        before, self._keys = self._keys, keys
        gone = [(session, key) for session, key in self._sessions.items() if key not in keys]
        for session, _ in gone:
            del self._sessions[session]
        return [(session, before.label(key)) for session, key in gone] if before else []
