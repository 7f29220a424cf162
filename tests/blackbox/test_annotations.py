"""Annotations in a log: lines about earlier messages, which are no messages."""

from __future__ import annotations

from tests.conftest import ServerMaker
from tests.talking import WireClient

STAMP = "2026-12-01 09:00:00"


def test_annotations_are_not_among_the_last_messages(make_server: ServerMaker) -> None:
    server = make_server("--utc")
    messages = [f"[{STAMP}] Boris: message {number}\n" for number in range(1, 16)]
    reactions = [f"[{STAMP}] *Anna: react #{number}.{number} [{STAMP}] Boris: 👍\n" for number in range(1, 9)]
    lines = [*messages[:12], *reactions[:5], *messages[12:], *reactions[5:]]
    server.history.write_text("".join(lines), "utf-8")
    server.start()
    with WireClient(server) as anna:
        anna.join("Anna")
        ids = anna.receive_to(len(lines))
        assert ids == [*range(6, len(lines) + 1)]
