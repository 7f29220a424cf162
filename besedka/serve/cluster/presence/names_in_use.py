"""Names in use: at all nodes of a cluster together a name, and all names that look like it, belong to one person at a time.

A node has a *lease* of each look of a name that is in use at it: a value in a bucket in memory, by compare-and-set. It says who the person is, as a digest, and at which nodes. The
lease of a node that is not alive is void. Names that are known, with their holders' secrets, need none: nobody else may use them.

Where nobody answers, as during an election, the node decides alone, so that people get in and read; later it takes the lease all the same. If it then belongs to
somebody else, or does so since this node was cut off, the person here is disconnected with 1013, comes back, and is answered that the name is taken: what they posted stays in
their outbox.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

import msgspec

from besedka.serve.cluster.jetstream.bucket import Bucket
from besedka.serve.cluster.jetstream.connection import NANOSECONDS, Connection
from besedka.serve.cluster.jetstream.stream import REPLICAS
from besedka.serve.cluster.presence.leases import Held, Lease, Leases
from besedka.serve.log_event import event
from besedka.serve.people.names import KnownNames
from besedka.serve.people.person import Person, PresentPeople
from besedka.serve.tasks import mark_retrieved
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.skeletons import skeletons

log = logging.getLogger(__name__)

BUCKET: Final = "BESEDKA_NAMES"
SUBJECTS: Final = "besedka.names."

FORGOTTEN_SECONDS: Final = 3600.0
"""After so long a lease is forgotten that nobody has renewed: it was of a node that is no more."""

RENEW_SECONDS: Final = 1200.0
"""How old a lease may be before it is renewed."""

CHECK_SECONDS: Final = 1.0
"""Interval between two looks whether a lease is to be taken again, or is not needed any more."""

DOUBT_SECONDS: Final = 0.25
"""Interval between two looks whether a node that was never heard of is alive."""

DOUBT_AT_MOST_SECONDS: Final = 6.0
"""By then it is known: a second more than a lease lasts."""

ALONE_SECONDS: Final = 2.0
"""For how long a node decides alone after nobody has answered, before it asks again."""

AT_ONCE: Final = 64
"""Leases that are taken or given back at once, beside those for newcomers."""

LEASES_AT_MOST: Final = 1_000_000
"""Leases of all nodes: some hundred bytes of memory each at three servers. More are not kept, and each node decides alone."""

VALUE_BYTES_AT_MOST: Final = 8 * 1024

TRIES: Final = 8
"""How often a lease is tried that others change meanwhile."""


def names_bucket(connection: Connection) -> Bucket:
    """The leases of all nodes."""
    settings = {
        "storage": "memory",
        "num_replicas": REPLICAS,
        "max_age": int(FORGOTTEN_SECONDS * NANOSECONDS),
        "max_msgs": LEASES_AT_MOST,
        "max_msg_size": VALUE_BYTES_AT_MOST,
        "discard": "new",
    }
    return Bucket(connection, BUCKET, SUBJECTS, settings)


class Nodes(Protocol):
    """Which nodes are alive."""

    def is_alive(self, node: str) -> bool:
        """Whether a node may use what it has a lease of."""

    def is_known(self, node: str) -> bool:
        """Whether it was heard of: otherwise it may be alive for as long as it could not have been."""

    @property
    def returns(self) -> int:
        """How often the others may have taken this node for dead, and given its names to others."""


class ClusterNames:
    """The names in use at this node, a `NamesInUse` of admission.

    Args:
        bucket: the leases of all nodes.
        node: the name of this one.
        key: keys the digests of looks.
        nodes: which nodes are alive.
        known: the known names.
        people: the people present here.
        digest: the number of a person with a name and an identity.
        lose: disconnects a person whose name is somebody else's.
    """

    def __init__(
        self,
        bucket: Bucket,
        node: str,
        key: str,
        nodes: Nodes,
        *,
        known: KnownNames,
        people: PresentPeople,
        digest: Callable[[str, str], int],
        lose: Callable[[Person], None],
    ) -> None:
        self._bucket = bucket
        self._node = node
        self._key = key.encode()
        self._nodes = nodes
        self._known = known
        self._people = people
        self._digest = digest
        self._lose = lose
        self._loop = asyncio.get_running_loop()
        self._leases = Leases(self._is_present)
        self._taking: dict[int, asyncio.Future[None]] = {}
        self._releases: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._alone_until = float("-inf")
        self._made_at = ""
        self._returns = nodes.returns

    # As admission sees it.

    def taking(self, name: str, claim: str, fallback: str) -> asyncio.Future[None] | None:
        """The wait until a name is this node's for a person; None if it is, or needs not be: it is known, or in use by somebody else here."""
        if self._known.is_kept:
            if claim and not self._known.is_new(name, claim):
                return None
            held = self._known.holder(name)
            name = held.name if held else name
        who, now = self._who(name, claim or fallback), self._loop.time()
        looks = {self._look(look): look for look in sorted(skeletons(name))}
        if self._is_other_present(looks.values(), who) or self._leases.has_all(looks, who, now):
            return None
        if who not in self._taking:
            task = mark_retrieved(asyncio.ensure_future(self._take_all(name, who, looks)))
            self._taking[who] = task
            task.add_done_callback(lambda _: self._taking.pop(who, None))
        return self._taking[who]

    def release(self, person: Person) -> None:
        """Note that a person's last connection under a name has ended here: its leases are given back soon."""
        who = self._who(person.name, person.identity)
        for look in map(self._look, person.looks):
            if self._leases.is_of(look, who):
                self._releases[look] = who
                self._wake.set()

    # In the background.

    async def start(self) -> None:
        """Make the bucket, if it can be reached by now; `run` must follow.

        Raises:
            ClusterUnusable: if it cannot be made.
        """
        for _ in range(TRIES):
            with suppress(TimeoutError):
                self._made_at = await self._bucket.ensure()
                return
            await asyncio.sleep(DOUBT_SECONDS)

    async def run(self) -> None:
        """Give back what is not needed any more, and take again what is in doubt, for ever.

        Raises:
            ClusterUnusable: if the bucket was deleted, and cannot be made again.
        """
        check_at = self._loop.time()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, check_at - self._loop.time())):
                    await self._wake.wait()
            self._wake.clear()
            releases, self._releases = self._releases, {}
            await _in_turns([self._release(look, who) for look, who in releases.items()])
            if self._loop.time() >= check_at:
                check_at = self._loop.time() + CHECK_SECONDS
                await self._check()

    async def _check(self) -> None:
        now = self._loop.time()
        for look, who in self._leases.unused(now):
            self._releases[look] = who
            self._wake.set()
        if self._nodes.returns != self._returns:
            self._returns = self._nodes.returns
            self._leases.doubt_all()
        with suppress(TimeoutError):
            made_at = await self._bucket.ensure()
            self._alone_until = float("-inf")
            if made_at != self._made_at:
                self._made_at = made_at
                self._leases.doubt_all()
            doubtful = self._leases.doubtful(now - RENEW_SECONDS)
            await _in_turns([self._take_again(look, who) for look, who in doubtful])

    async def _take_again(self, look: str, who: int) -> None:
        """Take a lease of a name that is in use here, without waiting for anybody; if it is somebody else's, the person here loses it."""
        async with self._lock(look):
            held = self._leases.get(look)
            if held is None or held.who != who:
                return
            lease = await self._taken(look, who)
            if isinstance(lease, Held):
                self._leases.put(look, lease)
                return
            self._leases.pop(look)
            if person := self._present(held.skeleton, who):
                log.info(
                    "a name is in use at another node, too: its user here is disconnected",
                    extra=event("name_lost"),
                )
                self._lose(person)

    # Steps.

    async def _take_all(self, name: str, who: int, looks: dict[str, str]) -> None:
        """Take the leases of all looks of a name, in an order that is the same at all nodes: so one of several takers has them all.

        Raises:
            Refused: `name_taken`.
        """
        taken: list[str] = []
        for look in sorted(looks):
            async with self._lock(look):
                held = None
                if not self._leases.is_in_use(look, self._loop.time(), but=who):
                    held = await self._take(look, looks[look], who)
                if held:
                    self._leases.put(look, held)
                    taken.append(look)
                    continue
            self._releases.update(dict.fromkeys(taken, who))
            self._wake.set()
            raise Refused(ErrorCode.NAME_TAKEN, name=name)

    async def _take(self, look: str, skeleton: str, who: int) -> Held | None:
        """Take a lease, or decide alone where nobody answers. None if it is somebody else's."""
        now = self._loop.time()
        try:
            if now >= self._alone_until:
                lease = await self._taken(look, who)
                while (
                    isinstance(lease, Lease)
                    and self._may_end(lease)
                    and self._loop.time() - now < DOUBT_AT_MOST_SECONDS
                ):
                    await asyncio.sleep(DOUBT_SECONDS)
                    lease = await self._taken(look, who)
                return lease._replace(skeleton=skeleton) if isinstance(lease, Held) else None
        except TimeoutError:
            self._alone_until = self._loop.time() + ALONE_SECONDS
        return Held(who, 0, (self._node,), self._loop.time(), is_sure=False, skeleton=skeleton)

    def _may_end(self, lease: Lease) -> bool:
        """Whether a lease may be of nodes that are no more, which this one cannot know yet: it has just begun to receive."""
        return not any(self._nodes.is_known(node) for node in lease.nodes if self._nodes.is_alive(node))

    async def _taken(self, look: str, who: int) -> Held | Lease:
        """Take a lease in the bucket; if it is somebody else's, that one.

        Raises:
            TimeoutError: if nobody answers, or too many others change it.
        """
        known = self._leases.get(look)
        revision, nodes = known.revision if known and known.who == who else 0, [self._node]
        for _ in range(TRIES):
            data = msgspec.json.encode(Lease(who, nodes))
            if put := await self._bucket.put(look, data, revision):
                return Held(
                    who,
                    put,
                    tuple(nodes),
                    self._loop.time(),
                    is_sure=True,
                    skeleton=known.skeleton if known else "",
                )
            value = await self._bucket.get(look)
            if value is None:
                revision, nodes = 0, [self._node]
                continue
            lease = _decoded(value.data)
            others = [node for node in lease.nodes if node != self._node and self._nodes.is_alive(node)]
            if others and lease.who != who:
                return lease
            revision, nodes = value.revision, [self._node, *others]
        raise TimeoutError("too many others take this name")

    async def _release(self, look: str, who: int) -> None:
        """Give a lease back, unless it is in use again."""
        async with self._lock(look):
            held = self._leases.get(look)
            if held is None or held.who != who or self._is_present(held):
                return
            self._leases.pop(look)
            # Otherwise it is forgotten after an hour, or taken by this node again.
            with suppress(TimeoutError):
                if held.nodes == (self._node,) and held.revision and await self._bucket.remove(held.revision):
                    return
                value = await self._bucket.get(look)
                if value is None:
                    return
                lease = _decoded(value.data)
                others = [node for node in lease.nodes if node != self._node]
                if lease.who == who and len(others) < len(lease.nodes):
                    if others:
                        await self._bucket.put(look, msgspec.json.encode(Lease(who, others)), value.revision)
                    else:
                        await self._bucket.remove(value.revision)

    def _who(self, name: str, identity: str) -> int:
        # Those who have no identity are let in one by one at a node, and must differ from those at others.
        return self._digest(name, identity or self._node)

    def _look(self, skeleton: str) -> str:
        """The key of a look."""
        return hashlib.blake2b(skeleton.encode(), digest_size=16, key=self._key).hexdigest()

    def _lock(self, look: str) -> asyncio.Lock:
        return self._locks.setdefault(look, asyncio.Lock())

    def _present(self, skeleton: str, who: int) -> Person | None:
        """The person who is present here under a name of this look, if they are this one."""
        person = self._people.under(skeleton)
        return person if person and self._who(person.name, person.identity) == who else None

    def _is_present(self, held: Held) -> bool:
        return self._present(held.skeleton, held.who) is not None

    def _is_other_present(self, looks: Iterable[str], who: int) -> bool:
        return any(self._people.under(look) and not self._present(look, who) for look in looks)


async def _in_turns(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do work, some of it at once. What fails because nobody answers is left for later."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def do(work: Coroutine[Any, Any, None]) -> None:
        async with turns:
            with suppress(TimeoutError):
                await work

    await asyncio.gather(*map(do, works))


def _decoded(data: bytes) -> Lease:
    """A lease; one that cannot be read is nobody's."""
    try:
        return msgspec.json.decode(data, type=Lease)
    except msgspec.MsgspecError:
        return Lease(0, [])
