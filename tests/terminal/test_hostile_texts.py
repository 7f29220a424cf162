"""A thousand hostile texts and names: no control sequence of theirs reaches the terminal."""

from __future__ import annotations

import itertools
import random
import re

from tests.conftest import ServerMaker
from tests.talking import WireClient
from tests.terminal.conftest import TerminalMaker

SEVEN_BIT = [
    "\x1b]0;pwned\x07",
    "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]52;c;cHduZWQ=\x07",
    "\x1b]4;1;rgb:ff/00/00\x1b\\",
    "\x1b[2J",
    "\x1b[1;1H",
    "\x1b[?1049h",
    "\x1b[?25l",
    "\x1b[31m",
    "\x1b[8m",
    "\x1b[6n",
    "\x1b[c",
    "\x1bP$qm\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gf=100;AAAA\x1b\\",
    "\x1b^private\x1b\\",
    "\x1bc",
    "\x1b7\x1b8",
    "\x1b#8",
    "\x1b(0",
    "\x0e\x0f",
    "\x05",
    "\x07",
    "\x08\x08\x08",
    "\x0b\x0c",
    "\x7f",
    "\x00",
]
EIGHT_BIT = [
    "\x9b2J",
    "\x9d0;pwned\x9c",
    "\x90+q\x9c",
    "\x9f\x9c",
    "\x9e\x9c",
    "\x98\x9c",
    "\x84\x85\x8d",
    "\x8e\x8f",
    "\x9a",
]
DIRECTIONS = [
    "\u202e",
    "\u202d\u202c",
    "\u2066\u2067\u2068\u2069",
    "\u200e\u200f",
    "\u061c",
    "\u2028\u2029",
    "\ufeff",
]
ALL = SEVEN_BIT + EIGHT_BIT + DIRECTIONS

EDGE = "¦"
"""Encloses each hostile part, so that its rendering can be found in the terminal's output."""

NEVER_OURS = (b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX", b"\x1bc", b"\x1b#", b"\x0e", b"\x05", b"\x00")

OUR_STYLES = re.compile(rb"\x1b\[0(?:;[0-9]+)*m")
"""The client's own styles of marks and links: each begins by ending the one before."""


def hostile_texts(count: int) -> list[str]:
    chance = random.Random(20)
    texts = [
        f"{before}{EDGE}{one}{EDGE}{after}"
        for one in ALL
        for before, after in (("", ""), ("before ", " behind"))
    ]
    while len(texts) < count:
        parts = chance.choices(ALL, k=chance.randint(1, 6))
        texts.append(
            f"{EDGE}{EDGE.join(part + chance.choice(('', 'x', ' y', '31m')) for part in parts)}{EDGE}"
        )
    return texts[:count]


def commands_in(data: bytes) -> set[str]:
    """The control characters in the parts that messages have brought."""
    text = data.decode("utf-8", "strict")
    brought = "".join(re.findall(f"(?<={EDGE})[^{EDGE}]*(?={EDGE})", text.replace("\r\n", "\n")))
    return {
        one
        for one in brought
        if (one < " " and one != "\n") or "\x7f" <= one <= "\x9f" or one in "".join(DIRECTIONS)
    }


def assert_sanitized(data: bytes, parts_at_least: int) -> None:
    assert not any("\x1b[0" in one for one in ALL)
    data = OUR_STYLES.sub(b"", data)
    # Wherever two messages meet, the end of the one, what the client writes itself, and the begin of the other are no part.
    inside = b"\n".join(re.findall("¦.*¦".encode(), data.replace(b"\r", b"")))
    assert inside.count("¦".encode()) > parts_at_least
    assert commands_in(inside) == set()
    assert not [one for one in NEVER_OURS if one in data]


def test_a_thousand_hostile_texts_are_sanitized(
    make_server: ServerMaker, make_terminal: TerminalMaker
) -> None:
    server = make_server("--lang", "en", "--rate", "0").start()
    terminal = make_terminal(server.url(), "--name", "Anna")
    terminal.wait_for("You are in # main as Anna.")
    with WireClient(server) as boris:
        boris.join("Boris", secret="his")
        for number, text in enumerate(hostile_texts(1000)):
            boris.send_frame("chat", text=f"{number}:{text}")
            if number % 100 == 99:
                boris.receive_to(number + 1)
                terminal.read(0.01)
        boris.send_frame("chat", text="the last one")
    terminal.wait_for("the last one")
    assert_sanitized(terminal.bytes, 2000)
    # A word that does not fit behind the name begins a row.
    numbers = {int(number) for number in re.findall(r"Boris:\s+(\d+):", "\n".join(terminal.scrollback))}
    assert numbers == set(range(1000))


def test_a_hostile_log_is_sanitized_too(make_server: ServerMaker, make_terminal: TerminalMaker) -> None:
    server = make_server("--lang", "en")
    lines = [
        f"[2025-01-01 00:00:{number % 60:02}] B{EDGE}{name}{EDGE}ris: {text}\n"
        for number, (name, text) in enumerate(zip(itertools.cycle(ALL), hostile_texts(200), strict=False))
        if "\n" not in text
    ]
    server.history.write_text("".join(lines), encoding="utf-8")
    server.start()
    terminal = make_terminal(server.url(), "--name", "Anna")
    terminal.wait_for("You are in # main as Anna.")
    terminal.type("/history 500\r")
    terminal.wait_for("──── now ────")
    terminal.type("/find pwned\r")
    terminal.wait_for("found")
    assert_sanitized(terminal.bytes, 300)


def test_the_check_recognizes_hostile_texts() -> None:
    for one in ALL:
        written = f"\x1b[0;1mBoris: \x1b[0m{EDGE}{one}{EDGE}\r\n".encode()
        assert commands_in(written) or any(bad in written for bad in NEVER_OURS), ascii(one)
