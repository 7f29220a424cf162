"""Runs the tests of the page's modules, which are written in the page's own language: ``node --test``."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE_AT_LEAST = 18
TESTS = sorted(HERE.glob("*.test.mjs"))


@pytest.fixture(scope="session")
def node() -> str:
    """The node that is there, if it is new enough."""
    path = shutil.which("node")
    if not path:
        pytest.fail(
            f"the page's modules are tested by node, which is not here: install node {NODE_AT_LEAST} or newer"
        )
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"v(\d+)", version)
    if not found or int(found[1]) < NODE_AT_LEAST:
        pytest.fail(
            f"the page's modules are tested by node {NODE_AT_LEAST} or newer, this one is {version.strip()}"
        )
    return path


@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_the_pages_modules_do_what_their_tests_say(node: str, file: Path) -> None:
    done = subprocess.run(
        [node, "--test", str(file)], capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\S pass [1-9]", done.stdout, re.MULTILINE), done.stdout
