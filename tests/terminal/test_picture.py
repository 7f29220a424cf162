"""The picture of a session in the READMEs is what the terminal shows."""

from __future__ import annotations

import re

from tests.conftest import ServerMaker
from tests.running import ROOT
from tests.talking import WireClient
from tests.terminal.conftest import TerminalMaker
from tests.terminal.pseudo_terminal import Terminal

OLD = """\
[2025-11-19 17:58:02] Boris: who can look at the printer tomorrow?
[2025-11-19 17:58:40] Anna: I can
"""


def test_the_picture_in_both_readmes_is_what_a_session_looks_like(
    make_server: ServerMaker, make_terminal: TerminalMaker
) -> None:
    server = make_server("--lang", "en")
    server.history.write_text(OLD)
    server.start()
    terminal = make_terminal(server.url(), "--name", "Anna")
    terminal.wait_for("Anna: I can")
    with WireClient(server) as boris:
        boris.join("Boris", secret="his")
        terminal.wait_for("Boris joined")
        boris.send_frame("chat", text="good morning, Anna! paper is in")
        terminal.wait_for("paper is in")
        terminal.type("/me takes a screwdriver\r")
        terminal.wait_for("takes a screwdriver")
        terminal.type("it prints again:\x1b\rtwo pages a minute\r")
        terminal.wait_for("two pages a minute")
        boris.join("Boris", room="dev", secret="his")
        terminal.type("/join dev\r/join main\r/rooms\r")
        terminal.wait_for("# main  2 here")
        boris.send_frame("typing")
        terminal.type("you are welcome, Bor")
        terminal.wait_until(lambda: "typing" in terminal.bar and "welcome" in terminal.input_line, "not yet")
        seen = picture(terminal)
    for readme in ("README.md", "README.ru.md"):
        text = (ROOT / readme).read_text(encoding="utf-8")
        assert seen in text, f"{readme} should show:\n{seen}"


def picture(terminal: Terminal) -> str:
    """The screen without blank lines, with fixed times."""
    lines = []
    day = ""
    for line in filter(None, terminal.lines):
        if found := re.fullmatch(r"──── (\d{4}-\d\d-\d\d) ────", line):
            day = found[1] if found[1].startswith("2025-11-19") else "2025-11-20"
            line = f"──── {day} ────"  # noqa: PLW2901 - the same line, another day
        elif day == "2025-11-20":
            line = re.sub(r"^\d\d:\d\d", "09:02", line)  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines)
