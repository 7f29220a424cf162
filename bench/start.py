"""The cost of starting ``besedka send``, ``tail``, ``history`` and ``serve``, beside a bare script: ``python bench/start.py``.

``--before DIR`` measures another tree of Besedka's sources in turn with this one, which is the way to compare two versions: times drift.
"""

from __future__ import annotations

from pathlib import Path

import click
from harness.report import section
from harness.starts import HERE, table


@click.command()
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(1), help="Starts of each.")
@click.option(
    "--before", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Another tree of sources."
)
def main(rounds: int, before: Path | None) -> None:
    """Measure, and print the table."""
    trees = {"": HERE} if before is None else {"before": before.absolute(), "now": HERE}
    print("\n".join(section(table(trees, rounds))))


if __name__ == "__main__":
    main()
