"""Readers who do not read: they cost one buffer each, slow nobody, and lose nothing."""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request

import psutil

from tests.conftest import ServerMaker
from tests.talking import Talker

LONG = bool(os.environ.get("BESEDKA_TORTURE"))


def test_one_who_reads_again_after_a_while_hears_everything_once_and_in_order(
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", "0").start()
    messages = 20_000
    with Talker(server) as anna, Talker(server, receive_buffer=16_384) as deaf:
        anna.join("Anna")
        deaf.join("Deaf")
        before = psutil.Process(server.pid).memory_info().rss
        assert anna.say_many([f"{number:500}" for number in range(messages)])[-1] == messages
        assert psutil.Process(server.pid).memory_info().rss - before < 8 << 20
        assert deaf.hear_to(messages) == list(range(1, messages + 1))
        anna.tell("chat", text="live")
        frame = deaf.hear("chat")
        assert frame["id"] == messages + 1


def test_one_who_never_reads_costs_the_system_little_more_than_what_we_count(
    make_server: ServerMaker,
) -> None:
    line = "[2025-01-01 00:00:00] Old: " + "x" * 500 + "\n"
    server = make_server("--rate", "0")
    server.history.write_text(line * 20_000)
    server.start()
    with Talker(server, receive_buffer=16_384, max_queue=1) as deaf:
        deaf.join("Deaf", since=0)
        time.sleep(1)
        with urllib.request.urlopen(f"{server.page}metrics") as response:  # noqa: S310 - our own server
            pages = re.search(r"^besedka_pages_total (\S+)$", response.read().decode(), re.MULTILINE)
        assert pages
        assert float(pages[1]) <= 10


def test_one_who_never_reads_is_ended_and_comes_back_with_his_cursor(make_server: ServerMaker) -> None:
    impatience = json.dumps({"STUCK_SECONDS": 2.0})
    server = make_server(
        "--rate", "0", module="tests.torture.impatient_server", IMPATIENCE=impatience
    ).start()
    messages = 10_000
    with Talker(server) as anna:
        epoch = anna.join("Anna")["epoch"]
        with Talker(server, receive_buffer=16_384) as deaf:
            deaf.join("Deaf")
            anna.say_many(["x" * 500] * messages)
            while "Deaf" not in anna.hear("system")["left"]:
                pass
            heard = deaf.hear_to_the_end()
        assert heard == list(range(1, len(heard) + 1))
        assert len(heard) < messages
        with Talker(server) as again:
            assert "reset" not in again.join("Deaf", since=heard[-1], epoch=epoch)
            assert again.hear_to(messages) == list(range(heard[-1] + 1, messages + 1))


def test_one_who_reads_again_in_time_sees_the_code_to_come_back_with(make_server: ServerMaker) -> None:
    impatience = json.dumps({"STUCK_SECONDS": 8.0})
    server = make_server(
        "--rate", "0", module="tests.torture.impatient_server", IMPATIENCE=impatience
    ).start()
    with Talker(server) as anna, Talker(server, receive_buffer=16_384) as deaf:
        anna.join("Anna")
        deaf.join("Deaf")
        anna.say_many(["x" * 500] * 10_000)
        time.sleep(9)  # the server waits as long again for whoever reads then
        assert deaf.ending() == (4001, "nothing was read for too long, come back with since")
