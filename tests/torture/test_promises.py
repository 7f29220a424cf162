"""The promises of a running history: delivered only after written, never blocked, never more than it can hold."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.files.file_system import FileSystem
from besedka.serve.history import ChatHistory
from besedka.serve.history.verifying.verdict import judge
from besedka.wire.log_line import write_line
from besedka.wire.message import Message
from tests.blackbox.test_how_the_server_is import figures
from tests.clocks import BENT
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.running import RunningServer
from tests.talking import WireClient
from tests.torture.holding import FAULTY, Hold, until_it_waits
from tests.torture.tracing import end_traced, start_traced

SHARED_ALWAYS: Final = json.dumps(
    {
        "besedka.serve.files.file_system.PENDING_AT_MOST": 1 << 40,
        "besedka.serve.files.file_system.AVOIDED_SECONDS": 0,
    }
)
"""The `CONSTANTS` of a server whose rooms share syncs whatever else is going on."""


def test_pings_are_answered_while_a_sync_does_not_return(make_server: ServerMaker, hold: Hold) -> None:
    server = make_server(module=FAULTY, FAULTS=json.dumps(hold.faults)).start()
    with WireClient(server) as anna, connect(server.url()) as other:
        anna.join("Anna")
        anna.receive("system")
        hold.hold()
        anna.send_frame("chat", text="slowly")
        until_it_waits(server)
        for _ in range(20):
            assert other.ping().wait(60)
        assert anna.receives_nothing()
        hold.let_go()
        assert anna.receive("chat")["text"] == "slowly"


def test_a_slow_disk_holds_senders_back_instead_of_filling_memory(
    make_server: ServerMaker, hold: Hold
) -> None:
    server = make_server("--rate", "0", module=FAULTY, FAULTS=json.dumps(hold.faults)).start()
    frame = json.dumps({"type": "chat", "text": "x" * 5000})

    def blast() -> None:
        with suppress(ConnectionClosed), connect(server.url(), max_size=None) as socket:
            socket.send(json.dumps({"type": "join", "user": threading.current_thread().name}))
            for _ in range(20_000):
                socket.send(frame)

    memory = psutil.Process(server.pid).memory_info
    with WireClient(server) as reader:
        reader.join("Reader")
        before = memory().rss
        blasters = [threading.Thread(target=blast, name=f"b{number}", daemon=True) for number in range(8)]
        hold.hold()
        for blaster in blasters:
            blaster.start()
        until_it_waits(server)
        taken, peak = -1.0, 0
        # Until nothing more is taken of what they send without a pause.
        while (now := figures(server)["besedka_bytes_received_total"]) != taken:
            taken, peak = now, max(peak, memory().rss)
            for _ in range(5):
                reader.ask("rooms")
        assert taken < 8 * 20_000 * len(frame) / 10
        hold.let_go()
        reader.send_frame("chat", text="heard all the same")
        reader.receive_until(lambda frame: "heard all the same" in json.dumps(frame))
    server.kill()
    for blaster in blasters:
        blaster.join(60)
    assert peak - before < 40 * 1024 * 1024


@pytest.mark.parametrize(("rooms", "each", "at_once"), [(1, 300, 300), (12, 50, 1)])
def test_nothing_is_delivered_before_the_sync_that_covers_it_has_returned(
    make_server: ServerMaker, tmp_path: Path, rooms: int, each: int, at_once: int
) -> None:
    """Under strace: for each message, the first write to a socket comes after the sync behind its write to the log.

    In one room many messages share a sync; in many rooms, where people say one at a time, many logs do.
    """
    server = make_server("--rate", "0", module=BENT, CONSTANTS=SHARED_ALWAYS)
    trace = start_traced(server, tmp_path)
    senders = 12

    def talk(number: int) -> None:
        with WireClient(server) as client:
            room = f"room{number % rooms}"
            client.join(f"s{number}", room)
            for begin in range(0, each, at_once):
                for count in range(begin, begin + at_once):
                    client.send_frame("chat", room=room, text=f"<{number}.{count}>")
                receive(client, f"<{number}.{begin + at_once - 1}>")

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    order = end_traced(server, trace)
    assert order.early == []
    assert len(order.delivered) == senders * each
    with (tmp_path / "here").open("wb") as file:
        can_share = FileSystem(Descriptor.of(os.dup(file.fileno()))).syncs_together
    assert (order.shared > 0) is (can_share and rooms > 1)


def receive(client: WireClient, text: str) -> None:
    """Receive all up to a text."""
    client.receive_until(lambda frame: text in json.dumps(frame))


def test_verify_finds_every_change_of_a_single_byte(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    lines = [
        write_line(Message("2025-11-19 23:46:36", f"u{n % 7}", f"message {n}\nза n" * (1 + n % 3)))
        for n in range(300)
    ]
    for start in range(0, 300, 10):
        history.append(lines[start : start + 10])
    history.close()
    whole = path.read_bytes()
    assert judge(path).problem == ""
    starts = [0]
    for one in lines:
        starts.append(starts[-1] + len(one.encode()) + 1)
    for _ in range(10_000 if LONG else 300):
        position = random.randrange(len(whole))
        byte = whole[position] ^ random.randrange(1, 256)
        path.write_bytes(whole[:position] + bytes([byte]) + whole[position + 1 :])
        changed = next(number for number, start in enumerate(starts) if start > position)
        named = re.search(r"message (\d+)", judge(path).problem)
        assert named, (position, byte)
        # A message whose first line is no first line any more belongs to the one above it.
        assert int(named[1]) in {changed, changed - 1}, (position, byte)


def test_the_copy_of_a_history_in_use_is_a_history(server: RunningServer, tmp_path: Path) -> None:
    with WireClient(server) as anna:
        anna.join("Anna")
        for number in range(300):
            anna.send_frame("chat", text=f"message {number}\nsecond line")
            if number % 30 == 0:
                copy = tmp_path / f"copy{number}.txt"
                shutil.copy(server.history, copy)
                opened = ChatHistory.open(copy)
                assert [line.split(": ")[1] for line in opened.read(1, 1000)] == [
                    f"message {n}\n\tsecond line" for n in range(opened.count)
                ]
                opened.close()
        anna.receive_to(300)


def test_a_log_that_is_rotated_away_is_followed_by_a_new_one(server: RunningServer) -> None:
    tail = subprocess.Popen(
        ["tail", "-n", "+1", "-F", str(server.history)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with WireClient(server) as anna, WireClient(server, "/") as old:
        epoch = anna.join("Anna")["epoch"]
        anna.send_frame("chat", text="before")
        anna.receive_to(1)
        server.history.rename(server.directory / "chat_history.txt.1")
        anna.send_frame("chat", text="after")
        again = anna.receive("welcome")
        assert again["reset"] is True
        assert again["epoch"] != epoch
        assert anna.receive_to(1) == [1]
        anna.send_frame("chat", text="and on")
        assert anna.receive("chat")["id"] == 2
        heard = [old.receive("chat")["text"] for _ in range(2)]
        assert heard == ["before", "and on"]
        with WireClient(server) as boris:
            assert boris.join("Boris", since=1, epoch=epoch)["reset"] is True
    assert [line.rsplit(": ")[-1] for line in server.lines] == ["after", "and on"]
    assert (server.directory / "chat_history.txt.1").read_text().endswith("Anna: before\n")
    assert tail.stdout
    assert [tail.stdout.readline().rsplit(": ")[-1] for _ in range(3)] == ["before\n", "after\n", "and on\n"]
    tail.terminate()
    assert not tail.communicate()[0]


def test_a_resend_after_kill_9_is_recognised_and_the_same_words_on_purpose_are_not(
    server: RunningServer,
) -> None:
    with WireClient(server) as anna:
        anna.join("Anna")
        for key in ("k1", "k2"):
            anna.send_frame("chat", text="+1", key=key)
        anna.receive_to(2)
    server.kill()
    server.start()
    with WireClient(server) as anna:
        anna.join("Anna", since=0)
        anna.receive("history")
        for key in ("k1", "k2", "k3"):
            anna.send_frame("chat", text="+1", key=key, after=0)
        acknowledged = [(frame["id"], frame["key"]) for frame in (anna.receive("chat") for _ in range(3))]
        assert acknowledged == [(1, "k1"), (2, "k2"), (3, "k3")]
    assert len(server.lines) == 3


def test_a_lost_history_ends_the_server_within_a_second_and_says_why(make_server: ServerMaker) -> None:
    plan = {"call": "fdatasync", "at": 3, "errno": "EIO"}  # the first sync is that of the start
    server = make_server("--lang", "en", module=FAULTY, FAULTS=json.dumps(plan)).start()
    with WireClient(server) as anna, WireClient(server) as boris:
        anna.join("Anna")
        boris.join("Boris")
        anna.send_frame("chat", text="one", key="k1")
        anna.receive_to(1)
        anna.send_frame("chat", text="two", key="k2")
        started = time.monotonic()
        refusal = anna.receive("error")
        assert (refusal["code"], refusal["key"]) == ("not_stored", "k2")
        assert server.wait() == 1
        assert time.monotonic() - started < 1.5
        heard = [frame["text"] for frame in iter_frames(boris) if frame["type"] == "chat"]
        assert heard == ["one"]
    assert server.errors.splitlines()[-1].endswith("cannot be written any more: input/output error")


def iter_frames(client: WireClient) -> list[dict[str, object]]:
    frames = []
    with suppress(ConnectionClosed):
        while True:
            frames.append(client.receive())
    return frames


def test_readers_go_on_while_the_disk_is_full_and_writing_resumes_by_itself(make_server: ServerMaker) -> None:
    plan = {"call": "write", "at": 2, "times": 3, "errno": "ENOSPC"}
    server = make_server("--lang", "en", module=FAULTY, FAULTS=json.dumps(plan)).start()
    with WireClient(server) as anna:
        anna.join("Anna")
        anna.send_frame("chat", text="one")
        anna.receive_to(1)
        for number in range(3):
            anna.send_frame("chat", text="no room", key=f"k{number}")
            assert anna.receive("error")["code"] == "storage_full"
            anna.send_frame("history", before=2)
            assert len(anna.receive("history")["messages"]) == 1
        anna.send_frame("chat", text="two")
        assert anna.receive("chat")["id"] == 2
    assert [line.rsplit(": ")[-1] for line in server.lines] == ["one", "two"]


def test_a_real_limit_of_the_file_size_leaves_no_half_line(make_server: ServerMaker) -> None:
    limit = 4096
    server = make_server("--lang", "en", module="tests.torture.limited_server", LIMIT=str(limit)).start()
    with WireClient(server) as anna:
        anna.join("Anna")
        codes = set()
        for number in range(100):
            anna.send_frame("chat", text=f"message {number} {'x' * 100}", key=f"k{number}")
            frame = anna.receive_until(lambda frame: frame["type"] in {"chat", "error"})[-1]
            codes.add(frame.get("code", "stored"))
    assert codes == {"stored", "storage_full"}
    assert server.history.stat().st_size <= limit
    assert server.history.read_bytes().endswith(b"x\n")
    assert server.stop() == 0


def test_files_are_private(server: RunningServer) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", "dev")
        anna.send_frame("chat", room="dev", text="psst")
        anna.receive("chat")
    for path in server.directory.glob("chat_history*"):
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert (server.directory / "chat_history.dev.txt.index").exists()
