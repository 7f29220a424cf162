"""Readers who do not read: they cost one buffer each, slow nobody, and lose nothing."""

from __future__ import annotations

import psutil

from besedka.serve.doors.timeouts import STUCK_SECONDS
from tests.blackbox.test_how_the_server_is import figures
from tests.clocks import BENT, SWEPT_OFTEN, Clocks
from tests.commanding import ASK_SECONDS, wait_until
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient, ids_in


def test_one_who_reads_again_after_a_while_hears_everything_once_and_in_order(
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", "0").start()
    messages = 2_500
    with WireClient(server) as anna, WireClient(server, receive_buffer=16_384) as deaf:
        anna.join("Anna")
        deaf.join("Deaf")
        before = psutil.Process(server.pid).memory_info().rss
        assert anna.say_many([f"{number:4000}" for number in range(messages)])[-1] == messages
        assert psutil.Process(server.pid).memory_info().rss - before < 8 << 20
        assert deaf.receive_to(messages) == list(range(1, messages + 1))
        anna.send_frame("chat", text="live")
        frame = deaf.receive("chat")
        assert frame["id"] == messages + 1


def is_sent_away(server: RunningServer) -> bool:
    """Whether a client was disconnected because it read nothing for too long."""
    return figures(server).get("besedka_endings_total:4001") == 1


def test_one_who_never_reads_costs_the_system_little_more_than_what_we_count(
    make_server: ServerMaker,
) -> None:
    line = "[2025-01-01 00:00:00] Old: " + "x" * 500 + "\n"
    server = make_server("--rate", "0")
    server.history.write_text(line * 20_000)
    server.start()
    with WireClient(server, receive_buffer=16_384, max_queue=1) as deaf:
        deaf.join("Deaf", since=0)
        # While another one reads all of it, there is as much time to read on for this one.
        with WireClient(server) as other:
            other.join("Other", since=0)
            pages, last = 0, 0
            while last < 20_000:
                pages, last = pages + 1, ids_in(other.receive("history"))[-1]
        assert 0 < figures(server)["besedka_pages_total"] - pages <= 10
        deaf.abort()  # to close it would take ten seconds


def test_one_who_never_reads_is_ended_and_comes_back_with_his_cursor(
    make_server: ServerMaker, clock: Clocks
) -> None:
    server = make_server("--rate", "0", module=BENT, CONSTANTS=SWEPT_OFTEN, **clock.environment).start()
    messages = 1_250
    with WireClient(server) as anna:
        epoch = anna.join("Anna")["epoch"]
        with WireClient(server, receive_buffer=16_384) as deaf:
            deaf.join("Deaf")
            anna.say_many(["x" * 4_000] * messages)
            clock.jump(STUCK_SECONDS + 1)
            wait_until(lambda: is_sent_away(server), ASK_SECONDS)
            anna.send_frame("chat", text="It was not I who was silent")
            # So long again the server waits for those who read then.
            clock.jump(STUCK_SECONDS + 1)
            while "Deaf" not in anna.receive("system")["left"]:
                pass
            heard = deaf.receive_to_the_end()
        assert heard == list(range(1, len(heard) + 1))
        assert len(heard) < messages
        with WireClient(server) as again:
            assert "reset" not in again.join("Deaf", since=heard[-1], epoch=epoch)
            assert again.receive_to(messages + 1) == list(range(heard[-1] + 1, messages + 2))


def test_one_who_reads_again_in_time_sees_the_code_to_come_back_with(
    make_server: ServerMaker, clock: Clocks
) -> None:
    server = make_server("--rate", "0", module=BENT, CONSTANTS=SWEPT_OFTEN, **clock.environment).start()
    with WireClient(server) as anna, WireClient(server, receive_buffer=16_384) as deaf:
        anna.join("Anna")
        deaf.join("Deaf")
        anna.say_many(["x" * 4_000] * 1_250)
        clock.jump(STUCK_SECONDS + 1)
        wait_until(lambda: is_sent_away(server), ASK_SECONDS)
        assert deaf.ending() == (4001, "nothing was read for too long, come back with since")
