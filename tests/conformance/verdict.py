"""The report of the Autobahn test suite: a summary, and whether all results are as explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

AGENT: Final = "besedka"
"""The name of the server in the report."""

LEFT_OUT: Final = ["12.*", "13.*"]
"""Compression: the door offers no permessage-deflate."""

CASES: Final = 301
"""How many cases the suite has without those: a report of fewer is no proof."""

GOOD: Final = {"OK", "INFORMATIONAL"}
"""Informational cases have no right or wrong."""

LATE: Final = (
    "NON-STRICT",
    "a text is decoded when all of it is there; the suite would see it fail at its first bad byte",
)

EXPLAINED: Final = {
    "6.4.1": LATE,
    "6.4.2": LATE,
    "6.4.3": LATE,
    "6.4.4": LATE,
    "7.1.5": (
        "FAILED",
        "for websockets a close in the midst of a message is a fault, 1002; the suite expects 1000",
    ),
}
"""The cases that end otherwise: how, and why that is right."""


class Case(msgspec.Struct, rename="camel"):
    """How one case ended."""

    behavior: str
    behavior_close: str

    @property
    def outcome(self) -> str:
        """OK, NON-STRICT, INFORMATIONAL or FAILED, in what was said or in how the connection ended."""
        is_good = self.behavior in {*GOOD, "NON-STRICT"} and self.behavior_close in GOOD
        return self.behavior if is_good else "FAILED"


def verdict(report: Path) -> int:
    """Print the summary of a report, and return the exit status: 0 if all is as explained."""
    cases = msgspec.json.decode(report.read_bytes(), type=dict[str, dict[str, Case]]).get(AGENT, {})
    outcomes = {name: cases[name].outcome for name in sorted(cases, key=_number)}
    counts = Counter({"OK": 0, "NON-STRICT": 0, "INFORMATIONAL": 0, "FAILED": 0})
    counts.update(outcomes.values())
    click.echo(f"{len(cases)} cases: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    for name, (outcome, reason) in EXPLAINED.items():
        if outcomes.get(name) == outcome:
            click.echo(f"  explained    {name}: {outcome}, {reason}")
    surprises = list(_surprises(outcomes))
    for surprise in surprises:
        click.echo(f"  unexplained  {surprise}")
    return 1 if surprises else 0


def _surprises(outcomes: dict[str, str]) -> Iterator[str]:
    if len(outcomes) != CASES:
        yield f"{len(outcomes)} cases were run, not {CASES}"
    for name, outcome in outcomes.items():
        if name in EXPLAINED and outcome != EXPLAINED[name][0]:
            yield f"{name}: {outcome}, and not {EXPLAINED[name][0]} as explained"
        elif name not in EXPLAINED and outcome not in GOOD:
            yield f"{name}: {outcome}"


def _number(case: str) -> list[int]:
    return [int(part) for part in case.split(".")]
