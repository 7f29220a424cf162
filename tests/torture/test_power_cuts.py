"""Power cuts that are real to a file system: what was told outlives them, whatever the disk kept of what was not flushed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lengths import LONG
from tests.running import ROOT
from tests.torture.disk.namespace import UNSHARE, missing
from tests.torture.disk.scenarios import SCENARIOS
from tests.torture.disk.volumes import FILE_SYSTEMS

SECONDS = float(os.environ.get("BESEDKA_POWER_CUT_SECONDS", "10")) if LONG else 1
"""How long the power is cut on each file system in each scenario; at least one life of a disk, and a dozen images of it."""

SEED = int(os.environ.get("BESEDKA_POWER_CUT_SEED", "1"))
CASES = [(system, scenario) for system in FILE_SYSTEMS for scenario in SCENARIOS]
SLICE = [("ext4-writeback", "kill")]


def trial(program: str, *what: str, folder: Path) -> dict[str, Any]:
    """Run one in namespaces of its own; what it reports."""
    if lacking := missing():
        pytest.fail(f"this proof needs {lacking}; `make test` gets it, or leaves the proof out and says so")
    command = (sys.executable, "-m", f"tests.torture.disk.{program}", *what)
    done = subprocess.run(
        [*UNSHARE, *command, str(SECONDS), str(SEED), folder],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=SECONDS + 180,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize(("system", "scenario"), CASES if LONG else SLICE)
def test_what_was_acknowledged_outlives_power_cuts(tmp_path: Path, system: str, scenario: str) -> None:
    report = trial("trial", system, scenario, folder=tmp_path)
    print(json.dumps(report))  # noqa: T201 - figures for docs/reliability.md
    assert report["problems"] == []
    assert report["people"] == []
    assert report["cuts"] > 0
    assert report["stored"] > 0
    assert report["refused"] > 0 or scenario != "full"
    assert report["redacted"] > 0 or scenario != "cut"
    assert report["shared"] > 0 or not LONG
    assert len(report["unmountable"]) < report["images"] / 4


@pytest.mark.parametrize("system", FILE_SYSTEMS if LONG else ["ext4"])
def test_nothing_is_taken_for_synced_while_a_disk_fails_for_a_moment(tmp_path: Path, system: str) -> None:
    report = trial("syncing", system, folder=tmp_path)
    print(system, json.dumps(report))  # noqa: T201 - figures for docs/reliability.md
    assert report["lost"] == 0
    assert report["stored"] > 0
    assert report["noticed"] > 0 or not LONG
