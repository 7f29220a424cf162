"""Whether the stream can be reached, and how long this node waits for it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from besedka.serve.cluster.jetstream.connection import ELSEWHERE_SECONDS
from besedka.serve.cluster.jetstream.stream import STREAM, Stream
from besedka.wire.errors import ErrorCode, Refused

T = TypeVar("T")

PROBE_SECONDS: Final = 0.3
"""Interval between two looks whether the stream can be reached; nothing is decided faster by asking it more often."""

IDLE_SECONDS: Final = 1.0
"""A stream that has not answered for so long is asked whether it is there."""

OUT_OF_REACH_SECONDS: Final = 8.0
"""Without an answer of the stream for so long a node refuses what is posted. Most elections take less."""

RETRY_SECONDS: Final = 2.0
"""The pause that a poster is asked for then."""

FINISH_SECONDS: Final = 1.0
"""How long a node that stops waits for the stream: longer than a decision takes, shorter than an election."""


class Reach:
    """Whether a stream can be reached.

    Args:
        stream: the order, in the same servers.
        name: the name of the stream.
    """

    def __init__(self, stream: Stream, name: str = STREAM) -> None:
        self._stream = stream
        self._signs = stream.connection.signs(name)
        self._loop = asyncio.get_running_loop()
        self._ends_at = math.inf

    @property
    def silence_seconds(self) -> float:
        """How long the stream has not been heard of; idle it is heard of each second."""
        return self._loop.time() - self._signs.answered_at

    @property
    def is_lost(self) -> bool:
        """Whether it was not heard of for too long."""
        return self.silence_seconds > OUT_OF_REACH_SECONDS

    @property
    def is_ending(self) -> bool:
        """Whether this node stops."""
        return self._ends_at < math.inf

    def end(self, seconds: float = FINISH_SECONDS) -> None:
        """Let nobody wait for the stream for longer than this any more."""
        self._ends_at = min(self._ends_at, self._loop.time() + seconds)

    async def watch(self) -> None:
        """Ask an idle stream whether it is there, and another server if it does not answer, for ever."""
        while True:
            if self.silence_seconds >= IDLE_SECONDS:
                await self._stream.probe()
            if self.silence_seconds >= ELSEWHERE_SECONDS:
                await self._stream.connection.turn()
            await asyncio.sleep(PROBE_SECONDS)

    async def check(self, begun: float) -> None:
        """Check that the stream decides anything in time, and try another server if not. A leader that is cut off from the other servers still answers questions for a while.

        Args:
            begun: since when it is waited for, by the loop's clock.

        Raises:
            Refused: `out_of_reach`; `going_down`.
        """
        await self._check(max(begun, self._signs.decided_at))

    async def _check(self, since: float) -> None:
        """Check that nothing has been waited for since too long a time, and try another server after a while."""
        if self._loop.time() >= self._ends_at:
            raise Refused(ErrorCode.GOING_DOWN)
        silence = self._loop.time() - since
        if silence > OUT_OF_REACH_SECONDS:
            raise Refused(ErrorCode.OUT_OF_REACH, wait=RETRY_SECONDS)
        if silence >= ELSEWHERE_SECONDS:
            await self._stream.connection.turn()

    async def answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer of streams, which are asked until they give one.

        Args:
            ask: raises `TimeoutError` where they do not answer.

        Raises:
            Refused: `out_of_reach`; `going_down`.
        """
        begun = self._loop.time()
        while True:
            try:
                return await ask()
            except TimeoutError:
                # Whether the stream decides something meanwhile is no answer.
                await self._check(begun)
                await asyncio.sleep(PROBE_SECONDS)
