"""Writing to logs: the batches of many rooms share a sync, where their file system makes that cheaper than a sync for each (decision 46).

A batch of a room that is alone is written at once. While a turn of a thread lasts, the batches of other rooms gather for the next one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from besedka.serve.chat.workers import WORKERS, Workers
from besedka.serve.files.file_system import FileSystem
from besedka.serve.history import Append, ChatHistory, Flag, Outcome, append_to_all
from besedka.wire.errors import Refused
from besedka.wire.message import MessageId

TOGETHER_AT_MOST: Final = 64
"""Batches that share a sync: all wait for the slowest."""

TURNS_AT_MOST: Final = 1
"""Turns at the same time in one file system whose syncs are shared: the longer one lasts, the more share the next."""


class _Waiting(NamedTuple):
    """A batch that waits for its turn, and the future of its outcome."""

    append: Append
    outcome: asyncio.Future[MessageId | None]


@dataclass(slots=True)
class _Queue:
    """The batches for one file system."""

    waiting: deque[_Waiting] = field(default_factory=deque)
    turns: int = 0


class LogWriter:
    """Appends to logs in threads.

    Args:
        workers: the threads.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._loop = asyncio.get_running_loop()
        self._queues: defaultdict[FileSystem, _Queue] = defaultdict(_Queue)

    def append(
        self, history: ChatHistory, lines: Sequence[str], flags: Sequence[Flag], *, is_alone: bool
    ) -> Awaitable[MessageId]:
        """Append a batch to a log, as `ChatHistory.append` does, in a thread; to one log one batch at a time.

        Args:
            history: the log.
            lines: as `ChatHistory.append` takes them, and so are the flags.
            flags: of each message.
            is_alone: whether no other room is about to append.

        Raises:
            AppendError: as `ChatHistory.append`.
            Refused: `going_down`.
        """
        if is_alone:
            # The steps that let batches share a sync cost as much as the rest.
            return self._workers.write(history.append, lines, flags)
        return self._in_turn(Append(history, lines, flags))

    async def _in_turn(self, append: Append) -> MessageId:
        """Append a batch together with those of other rooms."""
        outcome: asyncio.Future[MessageId | None] = self._loop.create_future()
        file_system = append.history.file_system
        queue = self._queues[file_system]
        queue.waiting.append(_Waiting(append, outcome))
        if queue.turns < (TURNS_AT_MOST if file_system.syncs_together else WORKERS):
            queue.turns += 1
            # Behind what the loop does now: other rooms may be about to append, too.
            self._loop.call_soon(self._take_turn, file_system, queue)
        first = await outcome
        if first is None:
            # Nothing was written to a log that must be reread before, and nobody else waits for that.
            history, lines, flags = append
            first = await self._workers.write(history.append, lines, flags)
        return first

    def _take_turn(self, file_system: FileSystem, queue: _Queue) -> None:
        """Write what waits, as much as shares a sync; give the turn back if nothing does."""
        share = TOGETHER_AT_MOST if file_system.syncs_together else 1
        taken = [queue.waiting.popleft() for _ in range(min(share, len(queue.waiting)))]
        if not taken:
            queue.turns -= 1
            return
        try:
            work = self._workers.write(append_to_all, file_system, [waiting.append for waiting in taken])
        except Refused as refusal:
            taken += queue.waiting
            queue.waiting.clear()
            queue.turns -= 1
            _settle(taken, [refusal] * len(taken))
        else:
            work.add_done_callback(partial(self._end_turn, file_system, queue, taken))

    def _end_turn(
        self,
        file_system: FileSystem,
        queue: _Queue,
        taken: Sequence[_Waiting],
        work: asyncio.Future[list[Outcome]],
    ) -> None:
        if work.cancelled():
            for waiting in taken:
                waiting.outcome.cancel()
        else:
            error = work.exception()
            _settle(taken, [error] * len(taken) if error else work.result())
        self._take_turn(file_system, queue)


def _settle(taken: Sequence[_Waiting], outcomes: Sequence[BaseException | MessageId | None]) -> None:
    for waiting, outcome in zip(taken, outcomes, strict=True):
        if waiting.outcome.done():
            continue  # nobody waits for it any more
        if isinstance(outcome, BaseException):
            waiting.outcome.set_exception(outcome)
        else:
            waiting.outcome.set_result(outcome)
