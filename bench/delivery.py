"""The cost of a delivery, beside other servers, and the server's other promises: ``make bench``.

Starts each server on one core and the load on another, one after the other, measures, and writes `docs/benchmarks.md` and
`docs/benchmarks.svg`. What is not installed is left out, aloud. ``--help`` shows how to do less.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click
from harness import crowd, deaf, deliveries, grpc_calls, idle, machine, many_rooms, sizes, starts, storms
from harness.errors import MissingError
from harness.peers import ALL, BESEDKA, Peer
from harness.plan import QUICK, Plan
from harness.plot import plot
from harness.report import report
from harness.server import allow_files
from harness.tables import Table
from harness.tools import BENCH, CACHE

DOCS: Final = BENCH.parent / "docs"
SCENARIOS: Final[dict[str, Callable[[Sequence[Peer], Plan], list[Table]]]] = {
    "delivery": deliveries.run,
    "sizes": sizes.run,
    "rooms": many_rooms.run,
    "storms": storms.run,
    "crowd": crowd.run,
    "idle": idle.run,
    "deaf": deaf.run,
    "grpc": grpc_calls.run,
    "start": starts.run,
}


@click.command()
@click.option("--quick", is_flag=True, help="Less of everything: only to see that it works.")
@click.option("--only", multiple=True, type=click.Choice([*SCENARIOS]), help="One scenario; may be repeated.")
@click.option(
    "--peer",
    multiple=True,
    type=click.Choice([peer.name for peer in ALL]),
    help="Besedka and this one; may be repeated.",
)
@click.option("--rounds", type=click.IntRange(1), help="How often the cost of deliveries is measured.")
@click.option("--minutes", type=click.FloatRange(0.1), help="How long people come and go.")
def main(
    *, quick: bool, only: Sequence[str], peer: Sequence[str], rounds: int | None, minutes: float | None
) -> None:
    """Measure what deliveries cost, here and elsewhere, and write docs/benchmarks.md.

    A run in part (any option but --rounds) writes to .cache/bench instead.
    """
    less: dict[str, Any] = dict(QUICK) if quick else {}
    less |= {"rounds": rounds} if rounds else {}
    less |= {"churn_minutes": minutes} if minutes else {}
    plan = Plan(say=_say, **less)
    try:
        machine.need_two_cores()
        described = machine.described()
        plan.tools.load()
    except MissingError as failure:
        sys.exit(f"bench: {failure}")
    allow_files()
    # Whoever stops us stops the servers, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: stopped"))
    wanted = [one for one in ALL if not peer or one.name in {*peer, BESEDKA.name}]
    servers = _present(wanted)
    runs = [run for name, run in SCENARIOS.items() if not only or name in only]
    tables = [table for run in runs for table in run(list(servers), plan)]
    named = [(one.name, about) for one, about in servers.items()]
    missing = [one.name for one in wanted if one not in servers]
    _write(
        tables, report(tables, named, missing, described), CACHE if quick or only or peer or minutes else DOCS
    )


def _present(servers: Sequence[Peer]) -> dict[Peer, str]:
    """Those that are installed, and what they are."""
    found = {}
    for peer in servers:
        try:
            found[peer] = peer.about()
        except MissingError as missing:
            _say(f"{peer.name} is left out: {missing}")
    return found


def _write(tables: Sequence[Table], page: str, folder: Path) -> None:
    (folder / "benchmarks.md").write_text(page, encoding="utf-8")
    _say(f"\n{page}\nwritten: {folder / 'benchmarks.md'}")
    pictures = [table for table in tables if table.bars]
    if pictures:
        try:
            (folder / "benchmarks.svg").write_text(plot(pictures), encoding="utf-8")
            _say(f"written: {folder / 'benchmarks.svg'}")
        except MissingError as missing:
            _say(f"no picture: {missing}")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
