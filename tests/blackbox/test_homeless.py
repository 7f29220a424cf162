"""Commands of a user who has no home, as an arbitrary user of a container: they work as for a guest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.commanding import TIMEOUT_SECONDS, Done
from tests.running import ROOT, RunningServer

# As where `getpwuid` knows nobody of this number; a test may not become another user.
UNKNOWN = """\
import pwd
def getpwuid(number): raise KeyError(number)
pwd.getpwuid = getpwuid
from besedka.cli import main
main()"""

HOMES: list[dict[str, str]] = [
    {},
    {"HOME": "/proc"},
    {"XDG_STATE_HOME": "", "XDG_CONFIG_HOME": "relative"},
]


def run(folder: Path, environment: dict[str, str], *arguments: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-c", UNKNOWN, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_every_command_works_as_for_a_guest(server: RunningServer, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for number, environment in enumerate(HOMES, 1):
        said = run(folder, environment, "send", "--url", server.url(), "--name", f"Guest {number}", "hello")
        said.assert_well()
    assert len(server.lines) == len(HOMES)
    (environment, *_) = HOMES
    assert "Guest 1: hello" in run(folder, environment, "tail", "--url", server.url()).assert_well()
    assert "no home folder" in run(folder, environment, "doctor", server.url()).stdout
    assert "Guest 3" in run(folder, environment, "history", str(server.history)).assert_well()
    assert "besedka" in run(folder, environment, "completion", "bash").assert_well()
    kicked = run(folder, environment, "admin", "--history", str(server.history), "mute", "Guest 1")
    assert kicked.status in {0, 4}
    assert "Traceback" not in kicked.stderr
    assert not [*folder.iterdir()]


def test_who_has_no_login_name_either_is_asked_for_one(tmp_path: Path) -> None:
    run(tmp_path, {}, "send", "hello").assert_one_clear_line(2, "give a --name")
