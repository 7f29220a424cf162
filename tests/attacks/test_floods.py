"""Floods: of connections, of frames, of questions, and of answers that nobody reads."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final

import psutil

from besedka.serve.doors.timeouts import CLOSE_SECONDS, FLOOD_SECONDS
from besedka.serve.room.typists import TYPISTS_REPORTED
from tests.attacks.raw import CONTINUATION, LAST, PING, TEXT, Raw, frame, handshake, opened
from tests.blackbox.test_how_the_server_is import figures
from tests.clocks import BENT, SWEPT_OFTEN, Clocks
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.talking import WireClient

AT_MOST_SECONDS: Final = 1.0
"""So long a message may take while somebody floods, where nothing else runs."""


def talk(client: WireClient, messages: int = 20) -> None:
    """Say something, again and again, when the last was heard back: whoever floods keeps nobody from that.

    By the true clock only in `make torture`: on a busy machine time says nothing about the server.
    """
    for number in range(messages):
        begun = time.monotonic()
        client.send_frame("chat", text=f"{number} {begun}")
        assert client.receive("chat")["text"] == f"{number} {begun}"
        assert not LONG or time.monotonic() - begun < AT_MOST_SECONDS


def test_a_flood_of_connections_from_one_address_keeps_nobody_else_out(make_server: ServerMaker) -> None:
    """Behind the limit each is told so and cut; who comes from elsewhere comes in, and all is given back afterwards."""
    server = make_server("--connections-per-address", "100", module=BENT, OWN_ADDRESS="127.0.0.1").start()
    process = psutil.Process(server.pid)
    before = process.num_fds()
    with ExitStack() as open_ones:
        flood = [open_ones.enter_context(closing(Raw(server, "127.0.0.2").socket)) for _ in range(1_000)]
        for connection in flood:
            connection.sendall(handshake())
        answers = [connection.recv(12) for connection in flood]
        assert answers.count(b"HTTP/1.1 101") == 100
        assert answers.count(b"HTTP/1.1 429") == 900
        with WireClient(server, source_address=("127.0.0.3", 0)) as other, WireClient(server) as own:
            other.join("Other")
            own.join("Own")
            talk(other)
        wait_until(lambda: process.num_fds() <= before + 110)  # those who were told so are cut
    wait_until(lambda: process.num_fds() <= before)


def test_floods_of_pings_and_of_fragments_without_end_are_sent_away(
    make_server: ServerMaker, clock: Clocks
) -> None:
    """Frames that say nothing are read at a pace, and who does not stop is ended with 1008; others go on talking."""
    clock.stand_still()  # a slow machine would read the floods to their end before it jumps
    server = make_server(module=BENT, CONSTANTS=SWEPT_OFTEN, **clock.environment).start()
    memory = psutil.Process(server.pid).memory_info
    with WireClient(server) as bystander, ExitStack() as open_ones:
        bystander.join("Bystander")
        before = memory().rss
        floods = [frame(LAST | PING, b"x" * 100), frame(CONTINUATION), frame(LAST | TEXT, b"{}")]
        attackers = [open_ones.enter_context(opened(server, path)) for path in (b"/", b"/ws") for _ in floods]
        for number, attacker in enumerate(attackers):
            one = floods[number % len(floods)]
            attacker.socket.setblocking(False)
            begin = frame(TEXT, b"{") if one == floods[1] else b""
            with suppress(BlockingIOError):  # not all of it is taken, as it should be
                attacker.socket.sendall(begin + one * 20_000)
        talk(bystander)
        assert memory().rss - before < 16 << 20
        assert "besedka_endings_total:1008" not in figures(server)
        clock.jump(FLOOD_SECONDS + 1)
        wait_until(lambda: figures(server).get("besedka_endings_total:1008") == len(attackers))
        clock.jump(CLOSE_SECONDS + 1)
        for attacker in attackers:
            attacker.socket.settimeout(60)
            codes = attacker.closing()
            assert codes in {0, 1008}
        talk(bystander)
        assert figures(server)["besedka_endings_total:1008"] == 6


def test_questions_whose_answers_nobody_reads_fill_no_memory(make_server: ServerMaker) -> None:
    """The server stops reading from a client that requests page after page and reads none; others go on."""
    line = "[2025-01-01 00:00:00] Old: " + "x" * 500 + "\n"
    server = make_server("--rate", "0")
    server.history.write_text(line * 2_000)
    server.start()
    with WireClient(server) as bystander:
        bystander.join("Bystander")
        before = psutil.Process(server.pid).memory_info().rss
        ask = b'{"type":"history","before":2000,"limit":500}'
        deaf = [opened(server, receive_buffer=8_192) for _ in range(10)]
        for raw in deaf:
            raw.say(frame(LAST | TEXT, b'{"type":"join"}'))
            raw.socket.setblocking(False)
            with suppress(BlockingIOError):  # it is not listened to
                raw.socket.sendall(frame(LAST | TEXT, ask) * 50_000)
        talk(bystander, 100)
        assert psutil.Process(server.pid).memory_info().rss - before < 32 << 20
        for raw in deaf:
            raw.socket.close()


def test_pages_that_nobody_reads_fill_no_memory(make_server: ServerMaker) -> None:
    """The same over plain HTTP: a history of 20 MB is asked for fifty times, and not one byte of it is read."""
    line = "[2025-01-01 00:00:00] Old: " + "x" * 500 + "\n"
    server = make_server("--rate", "0")
    server.history.write_text(line * 40_000)
    server.start()
    with WireClient(server) as bystander, ExitStack() as open_ones:
        bystander.join("Bystander")
        before = psutil.Process(server.pid).memory_info().rss
        for _ in range(50):
            raw = open_ones.enter_context(Raw(server, receive_buffer=8_192))
            raw.say(b"GET /history.txt HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10)
        talk(bystander, 100)
        assert psutil.Process(server.pid).memory_info().rss - before < 64 << 20


def test_whoever_joins_types_and_leaves_all_the_time_is_reported_no_more_often_than_others(
    make_server: ServerMaker, clock: Clocks
) -> None:
    """A clock that stands still shows it: none of this begins a new second."""
    clock.stand_still()
    server = make_server("--rate", "0", module=BENT, **clock.environment).start()
    with WireClient(server) as reader, WireClient(server) as typist, WireClient(server) as phone:
        reader.join("Reader")
        for number in range(20):
            typist.join(f"Typist {number}", quiet=True)
            typist.send_frame("typing")
            typist.send_frame("leave")
        secret = "the secret of a typist".ljust(32, ".")
        for client in (typist, phone):
            client.join("Typist", secret=secret)
            client.send_frame("typing")
            client.send_frame("leave")
        phone.join("Typist", secret=secret)
        phone.send_frame("typing")
        phone.send_frame("chat", text="typed")
        heard = reader.receive_until(lambda frame: frame["type"] == "chat")
        assert [frame["type"] for frame in heard].count("typing") <= 2  # one of a guest, one of a person


def test_a_crowd_that_types_costs_a_reader_a_few_frames(make_server: ServerMaker) -> None:
    """Until the next notice is due, which is never here, there is the first one."""
    never = json.dumps({"besedka.serve.chat.notices.NOTICE_SECONDS": 3600})
    server = make_server("--rate", "0", module=BENT, CONSTANTS=never).start()
    with WireClient(server) as reader, ExitStack() as open_ones:
        reader.join("Reader")
        crowd = [open_ones.enter_context(WireClient(server)) for _ in range(20)]
        for number, typist in enumerate(crowd):
            typist.join(f"Typist {number}", quiet=True)
            typist.send_frame("typing")
            typist.join(None, room="other")  # the server has taken what came before
        crowd[0].send_frame("chat", text="typed")
        heard = reader.receive_until(lambda frame: frame["type"] == "chat")
        assert 1 <= [frame["type"] for frame in heard].count("typing") <= TYPISTS_REPORTED


def test_what_clients_send_that_owe_is_kept_as_a_few_bytes(make_server: ServerMaker) -> None:
    """A hundred connections send 240 KB of pings and of empty objects each: the kernel keeps them, and the server 16 KiB."""
    server = make_server(module=BENT, OWN_ADDRESS="127.0.0.1").start()
    memory = psutil.Process(server.pid).memory_info
    with WireClient(server) as bystander, ExitStack() as open_ones:
        bystander.join("Bystander")
        before = memory().rss
        # All are open before the first flood: a handshake waits as long as its address owes.
        crowd = [open_ones.enter_context(Raw(server, "127.0.0.2")) for _ in range(100)]
        for raw in crowd:
            raw.say(handshake())
            raw.head()
            raw.socket.setblocking(False)
        for number, raw in enumerate(crowd):
            flood = frame(LAST | PING) if number % 2 else frame(LAST | TEXT, b"{}")
            with suppress(BlockingIOError):
                raw.socket.send((flood * 40_000)[:240_000])
        talk(bystander)
        assert memory().rss - before < 100 * 80 * 1024


def test_what_follows_a_handshake_before_its_answer_is_bounded(make_server: ServerMaker) -> None:
    server = make_server().start()
    with Raw(server) as raw, Raw(server) as allowed:
        allowed.say(handshake() + frame(LAST | PING) * 1_000)
        assert allowed.head().startswith(b"HTTP/1.1 101 ")
        raw.say(handshake() + frame(LAST | PING) * 20_000)
        assert raw.head().startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 101 "))  # or they came in pieces


def test_rooms_whose_last_messages_are_long_take_bounded_memory_while_they_are_open(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    """Anybody may open a room of others by entering it; a newcomer is shown its last ten messages all the same."""
    rooms = [f"room-{number}" for number in range(200)]
    line = "[2025-01-01 00:00:00] Old: " + "\N{GRINNING FACE}" * 5_000 + "\n"
    for room in rooms:
        (tmp_path / f"chat_history.{room}.txt").write_text(line * 10)
    server = make_server("--rate", "0").start()
    with ExitStack() as open_ones:
        visitors = [open_ones.enter_context(WireClient(server)) for _ in range(2)]

        def enter(room: str, visitor: WireClient) -> None:
            visitor.join(None, room)
            assert visitor.receive_to(10) == [*range(1, 11)]

        for room in rooms[:50]:  # pages that are kept for all who want the same have a bound of their own
            enter(room, visitors[0])
        before = psutil.Process(server.pid).memory_info().rss
        for number, room in enumerate(rooms[50:]):
            enter(room, visitors[number >= 50])
        assert psutil.Process(server.pid).memory_info().rss - before < 16 << 20
