"""Who is present, by which name: a name, and all that looks like it, belongs to one person at a time.

Pure: no loop, no clock. A person may be there by several connections (tabs, devices), which show by a common secret
that they are the same person.
"""

from __future__ import annotations

import hmac

from besedka.wire.names import skeletons
from besedka.wire.refusals import Code, Refused


class Person:
    """Somebody present.

    Attributes:
        name: empty for one who has not given a name (the seed's protocol does not ask for it).
        looks: what the name looks like; nobody else may look the same.
        uses: how many connections are there under the name.
    """

    __slots__ = ("_secret", "looks", "name", "uses")

    def __init__(self, name: str = "", secret: str = "") -> None:
        self.name = name
        self._secret = secret.encode()
        self.looks = skeletons(name) if name else frozenset[str]()
        self.uses = 1

    def proves(self, secret: str) -> bool:
        """Whether this secret shows that it is the same person."""
        return bool(secret) and hmac.compare_digest(self._secret, secret.encode())


class People:
    """All who are present under a name."""

    def __init__(self) -> None:
        self._by_look: dict[str, Person] = {}

    def come(self, name: str, secret: str = "") -> Person:
        """Take a name, or take part in it with its secret.

        Raises:
            Refused: `name_taken`.
        """
        person = Person(name, secret)
        for look in person.looks:
            present = self._by_look.get(look)
            if present is None:
                continue
            if present.name == name and present.proves(secret):
                present.uses += 1
                return present
            raise Refused(Code.NAME_TAKEN, name=name)
        self._by_look.update(dict.fromkeys(person.looks, person))
        return person

    def go(self, person: Person) -> None:
        """Give back one use of a name; after the last one it is free."""
        person.uses -= 1
        if person.uses == 0:
            for look in person.looks:
                del self._by_look[look]
