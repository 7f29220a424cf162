"""The manual pages are those of the commands as they are, and say all that their help says."""

from __future__ import annotations

import runpy
from typing import Final

import pytest

from tests.running import ROOT

FOLDER: Final = ROOT / "data" / "share" / "man" / "man1"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The pages as they would be made now."""
    made: dict[str, str] = runpy.run_path(str(ROOT / "tools" / "make_man.py"))["pages"]()
    return made


def test_the_pages_are_those_of_the_commands(pages: dict[str, str]) -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert written == pages, "run `make man`"


def test_each_command_has_a_page_with_options_examples_and_exit_statuses(pages: dict[str, str]) -> None:
    assert {"besedka.1", "besedka-serve.1", "besedka-send.1", "besedka-admin-ban.1"} <= pages.keys()
    for text in pages.values():
        assert ".SH NAME" in text
        assert ".SH EXIT STATUS" in text
    assert "make 2>&1 | besedka send \\-\\-lines" in pages["besedka-send.1"]
    assert "BESEDKA_PORT" in pages["besedka-serve.1"]


def test_no_line_of_text_is_a_request_of_roff(pages: dict[str, str]) -> None:
    requests = {".TH", ".SH", ".PP", ".TP", ".B", ".nf", ".fi"}
    for text in pages.values():
        begins = {line.split(" ")[0] for line in text.splitlines() if line.startswith((".", "'"))}
        assert begins <= requests
