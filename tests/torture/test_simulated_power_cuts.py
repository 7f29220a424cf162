"""Power cuts on a simulated disk, that keeps old content where nothing was synced; and of every sync, that it is needed."""

from __future__ import annotations

import ast
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.lengths import LONG
from tests.running import ROOT
from tests.torture.disk.events import Event, Kind
from tests.torture.disk.images import Kept
from tests.torture.disk.media import Simulated
from tests.torture.disk.platters import Platter
from tests.torture.disk.scenarios import SCENARIOS
from tests.torture.disk.trial import Report, Trial

SECONDS = float(os.environ.get("BESEDKA_POWER_CUT_SECONDS", "10")) if LONG else 1
SEED = int(os.environ.get("BESEDKA_POWER_CUT_SEED", "1"))

SECONDS_A_SYNC: Final = 120
"""How long the power is cut at most to see what a sync is good for; most show it within three seconds, and on a busy machine later."""

SERVERS_FOLDERS: Final = ("serve/history", "serve/directory")
ELSEWHERE: Final = {
    "Audit.open": "serve/directory/test_audit.py: test_what_a_killed_server_has_left_unsynced_is_synced_before_it_counts",
    "Record._mend": "serve/directory/test_files.py: test_a_start_syncs_what_a_killed_server_may_have_left_unsynced",
    "cut_back": "serve/history/test_sync_order.py: test_half_a_batch_is_synced_away_before_the_records_that_show_it_is_half",
    "cut_off": "serve/history/test_sync_order.py: test_a_torn_end_is_on_the_disk_beside_the_log_before_it_is_cut_off",
    "reread_log": "serve/history/test_sync_order.py: test_a_piece_of_another_log_is_on_the_disk_before_its_records_say_so",
    "Message.cover": "serve/history/test_sync_order.py: test_a_tombstone_is_on_the_disk_before_its_checksum_and_before_it_is_broadcast",
    "Index.change": "serve/history/test_sync_order.py: test_a_tombstone_is_on_the_disk_before_its_checksum_and_before_it_is_broadcast",
}
"""Functions whose syncs no scenario misses within its time, and where they are proved instead."""

COVERED: Final = {
    "open_or_create": "a new log's index and epoch sync the same folder before anyone is told; this is for logs without an index",
    "keep_epoch": "the index knows the epoch, too; each of the two makes up for the other",
    "Index._append_synced": "the records of messages that are in the log already are made again from it, if they are lost",
    "Index.sync": "asked for by reread_log and Index._append_synced only",
    "Index.create": "an index that is lost is made again from the log, and the first batch behind a start syncs it",
}
"""Functions whose syncs nobody can miss as long as another one follows, and why they stay."""

EXEMPT: Final = ELSEWHERE.keys() | COVERED.keys()

SYNCS: Final = frozenset({"sync", "fsync", "fdatasync"})


def trial(folder: Path, scenario: str, left_out: str = "") -> Report:
    """Run one, with a sync left out perhaps, until that is noticed."""
    folder.mkdir()
    seconds = SECONDS_A_SYNC if left_out else SECONDS
    return Trial(Simulated(left_out), scenario, SEED, folder).run(seconds, until_problem=bool(left_out))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_was_acknowledged_outlives_simulated_power_cuts(tmp_path: Path, scenario: str) -> None:
    report = trial(tmp_path / "trial", scenario)
    print(json.dumps(asdict(report), ensure_ascii=False))  # noqa: T201 - figures for docs/reliability.md
    assert report.problems == []
    assert report.people == []
    assert report.stored > 0
    assert report.refused > 0 or scenario != "full"
    assert report.redacted > 0 or scenario != "cut"
    assert report.shared > 0 or not LONG


def test_each_sync_is_missed_when_it_is_left_out(tmp_path: Path) -> None:
    """The syncs are those that servers are seen to do; by what it was noticed that one was left out is printed."""
    # Before any other thread is there: two that parse at the same time may disturb each other (CPython 3.11).
    written = set(written_syncs())
    scenarios = SCENARIOS if LONG else ["cut"]
    reports = {scenario: trial(tmp_path / scenario, scenario) for scenario in scenarios}
    seen = {sync for report in reports.values() for sync in report.syncs if not EXEMPT & {*sync.split()}}
    most = max(seen, key=lambda sync: sum(report.syncs.get(sync, 0) for report in reports.values()))
    unseen = written - {name for sync in seen for name in sync.split()}
    assert not LONG or unseen <= EXEMPT
    unnoticed = []
    for sync in sorted(seen) if LONG else [most]:
        problem = first_problem(tmp_path, sync, reports)
        print(f"{sync}: {problem or 'NOBODY MISSES IT'}", flush=True)  # noqa: T201 - the list for docs/reliability.md
        unnoticed += [] if problem else [sync]
    assert unnoticed == []


def first_problem(folder: Path, left_out: str, reports: dict[str, Report]) -> str:
    """The first fault that is found when a sync is left out, with its scenario; empty if there is none."""
    times = {scenario: report.syncs.get(left_out, 0) for scenario, report in reports.items()}
    for scenario in sorted((one for one in times if times[one]), key=lambda one: -times[one]):
        place = Path(tempfile.mkdtemp(dir=folder))
        report = trial(place / "trial", scenario, left_out)
        if problems := [*report.problems, *report.people]:
            return f"{scenario}: {problems[0].splitlines()[0]}"
    return ""


def test_an_older_name_means_the_older_file_although_its_inode_was_given_to_another() -> None:
    platter = Platter()
    for event in (
        Event(Kind.CREATE, 7, name="a"),
        Event(Kind.APPEND, 7, 0, b"old"),
        Event(Kind.SYNC, 7, 3),
        Event(Kind.SYNC_FOLDER, 1),
        Event(Kind.UNLINK, 0, name="a"),
        Event(Kind.CREATE, 7, name="b"),
        Event(Kind.APPEND, 7, 0, b"new"),
    ):
        platter.apply(event)
    left = {kept: platter.left(kept, Random(0)) for kept in (Kept.NONE, Kept.ALL)}
    contents = {
        kept: {name: bytes(one.files[number].content) for name, number in one.names.items()}
        for kept, one in left.items()
    }
    assert contents == {Kept.NONE: {"a": b"old"}, Kept.ALL: {"b": b"new"}}


def written_syncs() -> Iterator[str]:
    """The functions of the server that sync something, by their qualified names."""
    for folder in SERVERS_FOLDERS:
        for path in (ROOT / "besedka" / folder).rglob("*.py"):
            yield from _syncing(ast.parse(path.read_text(encoding="utf-8")), "")


def _syncing(tree: ast.AST, prefix: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from _syncing(node, f"{prefix}{node.name}.")
        elif any(_is_sync(one) for one in ast.walk(node)):
            yield prefix.removesuffix(".")


def _is_sync(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SYNCS
