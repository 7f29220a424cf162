"""Refusals in the log, condensed: a line for each minute and code, with their number and the address that had most of them.

Clients may be refused a thousand times a second, and must not fill the log.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from besedka.serve.limits.networks import Network, network_of
from besedka.serve.log_event import event

log = logging.getLogger(__name__)

TALLY_SECONDS: Final = 60.0
"""Interval between two lines about the same code."""

SOURCES_AT_MOST: Final = 64
"""Addresses that are counted for a code. Whichever has more than a 65th of its refusals is among them (Misra, Gries: Finding repeated
elements, 1982), however many others there are."""

HERE: Final = "this machine"

Where = Network | str | None
"""A client's address: a network, or a host as `network_of` takes it. None is this machine."""


class _Tally:
    """The refusals with one code."""

    __slots__ = ("count", "sources")

    def __init__(self) -> None:
        self.count = 0
        self.sources: dict[str, int] = {}

    def add(self, source: str) -> None:
        self.count += 1
        if source in self.sources or len(self.sources) < SOURCES_AT_MOST:
            self.sources[source] = self.sources.get(source, 0) + 1
        else:
            self.sources = {other: count - 1 for other, count in self.sources.items() if count > 1}


class RefusalTally:
    """Counts refusals for the log."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}

    def add(self, code: str, source: Where) -> None:
        """Count a refusal.

        Args:
            code: why.
            source: whose it was.
        """
        network = network_of(source) if isinstance(source, str) else source
        shown = str(network) if network else HERE
        self._tallies.setdefault(code, _Tally()).add(shown)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s was refused: %s", shown, code, extra=event("refused", code=code, address=shown))

    def report(self) -> None:
        """Log what was counted since the last time."""
        tallies, self._tallies = self._tallies, {}
        for code, tally in tallies.items():
            # None may be left of many addresses with one refusal each.
            address, most = max(
                tally.sources.items(), key=lambda source: source[1], default=("many addresses", 0)
            )
            log.info(
                "refused %s: %d, most of them from %s",
                code,
                tally.count,
                address,
                extra=event("refusals", code=code, count=tally.count, address=address, of_address=most),
            )

    async def watch(self) -> None:
        """Log it every minute, for ever."""
        while True:
            await asyncio.sleep(TALLY_SECONDS)
            self.report()
