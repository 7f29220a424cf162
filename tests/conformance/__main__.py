"""Runs the Autobahn test suite against the echo server, and judges its report.

``python -m tests.conformance DIRECTORY PORT``: the directory is where tools/conformance.sh has made the suite's virtual
environment and where the reports are left; port 0 takes any free one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import Final

import click

from tests.conformance.verdict import AGENT, CASES, LEFT_OUT, verdict

SUITE_SECONDS_AT_MOST: Final = 900
"""It takes one minute."""


def main(directory: Path, port: int) -> int:
    """Run the suite, print what came of it, and return the exit status."""
    reports, log = directory / "reports", directory / "suite.log"
    rmtree(reports, ignore_errors=True)
    click.echo(
        f"{CASES} cases, about a minute; without {' and '.join(LEFT_OUT)}, as no compression is offered …"
    )
    started = time.monotonic()
    with _echo_server(port) as url:
        _run_suite(directory, url, reports, log)
    report = reports / "index.json"
    if not report.exists():
        click.echo(f"the suite has left no report; see {log}")
        return 1
    status = verdict(report)
    click.echo(f"{time.monotonic() - started:.0f} seconds; each case is told in {reports / 'index.html'}")
    return status


@contextmanager
def _echo_server(port: int) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.conformance.echo_server", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            url = server.stdout.readline().strip()
            if not url:
                sys.exit("the echo server did not start")
            yield url
        finally:
            server.terminate()


def _run_suite(directory: Path, url: str, reports: Path, log: Path) -> None:
    spec = directory / "spec.json"
    servers = [{"agent": AGENT, "url": url}]
    spec.write_text(
        json.dumps({"outdir": str(reports), "servers": servers, "cases": ["*"], "exclude-cases": LEFT_OUT})
    )
    python = directory / "py27" / "bin" / "python"
    command = [str(python), "-m", "autobahntestsuite.wstest", "--mode", "fuzzingclient", "--spec", str(spec)]
    with log.open("w") as output, suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, timeout=SUITE_SECONDS_AT_MOST, check=False
        )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
