"""A server is killed at the system calls by which it redacts a message: the next start leaves the old state or the new one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from besedka.serve.chat import Chat
from besedka.serve.history import ChatHistory
from besedka.serve.history.verifying.verdict import judge
from besedka.serve.settings import Settings
from besedka.wire.log_line import read_line, tombstone, write_line, written_bytes
from besedka.wire.message import Message
from tests import looping
from tests.lengths import LONG
from tests.running import ROOT

TEXTS = ["the first one", "a secret\nof three lines,\nто есть трёх", "the last one"]
ALL_CALLS = ["openat", "write", "pwrite64", "fdatasync", "flock", "close"]


def redact(folder: Path, number: int, call: str, when: int) -> bool:
    """Have a server redact a message, and kill it when a thread is about to make this call; whether it came so far."""
    files = [folder / name for name in ("audit.txt", "chat_history.txt", "chat_history.txt.index")]
    done = subprocess.run(
        [
            *("strace", "-f", "-qq", "-o", str(folder / "trace")),
            *(option for path in files for option in ("-P", str(path))),
            *("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={when}"),
            *(sys.executable, "-m", "tests.torture.redacting", str(folder), str(number)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in {0, -signal.SIGKILL, 128 + signal.SIGKILL}, done.stderr
    return done.returncode != 0


def fill(folder: Path) -> str:
    """Make a history; its epoch."""
    folder.mkdir()
    history = ChatHistory.open(folder / "chat_history.txt")
    for text in TEXTS:
        history.append([write_line(Message("2026-11-20 17:00:00", "Anna", text))])
    epoch = history.epoch
    history.close()
    return epoch


async def start(folder: Path) -> None:
    """Recovery by the next server."""
    chat = Chat(Settings(history=folder / "chat_history.txt", utc=True))
    await chat.start()
    await chat.close()


def check(folder: Path, number: int, epoch: str) -> bool:
    """All is as it was, or the message is redacted; whether it is."""
    path = folder / "chat_history.txt"
    looping.run(start(folder))
    history = ChatHistory.open_to_read(path)
    texts = [read_line(history.read(one, 1)[0]).text for one in range(1, history.count + 1)]
    assert history.epoch == epoch
    history.close()
    assert judge(path).problem == ""
    assert list(folder.glob("*.torn-*")) == []
    redacted = list(TEXTS)
    redacted[number - 1] = tombstone(written_bytes(TEXTS[number - 1]))
    is_noted = " redact " in (folder / "audit.txt").read_text("utf-8")
    assert texts == (redacted if is_noted else TEXTS)
    return is_noted


@pytest.mark.parametrize("call", ALL_CALLS if LONG else ["pwrite64", "fdatasync"])
def test_a_kill_at_any_call_leaves_the_old_state_or_the_new_one(tmp_path: Path, call: str) -> None:
    if shutil.which("strace") is None:
        pytest.fail("this proof needs strace; `make test` gets it, or leaves the proof out and says so")
    kills = 0
    for number in (1, 2, 3) if LONG else (1,):
        for when in count(1):
            folder = tmp_path / f"{number}-{when}"
            epoch = fill(folder)
            was_killed = redact(folder, number, call, when)
            is_redacted = check(folder, number, epoch)
            if not was_killed:
                assert is_redacted
                break
            kills += 1
    assert kills
    print(f"{kills} kills at {call}")  # noqa: T201 - a figure for docs/reliability.md
