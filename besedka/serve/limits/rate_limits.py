"""Rate limits: what a connection, all connections of its address, and all of its IPv6 site together may send, request and claim.

Pure: no loop, no clock; time is an argument, in seconds of any monotonic clock. The doors charge frames and requests,
`besedka/serve/session/post.py` messages, `besedka/serve/directory/directory.py` new names. `besedka.serve.limits.sources` counts connections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from besedka.serve.limits.held_bytes import HELD_BYTES, HELD_BYTES_OF_MACHINE, HeldBytes
from besedka.serve.limits.networks import SITE_TIMES, Network, Origin
from besedka.serve.limits.token_bucket import TokenBucket
from besedka.wire.errors import ErrorCode, Language, Refused

TEXT_BYTES_PER_MESSAGE: Final = 512
"""Bytes of a text, in UTF-8, that cost one message of the rate: nearly all texts are shorter, and at the default rate an address fills a
disk with half a megabyte a second, not with twenty. The longest text costs 40."""

REFUSAL_SECONDS: Final = 1.0
"""Shortest wait after a message that was too fast; by then there is more than a single token again."""

FRAMES_PER_MESSAGE: Final = 2
"""Frames a second, other than accepted messages (joins, pages, pings, nonsense), that a connection may send for each
message of its rate. They are not refused: its socket is read later."""

FRAMES_AT_LEAST: Final = 20
"""Frames a second that it may send at any rate."""

FRAMES_OF_ADDRESS_AT_LEAST: Final = 10 * FRAMES_AT_LEAST
"""Frames a second that all connections of an address may send at any rate: so many come when ten of them join together."""

FRAMES_SECONDS: Final = 2.0
"""Seconds' worth of frames that it may send at once."""

REFUSED_FRAMES: Final = 5
"""Cost of a refused frame, in frames: it costs the server an answer."""

HANDSHAKE_FRAMES: Final = 10
"""Cost of a handshake of TLS, or of a gRPC connection, in frames: a signature takes a millisecond or two."""

HTTP_FRAMES: Final = 2
"""Cost of an HTTP request, in frames: a sixth of a millisecond."""

DOWNLOAD_FRAMES: Final = 6
"""Cost of a request for a log over HTTP, in frames: half a millisecond until its first byte."""

SEARCH_FRAMES: Final = 20
"""Cost of a search, in frames: it may take a tenth of a second of the one thread that searches. So a client that requests hundreds at
once gets its share of a tenth, and others get in between."""

PAGE_MESSAGES_PER_FRAME: Final = 25
"""Cost of a page of the log, in messages for each frame: to read, check and encode so many takes as long as to handle a frame."""

PAGE_CHARACTERS_PER_FRAME: Final = 8_192
"""The same in characters, beside that: where texts are long, a page has 32 KiB of few messages."""

GRPC_PAGE_COST: Final = 3
"""Cost to its address of a page that a gRPC stream catches up with, in pages: 20 microseconds a message, not 6, mostly for the messages of
protobuf."""

CATCH_UP_SECONDS: Final = 6.0
"""Seconds' worth of frames that a connection may spend at once on what it has missed, beside its other frames: at the default rate these are more
than 20 000 messages, those of a night. The frames of its address limit it, too."""

OPENING_FRAMES: Final = 20
"""Cost to its address of a room that is opened, in frames: a millisecond or two for its log and index. A connection that comes back into all of its
rooms after a restart does not pay for it."""

WRITES_PER_FRAME: Final = 10
"""Cost of a frame that is sent on to many connections, in writes for each frame: ten take about as long as to handle a frame."""

REQUEST_FRAMES: Final = 10
"""Cost of a request about rooms, invitations, devices and moderation, in frames: most of them write to the disk and wait for it."""

REQUESTS_RATE: Final = 1.0
"""Such requests a second that all connections of an address may make."""

REQUESTS_BURST_SECONDS: Final = 600.0
"""Six hundred at once: a school behind one address opens its rooms together."""

NAMES_RATE: Final = 0.1
"""New names a second that all connections of an address may claim, so that nobody takes them all."""

