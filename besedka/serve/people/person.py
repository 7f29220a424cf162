"""Who is present, by which name: a name, and all that looks like it, belongs to one person at a time. Pure.

A person may be there by several connections (tabs, devices), which show by a common secret that they are the same person.
"""

from __future__ import annotations

from besedka.serve.people.names import KnownNames
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.validation import skeletons


class Person:
    """Somebody present.

    Attributes:
        name: empty for one who has not given a name (the seed's protocol does not ask for it).
        claim: the hash of his secret; empty if he has shown none.
        mark: what all his connections have in common: the claim, or what takes its place.
        is_verified: whether the name is his by that claim.
        is_unverified: whether he has shown no claim where names are held.
        looks: what the name looks like; nobody else may look the same.
        uses: how many connections are there under the name.
    """

    __slots__ = ("claim", "is_unverified", "is_verified", "looks", "mark", "name", "uses")

    def __init__(self, name: str = "", claim: str = "", mark: str = "", *, is_kept: bool = False) -> None:
        self.name = name
        self.claim = claim
        self.mark = claim or mark
        self.is_verified = is_kept and bool(claim)
        self.is_unverified = is_kept and not claim
        self.looks = skeletons(name) if name else frozenset[str]()
        self.uses = 1


class PresentPeople:
    """All who are present under a name.

    Args:
        names: whose which name is.
    """

    def __init__(self, names: KnownNames) -> None:
        self._names = names
        self._by_look: dict[str, Person] = {}
        # What names looked like of those who have gone within this second without having shown a claim: what they said cannot be told
        # from what is said by one who claims the name in the same second, because the log knows whole seconds.
        self._just_left: set[str] = set()
        self._second = ""

    def come(self, name: str, claim: str, own: str, now: str, *, is_invited: bool = False) -> Person:
        """Take a name, or take part in it with the same claim.

        Args:
            name: as `clean_name` gives it.
            claim: the hash of the secret that was shown, empty if none was.
            own: what tells one who has shown none from others: connections that have it in common are one person.
            now: the time of the log.
            is_invited: he has an invitation to this name.

        Raises:
            Refused: `name_taken`, and as `KnownNames.allow`.
        """
        name = self._names.allow(name, claim, is_invited=is_invited)
        person = Person(name, claim, own, is_kept=self._names.is_kept)
        for look in person.looks:
            present = self._by_look.get(look)
            if present is None:
                continue
            if present.name == name and present.mark == person.mark and person.mark:
                present.uses += 1
                return present
            raise Refused(ErrorCode.NAME_TAKEN, name=name)
        if person.is_verified and now == self._second and not self._just_left.isdisjoint(person.looks):
            raise Refused(ErrorCode.NAME_TAKEN, name=name)
        self._by_look.update(dict.fromkeys(person.looks, person))
        if person.is_verified:
            self._names.take(name, claim, now)
        return person

    def go(self, person: Person, now: str) -> None:
        """Give back one use of a name; after the last one it is free, if it is not claimed."""
        person.uses -= 1
        if person.uses == 0:
            for look in person.looks:
                del self._by_look[look]
            if person.is_unverified:
                if now != self._second:
                    self._second = now
                    self._just_left.clear()
                self._just_left |= person.looks
            if person.is_verified:
                self._names.touch(person.claim, person.name, now)

    def present(self) -> set[Person]:
        """All of them."""
        return {*self._by_look.values()}
