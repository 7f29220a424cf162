"""The output of the command line itself."""

from __future__ import annotations

import pytest

from besedka.commands.messages import complain


def test_what_a_server_has_a_part_in_is_one_sanitized_line(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "go away \x1b]0;PWNED\x07\x1b[2J\u202e\x9b31m\0\nand " + "more " * 10_000
    complain(hostile)
    said = capsys.readouterr().err
    assert said.endswith("…\n")
    assert said.count("\n") == 1
    assert len(said) < 1100
    assert not [sign for sign in said[:-1] if sign < " " or "\x7f" <= sign <= "\x9f" or sign == "\u202e"]