NAMES_BURST_SECONDS: Final = 2_000.0
"""Two hundred at once: a school behind one address joins together."""

NAMES_OF_SOURCE_AT_MOST: Final = 5_000
"""Names that all connections of an address may claim while the server runs: a tenth of all that there may be. A site, a fifth."""

_CHARACTER_BYTES: Final = 4
"""Most bytes of a character in UTF-8 (RFC 3629): short texts need not be encoded to be measured."""

LIST_BYTES: Final = 4_096
"""Bytes of the list of rooms that cost one frame: a request of 16 bytes may be answered with a page of 64 KiB, which costs 16 frames."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The limits; 0 is none.

    Attributes:
        rate: messages a second of a connection.
        rate_address: messages a second of all connections of an address together; and, times `FRAMES_PER_MESSAGE`, their other frames.
        connections_per_address: the number of those connections.
    """

    rate: float = 100.0
    rate_address: float = 1_000.0
    connections_per_address: int = 1_000


class Source:
    """A source address of connections, or an IPv6 network /64, or a site of such networks.

    Attributes:
        network: its address or network; None is this machine.
        site: the source that its connections count for, too; None if that is no more than itself.
        times: it has so many times the limits of an address.
        connections: the number of connections.
        descriptors: the file descriptors that they use.
        streams: the number of gRPC calls that stream.
        calls: the number of other gRPC calls in progress.
        bucket: for the messages of all of them; None if they are not limited.
        frames: for all their other frames; None if they are not limited.
        held: the bytes that the server holds for them.
        names: for the names that they claim.
        requests: for their requests about rooms, invitations and devices.
        claims: the number of names that they have claimed since the start.
    """

    __slots__ = (
        "__weakref__",
        "bucket",
        "calls",
        "claims",
        "connections",
        "descriptors",
        "frames",
        "held",
        "names",
        "network",
        "requests",
        "site",
        "streams",
        "times",
    )

    def __init__(
        self,
        network: Network | None,
        rate: float = 0.0,
        *,
        site: Source | None = None,
        times: int = 1,
    ) -> None:
        self.network = network
        self.site = site
        self.times = times
        self.bucket = TokenBucket(times * rate) if rate else None
        frames = max(FRAMES_OF_ADDRESS_AT_LEAST, rate * FRAMES_PER_MESSAGE)
        self.frames = TokenBucket(times * frames, FRAMES_SECONDS) if rate else None
        self.names = TokenBucket(times * NAMES_RATE, NAMES_BURST_SECONDS)
        self.requests = TokenBucket(times * REQUESTS_RATE, REQUESTS_BURST_SECONDS)
        held = HELD_BYTES_OF_MACHINE if network is None else times * HELD_BYTES
        self.held: HeldBytes = HeldBytes(held, site.held if site else None)
        self.claims = 0
        self.connections = 0
        self.descriptors = 0
        self.streams = 0
        self.calls = 0

    @classmethod
    def of_site(cls, network: Network, rate: float) -> Source:
        """A site: it has `SITE_TIMES` the limits of an address."""
        return cls(network, rate, times=SITE_TIMES)

    @property
    def levels(self) -> tuple[Source, ...]:
        """The sources that its connections count for: itself, and its site."""
        return (self, self.site) if self.site else (self,)

    @property
    def is_exempt(self) -> bool:
        """Whether it is this machine itself."""
        return self.network is None

    def is_as_new(self, now: float) -> bool:
        """Whether it has no connections, full buckets, and has claimed no name, like a new source."""
        buckets = (self.names, self.requests, self.bucket, self.frames)
        is_full = all(bucket.is_full(now) for bucket in buckets if bucket)
        return not (self.connections or self.streams or self.calls or self.claims) and is_full


