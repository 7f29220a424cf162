"""The people in a room who are typing, since the room was told last. Pure; time is an argument, in seconds of any clock."""

from __future__ import annotations

from typing import Final

from besedka.serve.room.subscriber import Subscriber

TYPING_RELAYED_SECONDS: Final = 1.0
"""A person's further typing frames within this time are dropped."""

TYPISTS_REPORTED: Final = 3
"""The people that one notice names, the latest: clients show so many. The others type on, and come into a later one."""

TYPISTS_REMEMBERED: Final = 1_000
"""The people whose last frame is remembered for that time; of more, the oldest are forgotten. A room is told of a few of them all the same."""


class Typists:
    """The people in a room who are typing."""

    def __init__(self) -> None:
        # By the person's identity, the oldest first: a person has one pause on all connections, also after leaving and joining again.
        self._typed_at: dict[str, float] = {}
        self._untold: dict[str, Subscriber] = {}
        self._untold_elsewhere: dict[str, None] = {}

    def add(self, subscriber: Subscriber, now: float) -> bool:
        """Note that a subscriber is typing. Returns whether the room is to be told."""
        identity = subscriber.person.identity
        self._forget(now)
        if identity in self._typed_at:
            return False
        if len(self._typed_at) == TYPISTS_REMEMBERED:
            del self._typed_at[next(iter(self._typed_at))]
        self._typed_at[identity] = now
        self._untold.pop(identity, None)
        self._untold[identity] = subscriber
        if len(self._untold) > TYPISTS_REPORTED:
            del self._untold[next(iter(self._untold))]
        return True

    def post(self, subscriber: Subscriber) -> None:
        """Note that a subscriber has posted: they type no more, and their next typing frame is a new one."""
        self._typed_at.pop(subscriber.person.identity, None)
        self._untold.pop(subscriber.person.identity, None)

    def leave(self, subscriber: Subscriber) -> None:
        """Note that a subscriber has left: the room is not told of them."""
        if self._untold.get(subscriber.person.identity) is subscriber:
            del self._untold[subscriber.person.identity]

    def take(self) -> list[Subscriber]:
        """Those of whom the room is to be told now."""
        untold, self._untold = self._untold, {}
        return [*untold.values()]

    def add_elsewhere(self, name: str) -> None:
        """Note that somebody of this name is typing at another node, which has seen to their pause."""
        self._untold_elsewhere.pop(name, None)
        self._untold_elsewhere[name] = None
        if len(self._untold_elsewhere) > TYPISTS_REPORTED:
            del self._untold_elsewhere[next(iter(self._untold_elsewhere))]

    def take_elsewhere(self) -> list[str]:
        """The names of those at other nodes of whom the room is to be told now."""
        untold, self._untold_elsewhere = self._untold_elsewhere, {}
        return [*untold]

    def _forget(self, now: float) -> None:
        while self._typed_at:
            identity, at = next(iter(self._typed_at.items()))
            if now - at < TYPING_RELAYED_SECONDS:
                return
            del self._typed_at[identity]
