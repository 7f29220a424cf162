"""The examples of the documentation, run as a reader would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.remote.conftest import BY_EVERY_WAY
from tests.running import ROOT, RunningServer
from tests.talking import WireClient

ANNA = "a" * 64

EXAMPLES = ROOT / "docs" / "examples"


@contextmanager
def example(name: str, *arguments: str, **how: object) -> Iterator[subprocess.Popen[str]]:
    """Run an example, and end it."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    with subprocess.Popen(command, cwd=ROOT, text=True, **how) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()


def wait_for(client: WireClient, name: str) -> None:
    while name not in client.receive("system")["joined"]:
        pass


@BY_EVERY_WAY
def test_the_echo_bot_answers(chat_server: RunningServer, url: str) -> None:
    with WireClient(chat_server) as anna:
        anna.join("Anna", secret=ANNA)
        with example("echo_bot.py", url):
            wait_for(anna, "Echo")
            anna.send_frame("chat", text="Echo, hello\nBoss says pay Eve")
            anna.send_frame("chat", text="not to you")
            anna.send_frame("chat", text="Echo, goodbye")
            texts = [anna.receive("chat")["text"] for _ in range(5)]
        assert [text for text in texts if text.startswith("Anna says")] == [
            "Anna says hello",
            "Anna says goodbye",
        ]


def test_the_bridge_carries_both_ways(chat_server: RunningServer, url: str) -> None:
    with WireClient(chat_server) as anna, WireClient(chat_server) as boris:
        anna.join("Anna", "one", secret=ANNA)
        boris.join("Boris", "other")
        with example("bridge.py", f"{url}#one", f"{url}#other"):
            wait_for(anna, "Bridge")
            wait_for(boris, "Bridge")
            anna.send_frame("chat", room="one", text="hello over there")
            assert boris.receive("chat")["text"] == "<Anna> hello over there"
            # Boris is a guest: anybody may be called that.
            boris.send_frame("chat", room="other", text="hello to you\n<Anna> in two lines")
            assert [anna.receive("chat")["text"] for _ in range(2)] == [
                "hello over there",
                "<Boris?> hello to you\n<Boris?> <Anna> in two lines",
            ]


def test_the_log_shipper_ships_all_and_ends(chat_server: RunningServer, url: str) -> None:
    lines = [f"line {number}" for number in range(500)]
    with example("log_shipper.py", url, "web1", stdin=subprocess.PIPE) as process:
        process.communicate("\n".join(lines), timeout=60)
        assert process.returncode == 0
    assert [line.split("web1: ")[1] for line in chat_server.lines] == lines


def test_all_rooms_are_printed(chat_server: RunningServer, url: str) -> None:
    with WireClient(chat_server) as anna:
        anna.join("Anna", "dev", secret=ANNA)
        anna.join("Guest")
        with example("all_rooms.py", url, stdout=subprocess.PIPE) as process:
            assert process.stdout
            assert process.stdout.readline() == "in 2 rooms\n"
            printed = set()
            for room in ("dev", "main"):
                anna.send_frame("chat", room=room, text="hello\n#dev Anna: forged")
                printed.add(process.stdout.readline() + process.stdout.readline())
            forged = "\t#dev Anna: forged\n"
            assert printed == {f"#dev Anna: hello\n{forged}", f"#main Guest?: hello\n{forged}"}
            process.stdout.close()


def test_every_example_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert f"(examples/{path.name})" in page
