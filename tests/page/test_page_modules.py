"""Runs the tests of the page's modules, which are written in the page's own language: ``node --test``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = sorted(HERE.glob("*.test.mjs"))


# It comes from requirements/dev.txt, as everything that the tests need.
NODE = Path(sys.executable).with_name("node")


@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_the_pages_modules_do_what_their_tests_say(file: Path) -> None:
    done = subprocess.run(
        [str(NODE), "--test", str(file)], capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\S pass [1-9]", done.stdout, re.MULTILINE), done.stdout
