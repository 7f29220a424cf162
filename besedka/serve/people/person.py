"""The people present: a name, and all names that look like it, belong to one person at a time. Pure.

A person may have several connections (tabs, devices), which show by a common secret that they are the same person.
"""

from __future__ import annotations

from besedka.serve.people.names import KnownNames
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.skeletons import skeletons


class Person:
    """A person who is present.

    Attributes:
        name: empty if they have given none (the seed's protocol does not ask for it).
        claim: the hash of their secret; empty if they have shown none.
        identity: common to all their connections: the claim, or a substitute for it.
        is_verified: whether the name is theirs by that claim.
        is_unverified: whether they have shown no claim where names are held.
        looks: the name's skeletons; nobody else present may share one.
        since: when their claim was made, in unix seconds; infinity if they are not verified.
        uses: the number of connections under the name.
    """

    __slots__ = ("claim", "identity", "is_unverified", "is_verified", "looks", "name", "since", "uses")

    def __init__(self, name: str = "", claim: str = "", identity: str = "", *, is_kept: bool = False) -> None:
        self.name = name
        self.claim = claim
        self.identity = claim or identity
        self.is_verified = is_kept and bool(claim)
        self.is_unverified = is_kept and not claim
        self.looks = skeletons(name) if name else frozenset[str]()
        self.since = float("inf")
        self.uses = 1


class PresentPeople:
    """All people who are present under a name.

    Args:
        names: the known names and their holders.
    """

    def __init__(self, names: KnownNames) -> None:
        self._names = names
        self._by_look: dict[str, Person] = {}
        # The skeletons of unverified people who left within this second: the log has whole seconds, so their messages could not be
        # distinguished from those of a person who claims the name in the same second.
        self._just_left: set[str] = set()
        self._second = ""

    def sign_in(self, name: str, claim: str, fallback: str, now: str, *, is_invited: bool = False) -> Person:
        """Take a name, or share it with connections of the same claim.

        Args:
            name: as `clean_name` gives it.
            claim: the hash of the secret that was shown, empty if none was.
            fallback: the identity without a claim: connections that share it are one person.
            now: the time of the log.
            is_invited: whether the person has an invitation to this name.

        Raises:
            Refused: `name_taken`, and as `KnownNames.check_name`.
        """
        name = self._names.check_name(name, claim, is_invited=is_invited)
        person = Person(name, claim, fallback, is_kept=self._names.is_kept)
        for look in person.looks:
            present = self._by_look.get(look)
            if present is None:
                continue
            if present.name == name and present.identity == person.identity and person.identity:
                present.uses += 1
                return present
            raise Refused(ErrorCode.NAME_TAKEN, name=name)
        if person.is_verified and now == self._second and not self._just_left.isdisjoint(person.looks):
            raise Refused(ErrorCode.NAME_TAKEN, name=name)
        self._by_look.update(dict.fromkeys(person.looks, person))
        if person.is_verified:
            self._names.take(name, claim, now)
            person.since = self._names.since(claim)
        return person

    def sign_out(self, person: Person, now: str) -> None:
        """Release one use of a name; after the last one it is free, unless it is claimed."""
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

    def under(self, look: str) -> Person | None:
        """The person who is present under a name with this skeleton."""
        return self._by_look.get(look)

    def present(self) -> set[Person]:
        """All people present."""
        return {*self._by_look.values()}
