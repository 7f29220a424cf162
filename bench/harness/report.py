"""The report: ``docs/benchmarks.md``, as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from harness.tables import Table

HEAD: Final = """# Benchmarks

Made by `make bench`, all in one run, {date}. Do not edit.

![What one delivery costs each server in CPU time](benchmarks.svg)

The main figure is the CPU time that a server's process needs for one delivery: one message to one reader. Each server has
a core to itself, the load generator has another. Texts have 45 bytes. All connections are real WebSockets over loopback.
**Every delivery is counted and checked**: each text carries its number among those of its sender, and for each reader and
each sender the numbers must go up by exactly one. A server that loses, doubles or misplaces one delivery gets no row.

Besedka does more than the others: it writes each message to its file and syncs it, on a disk, before anyone is told, and
gives it an id, a name and a time. The others hand on what they get, as it came, and keep nothing; but one of the two floors
appends it to a file and syncs that, and nats-server's stream is stored and synced, too.
"""

TAIL: Final = """
## Repeat it

`make bench` needs Linux, an hour, and two cores that nobody else uses meanwhile. For all rows it needs gcc, Node with npm
and h2load (Debian and Ubuntu: `apt install gcc libc6-dev nodejs npm nghttp2-client`); what is missing is
left out, and said so. `make bench ARGS=--quick` tries everything in some minutes; `make bench ARGS="--only crowd"` does one part
(`delivery`, `sizes`, `rooms`, `storms`, `crowd`, `idle`, `deaf`, `grpc`, `start`). These leave this page as it is.

For the cost of deliveries all servers run side by side and take turns, round by round; shown is the middle round. Times drift
on machines that are shared, so ratios say more than microseconds: a ratio is that of two neighbours in the same round. CPU
time is the kernel's count for all threads of a server; what the kernel does for the disk in threads of its own is in
nobody's figure.
The peers are in [`bench/peers`](../bench/peers), a short file each; the load generator is in [`bench/load`](../bench/load).

What a start costs, also beside another version, is measured by `bench/start.py`.
How long a long history takes to open is measured by `bench/history_size.py`; see [reliability](reliability.md).
"""


def report(
    tables: Sequence[Table],
    servers: Sequence[tuple[str, str]],
    missing: Sequence[str],
    machine: Sequence[str],
) -> str:
    """The whole page.

    Args:
        tables: all that was found.
        servers: their names, and what they are.
        missing: those that were left out, because they are not installed.
        machine: what was measured on.
    """
    return "\n".join(
        [
            HEAD.format(date=datetime.now(UTC).date()),
            "## What is promised",
            "",
            *_table(["", "promise", "found", ""], _promises(tables)),
            *(line for table in tables for line in section(table)),
            "",
            "## The servers",
            "",
            *_table(["server", ""], servers),
            *(["", f"Not installed, and left out: {', '.join(missing)}."] if missing else []),
            "",
            "## The machine",
            "",
            *(f"- {line}" for line in machine),
            TAIL.rstrip() + "\n",
        ]
    )


def section(table: Table) -> list[str]:
    """One scenario, as lines of Markdown."""
    lines = ["", f"## {table.title}", "", table.text]
    if table.rows:
        lines += ["", *_table(table.columns, table.rows)]
    for note in table.notes:
        lines += ["", note]
    return lines


def _promises(tables: Sequence[Table]) -> list[list[str]]:
    return [
        [table.title if first else "", bound.promise, bound.found, bound.verdict]
        for table in tables
        for first, bound in zip([True, *[False] * len(table.bounds)], table.bounds, strict=False)
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(columns)} |",
        "|---" * len(columns) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