class RateLimiter:
    """The rate limits of one connection.

    Args:
        rate: messages a second; 0 does not limit it.
        source: its source address.

    Attributes:
        connection: the connection's number, different from all others'.
        client: the name that its program gives itself; empty if it gives none.
        is_forwarded: whether it says that it acts for somebody else, a page or a proxy.
    """

    __slots__ = (
        "_catch_up",
        "_frames",
        "_frames_of_address",
        "_frames_rate",
        "_messages",
        "client",
        "connection",
        "is_forwarded",
        "source",
    )

    _numbers = count(1)

    def __init__(self, rate: float, source: Source) -> None:
        self.source = source
        self.connection = next(self._numbers)
        self.client = ""
        self.is_forwarded = False
        levels = source.levels
        messages = (TokenBucket(rate) if rate else None, *(level.bucket for level in levels))
        self._messages = tuple(bucket for bucket in messages if bucket)
        self._frames_rate = max(FRAMES_AT_LEAST, rate * FRAMES_PER_MESSAGE) if rate else 0.0
        # Made when it is needed: few read so much.
        self._catch_up: TokenBucket | None = None
        own = TokenBucket(self._frames_rate, FRAMES_SECONDS) if rate else None
        self._frames_of_address = tuple(level.frames for level in levels if level.frames)
        self._frames = (own, *self._frames_of_address) if own else self._frames_of_address

    @property
    def origin(self) -> Origin:
        """Where its messages come from."""
        return Origin(self.connection, self.source.network)

    @property
    def is_own_program(self) -> bool:
        """Whether it is a program on this machine itself, which is not rate-limited."""
        return self.source.is_exempt and not self.is_forwarded

    def charge_message(self, now: float, text: str = "", *, has_frame: bool = True) -> None:
        """Charge for a message, by the bytes of its text.

        It is taken as soon as there is one token, so that the longest text passes at the lowest rate; the rest is owed.

        Args:
            now: the time.
            text: its text.
            has_frame: whether it came in a frame of its own, whose token is returned.

        Raises:
            Refused: `too_fast`, with the time to wait.
        """
        wait = _wait(self._messages, now, 1)
        if wait:
            raise Refused(ErrorCode.TOO_FAST, wait=max(wait, REFUSAL_SECONDS))
        tokens = _tokens_of(text)
        for bucket in self._messages:
            bucket.spend(now, tokens)
        if has_frame:
            self.charge_frames(now, -1)

    def count_message(self, now: float) -> None:
        """Count a message that is not limited: return the token of its frame."""
        self.charge_frames(now, -1)

    def check_claim(self, now: float) -> None:
        """Check that a new name may be claimed.

        Raises:
            Refused: `too_many_names`, with the time to wait.
        """
        if self.source.is_exempt:
            return
        wait = max(level.names.wait(now) for level in self.source.levels)
        if wait:
            why = {Language.RU: "слишком быстро с одного адреса", Language.EN: "too fast from one address"}
            raise Refused(ErrorCode.TOO_MANY_NAMES, wait=wait, why=why)
        for level in self.source.levels:
            limit = level.times * NAMES_OF_SOURCE_AT_MOST
            if level.claims >= limit:
                why = {
                    Language.RU: f"с одного адреса — до {limit}",
                    Language.EN: f"one address may have {limit}",
                }
                raise Refused(ErrorCode.TOO_MANY_NAMES, why=why)

    def charge_claim(self, now: float) -> None:
        """Charge for a claimed name."""
        for level in () if self.source.is_exempt else self.source.levels:
            level.names.spend(now)
            level.claims += 1

    def charge_request(self, now: float) -> None:
        """Charge for a request about rooms, invitations, devices or moderation.

        Raises:
            Refused: `too_fast`, with the time to wait.
        """
        self.charge_frames(now, REQUEST_FRAMES - 1)
        if self.source.is_exempt:
            return
        wait = max(level.requests.wait(now) for level in self.source.levels)
        if wait:
            raise Refused(ErrorCode.TOO_FAST, wait=max(wait, REFUSAL_SECONDS))
        for level in self.source.levels:
            level.requests.spend(now)

    def charge_refusal(self, now: float) -> None:
        """Charge for a refusal."""
        self.charge_frames(now, REFUSED_FRAMES - 1)

    def charge_page(self, now: float, lines: Sequence[str]) -> None:
        """Charge for a page of history with these messages, beside the frame that requested it."""
        self.charge_frames(now, _page_frames(lines))

    def charge_catch_up(self, now: float, lines: Sequence[str], cost: int = 1) -> None:
        """Charge for a page with these messages for a subscriber that is behind: as much as for a page of history, with its frame.

        The connection pays from a bucket for that alone: its posts do not wait. Its address pays so many times as much.
        """
        frames = 1 + _page_frames(lines)
        if self._catch_up is None and self._frames_rate:
            self._catch_up = TokenBucket(self._frames_rate, CATCH_UP_SECONDS)
        if self._catch_up:
            self._catch_up.spend(now, frames)
        for bucket in self._frames_of_address:
            bucket.spend(now, frames * cost)

    def catch_up_delay(self, now: float) -> float:
        """The seconds during which this connection should not catch up further."""
        return self._catch_up.wait(now, 0) if self._catch_up else 0.0

    def address_delay(self, now: float) -> float:
        """The seconds during which no connection of its address should."""
        return self.source.frames.wait(now, 0) if self.source.frames else 0.0

    def site_delay(self, now: float) -> float:
        """The seconds during which no connection of its site should."""
        site = self.source.site
        return site.frames.wait(now, 0) if site and site.frames else 0.0

    def charge_opening(self, now: float) -> None:
        """Charge its address for a room that is opened."""
        for bucket in self._frames_of_address:
            bucket.spend(now, OPENING_FRAMES)

    def charge_writes(self, now: float, writes: int) -> None:
        """Charge for a frame that so many connections receive because of a request, beside it."""
        self.charge_frames(now, writes // WRITES_PER_FRAME)

    def charge_frames(self, now: float, frames: int) -> None:
        """Charge for received frames, to the connection and to its address."""
        for bucket in self._frames:
            bucket.spend(now, frames)

    def charge_call(self, now: float, frames: int, longest: float) -> float:
        """Charge a gRPC call to the connection and its address, and return the seconds that it must wait.

        Args:
            now: the time.
            frames: its cost, in frames.
            longest: the longest wait, in seconds.

        Raises:
            Refused: `too_fast` if it would have to wait longer; that costs a frame, up to twice the longest wait.
        """
        wait = _wait(self._frames, now, frames)
        if longest < wait < 2 * longest:
            self.charge_frames(now, 1)
        check_wait(wait, longest)
        self.charge_frames(now, frames)
        return wait

    def charge_begun(self, now: float) -> float:
        """Charge a gRPC call that has begun, and return the seconds that it must wait."""
        self.charge_frames(now, 1)
        return self.delay(now)

    def charge_list(self, now: float, cost: int) -> None:
        """Charge for a page of the list of rooms, by its bytes, and those that the work for it is worth."""
        self.charge_frames(now, cost // LIST_BYTES)

    def delay(self, now: float) -> float:
        """The seconds during which nothing more should be read."""
        return _wait(self._frames, now, 0)


def _wait(buckets: Iterable[TokenBucket], now: float, tokens: int) -> float:
    """The seconds until each of these buckets has enough tokens."""
    longest = 0.0
    for bucket in buckets:
        longest = max(longest, bucket.wait(now, tokens))
    return longest


def check_wait(wait: float, longest: float) -> None:
    """Check that a wait is not too long.

    Raises:
        Refused: `too_fast` if it is.
    """
    if wait > longest:
        raise Refused(ErrorCode.TOO_FAST, wait=wait - longest + REFUSAL_SECONDS)


def _page_frames(lines: Sequence[str]) -> int:
    """The price of a page with these messages, in frames."""
    return len(lines) // PAGE_MESSAGES_PER_FRAME + sum(map(len, lines)) // PAGE_CHARACTERS_PER_FRAME


def _tokens_of(text: str) -> int:
    """The cost of a text, in messages."""
    if len(text) <= TEXT_BYTES_PER_MESSAGE // _CHARACTER_BYTES:
        return 1
    return -(-len(text.encode()) // TEXT_BYTES_PER_MESSAGE)
