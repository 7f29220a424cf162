"""The redactions of one room that this node has recorded, and that are not in the order yet. No I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from besedka.serve.cluster.order.entry import Target
from besedka.serve.tasks import mark_retrieved
from besedka.wire.errors import Refused


@dataclass(slots=True)
class _Wanted:
    """A redaction, and those who wait for it."""

    target: Target
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class WantedRedactions:
    """The redactions that are to be ordered."""

    def __init__(self) -> None:
        self._by_id: dict[int, _Wanted] = {}

    def __bool__(self) -> bool:
        return bool(self._by_id)

    @property
    def targets(self) -> Sequence[Target]:
        """The messages."""
        return [wanted.target for wanted in self._by_id.values()]

    def add(self, target: Target) -> asyncio.Future[None]:
        """Want a redaction. Returns a future that is done when it is in this node's log, whoever has ordered it."""
        wanted = self._by_id.setdefault(target.id, _Wanted(target))
        waiting = mark_retrieved(asyncio.get_running_loop().create_future())
        wanted.waiting.append(waiting)
        return waiting

    def note_applied(self, targets: Iterable[Target]) -> None:
        """Note that these are in this node's log."""
        for target in targets:
            wanted = self._by_id.pop(target.id, None)
            for waiting in wanted.waiting if wanted else ():
                if not waiting.done():
                    waiting.set_result(None)

    def refuse(self, refusal: Refused) -> None:
        """Let nobody wait any more. The redactions are wanted still: they are recorded."""
        for wanted in self._by_id.values():
            for waiting in wanted.waiting:
                if not waiting.done():
                    waiting.set_exception(refusal)
            wanted.waiting.clear()
