"""The signals by which a server is asked to end."""

from __future__ import annotations

import os
import signal

import pytest

from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient

STOP = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", STOP, ids=lambda number: number.name)
def test_what_was_said_is_answered_before_the_server_ends(server: RunningServer, number: int) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", secret="a" * 64)
        for count in range(50):
            anna.send_frame("chat", text=f"message {count}", key=f"k{count}")
        anna.receive("chat")
        os.kill(server.pid, number)
        os.kill(server.pid, number)  # a second one changes nothing
        answered = {1}
        while len(answered) < 50:
            frame = anna.receive()
            answered |= (
                {frame["id"]}
                if frame["type"] == "chat"
                else {frame["key"]} & {f"k{one}" for one in range(50)}
            )
        assert server.wait() == 0


def test_signals_that_were_ignored_at_the_start_stay_so(make_server: ServerMaker) -> None:
    ignored = [signal.SIGHUP, signal.SIGINT]
    before = [signal.signal(number, signal.SIG_IGN) for number in ignored]
    try:
        # A fresh interpreter inherits it; what has been forked from another process does not.
        server = make_server("--lang", "en", is_fresh=True).start()
    finally:
        for number, handler in zip(ignored, before, strict=True):
            signal.signal(number, handler)
    with WireClient(server) as anna:
        anna.join("Anna")
        for number in ignored:
            os.kill(server.pid, number)
    # A server that is going down accepts nobody.
    with WireClient(server) as boris:
        boris.join("Boris")
        boris.send_frame("chat", text="still here")
        assert boris.receive("chat")["text"] == "still here"
    assert server.stop() == 0
