"""Floods: of connections, of frames, of questions, and of answers that nobody reads."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, closing, suppress

import psutil

from tests.attacks.raw import CONTINUATION, LAST, PING, TEXT, Raw, frame, handshake, opened
from tests.blackbox.test_fair_input import STRANGERS
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import Talker

IMPATIENT = "tests.torture.impatient_server"


def talk(talker: Talker, seconds: float, room: str = "main") -> float:
    """Say things for so long, one when the last was heard; returns the longest wait."""
    longest = 0.0
    until = time.monotonic() + seconds
    while (begun := time.monotonic()) < until:
        talker.tell("chat", text=f"{begun}", room=room)
        assert talker.hear("chat")["text"] == f"{begun}"
        longest = max(longest, time.monotonic() - begun)
        time.sleep(0.02)  # who says too much is refused
    return longest


def patience_of(server: RunningServer) -> float:
    """How long a message may take meanwhile, in seconds: what it takes on a machine that is busy with other things is not our affair."""
    with Talker(server) as quiet:
        quiet.join("Quiet", "quiet")
        return max(1.0, 10 * talk(quiet, 0.5, "quiet"))


def test_a_flood_of_connections_from_one_address_keeps_nobody_else_out(make_server: ServerMaker) -> None:
    """Behind the limit each is told so and cut; who comes from elsewhere comes in, and all is given back afterwards."""
    server = make_server("--connections-per-address", "100", module=STRANGERS).start()
    process = psutil.Process(server.pid)
    patience = patience_of(server)
    before = process.num_fds()  # with the files of the room that is still open
    with ExitStack() as open_ones:
        flood = [open_ones.enter_context(closing(Raw(server, "127.0.0.2").socket)) for _ in range(1_000)]
        for connection in flood:
            connection.sendall(handshake())
        answers = [connection.recv(12) for connection in flood]
        assert answers.count(b"HTTP/1.1 101") == 100
        assert answers.count(b"HTTP/1.1 429") == 900
        with Talker(server, source_address=("127.0.0.3", 0)) as other, Talker(server) as own:
            other.join("Other")
            own.join("Own")
            assert talk(other, 0.2) < patience
        deadline = time.monotonic() + 60
        while process.num_fds() > before + 110:
            assert time.monotonic() < deadline, "those who were told so are not cut"
            time.sleep(0.1)
    while process.num_fds() > before:
        assert time.monotonic() < deadline + 60
        time.sleep(0.1)


def test_floods_of_pings_and_of_fragments_without_end_are_sent_away(make_server: ServerMaker) -> None:
    """Frames that say nothing are read at a pace, and who does not stop is ended with 1008; others go on talking."""
    impatience = json.dumps({"FLOOD_SECONDS": 2.0})
    server = make_server(module=IMPATIENT, IMPATIENCE=impatience).start()
    memory = psutil.Process(server.pid).memory_info
    with Talker(server) as bystander, ExitStack() as open_ones:
        bystander.join("Bystander")
        patience = patience_of(server)
        before = memory().rss
        floods = [frame(LAST | PING, b"x" * 100), frame(CONTINUATION), frame(LAST | TEXT, b"{}")]
        attackers = [open_ones.enter_context(opened(server, path)) for path in (b"/", b"/ws") for _ in floods]
        for number, attacker in enumerate(attackers):
            one = floods[number % len(floods)]
            attacker.socket.setblocking(False)
            begin = frame(TEXT, b"{") if one == floods[1] else b""
            with suppress(BlockingIOError):  # not all of it is taken, as it should be
                attacker.socket.sendall(begin + one * 20_000)
        assert talk(bystander, 4.0) < patience
        assert memory().rss - before < 16 << 20
        for attacker in attackers:
            attacker.socket.settimeout(60)
            codes = attacker.closing()
            assert codes in {0, 1008}
        assert b'besedka_endings_total{code="1008"} 6.0' in metrics(server)


def metrics(server: RunningServer) -> bytes:
    with Raw(server) as raw:
        raw.say(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return raw.hear_all()


def test_questions_whose_answers_nobody_reads_fill_no_memory(make_server: ServerMaker) -> None:
    """Who asks for page after page and never reads is not listened to any more; others go on talking."""
    line = "[2025-01-01 00:00:00] Old: " + "x" * 500 + "\n"
    server = make_server("--rate", "0")
    server.history.write_text(line * 2_000)
    server.start()
    with Talker(server) as bystander:
        bystander.join("Bystander")
        patience = patience_of(server)
        before = psutil.Process(server.pid).memory_info().rss
        ask = b'{"type":"history","before":2000,"limit":500}'
        deaf = [opened(server, receive_buffer=8_192) for _ in range(10)]
        for raw in deaf:
            raw.socket.settimeout(0.1)
            raw.say(frame(LAST | TEXT, b'{"type":"join"}'))
            with suppress(TimeoutError):  # it is not listened to
                raw.socket.sendall(frame(LAST | TEXT, ask) * 50_000)
        assert talk(bystander, 1.0) < patience
        assert psutil.Process(server.pid).memory_info().rss - before < 32 << 20
        for raw in deaf:
            raw.socket.close()


def test_pages_that_nobody_reads_fill_no_memory(make_server: ServerMaker) -> None:
    """The same over plain HTTP: a history of 20 MB is asked for fifty times, and not one byte of it is read."""
    line = "[2025-01-01 00:00:00] Old: " + "x" * 500 + "\n"
    server = make_server()
    server.history.write_text(line * 40_000)
    server.start()
    with Talker(server) as bystander, ExitStack() as open_ones:
        bystander.join("Bystander")
        patience = patience_of(server)
        before = psutil.Process(server.pid).memory_info().rss
        for _ in range(50):
            raw = open_ones.enter_context(Raw(server, receive_buffer=8_192))
            raw.say(b"GET /history.txt HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10)
        assert talk(bystander, 1.0) < patience
        assert psutil.Process(server.pid).memory_info().rss - before < 64 << 20
