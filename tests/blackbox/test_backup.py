"""docs/backup.md: a chat is copied while it runs, and an older copy takes its place."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests import prefork
from tests.conftest import ServerMaker
from tests.running import ROOT, RunningServer
from tests.talking import WireClient

ANNA: Final = "the secret of Anna"
BORIS: Final = "the secret of Boris"
LOGS: Final = ("chat_history.txt", "chat_history.dev.txt")


def command(heading: str) -> str:
    """The last command that the document shows under a heading."""
    text = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"```bash\n(.*?)\n```", section, re.DOTALL)
    return str(block).splitlines()[-1]


def run(line: str, folder: Path) -> None:
    subprocess.run(["sh", "-c", line], cwd=folder, check=True)


def post(server: RunningServer, *texts: str) -> None:
    """Post messages as Boris."""
    with WireClient(server) as boris:
        boris.join("Boris", secret=BORIS)
        boris.say_many([*texts])


@contextmanager
def posting(server: RunningServer, room: str) -> Iterator[None]:
    """Have somebody post without a pause, one message after the other, some of them of two lines."""
    is_over, has_begun = threading.Event(), threading.Event()

    def post_on() -> None:
        with WireClient(server, max_queue=None) as clara:
            head = clara.join(f"Clara in {room}", room)["head"]
            while not is_over.is_set():
                head += 1
                clara.send_frame(
                    "chat", room=room, text=f"message {head}" + "\nof two lines" * (head % 3 == 0)
                )
                clara.receive_to(head)
                has_begun.set()

    thread = threading.Thread(target=post_on)
    thread.start()
    has_begun.wait()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_a_copy_of_a_running_chat_is_a_chat_of_which_only_the_last_messages_may_lack(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    (tmp_path / "chat").mkdir()
    server = make_server("--rate", "0", directory=tmp_path / "chat").start()
    with WireClient(server) as anna:
        epoch = anna.join("Anna", secret=ANNA)["epoch"]
    copies = [tmp_path / f"chat-{number}" for number in range(4)]
    with posting(server, "main"), posting(server, "dev"):
        for number, _ in enumerate(copies):
            run(command("Backup").replace("$(date +%F)", str(number)), server.directory)
    server.stop()
    for copy in copies:
        copied = make_server("--lang", "en", directory=copy).start()
        with WireClient(copied) as anna, WireClient(copied) as stranger:
            assert anna.join("Anna", secret=ANNA)["epoch"] == epoch
            assert stranger.refused("join", room="main", user="Anna") == "name_claimed"
            anna.join("Anna", "dev", secret=ANNA)
        assert copied.stop() == 0
        for log in LOGS:
            assert prefork.run_as_text(["verify", log], cwd=copy).returncode == 0
            assert (copy / log).read_bytes()
            assert (server.directory / log).read_bytes().startswith((copy / log).read_bytes())


def test_after_an_older_copy_has_taken_the_place_of_a_chat_readers_start_again_and_miss_nothing(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    server = make_server("--rate", "0", directory=tmp_path).start()
    post(server, "one", "two")
    older = tmp_path / "older"
    shutil.copytree(tmp_path, older, ignore=shutil.ignore_patterns("*.admin", "older"))
    post(server, "three", "four", "five")
    with WireClient(server) as anna:
        seen = anna.join("Anna", secret=ANNA)
    for second in ("1", "2"):
        server.stop()
        shutil.copytree(older, tmp_path, dirs_exist_ok=True)
        run(command("Restore").replace("$(date +%s)", second), tmp_path)
        server.start()
        # As many as there were before: going by its id alone, Anna has read all of them.
        post(server, "new three", "new four", "new five")
        with WireClient(server) as anna:
            welcome = anna.join("Anna", secret=ANNA, since=seen["head"], epoch=seen["epoch"])
            assert welcome["reset"] is True
            assert anna.receive_to(5) == [1, 2, 3, 4, 5]
        seen = welcome
