"""A log that is read from its beginning has a price at every door, and nobody else waits for that."""

from __future__ import annotations

import json
from typing import Final

from tests.blackbox.test_how_the_server_is import figures
from tests.calling import Caller
from tests.clocks import BENT, Clocks
from tests.conftest import ServerMaker
from tests.talking import WireClient, ids_in

PAGE: Final = 256
"""Messages of a page."""

DEAR: Final = json.dumps({"besedka.serve.limits.rate_limits.PAGE_MESSAGES_PER_FRAME": 1})
"""A page costs more than 256 frames: a connection with the lowest rate, of 20 a second, waits for 6 seconds after the first one."""


def test_a_whole_log_is_not_read_at_once_and_all_else_goes_on_meanwhile(
    make_server: ServerMaker, clock: Clocks
) -> None:
    clock.stand_still()
    server = make_server(
        *("--rate", "1", "--metrics-open"),
        module=BENT,
        grpc=True,
        OWN_ADDRESS="none",
        CONSTANTS=DEAR,
        **clock.environment,
    )
    server.history.write_text(
        "".join(f"[2025-01-01 00:00:00] Old: {number}\n" for number in range(20 * PAGE))
    )
    server.start()
    with (
        WireClient(server, source_address=("127.0.0.2", 0)) as reader,
        WireClient(server, source_address=("127.0.0.3", 0)) as other,
        Caller(server) as caller,
        Caller(server) as another_caller,
        caller.follow(since=0) as follower,
        another_caller.converse() as visitor,
    ):
        reader.join("Reader", since=0)
        assert ids_in(reader.receive("history")) == [*range(1, PAGE + 1)]
        follower.started()
        assert [message.id for message in follower.receive_to(PAGE)] == [*range(1, PAGE + 1)]
        visitor.join("Visitor", since=0)
        assert [message.id for message in visitor.receive_to(PAGE)] == [*range(1, PAGE + 1)]

        other.join("Other", since=20 * PAGE)
        other.send_frame("chat", text="in time", key="k")
        assert other.receive("chat")["key"] == "k"
        reader.send_frame("history", before=51, limit=1)
        assert ids_in(reader.receive("history")) == [50]
        visitor.join("Visitor", "dev")
        visitor.say("here, too", room="dev")
        assert visitor.receive("messages").messages.messages[0].text == "here, too"
        assert figures(server)["besedka_pages_total"] == 3
