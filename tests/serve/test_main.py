"""What the person who starts the server is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from besedka.serve.history import Restored
from besedka.serve.history.index import StrangeLines
from besedka.serve.history.recovery import Torn
from besedka.serve.main import _hosts, _report
from besedka.serve.settings import Settings

NOW = "2025-11-20 12:00:00"


@pytest.mark.parametrize(
    ("restored", "report"),
    [
        (Restored(0, "", ""), "nothing yet, the history is empty"),
        (Restored(1, "2025-11-20 09:00:00", "2025-11-20 09:00:00"), "1 message (today)"),
        (Restored(2, "2025-03-01 09:00:00", "2025-03-01 10:00:00"), "2 messages (2025-03-01)"),
        (
            Restored(12431, "2025-03-01 09:00:00", "2025-11-20 09:00:00"),
            "12\u202f431 messages (2025-03-01 … today)",
        ),
        (
            Restored(
                3, "2025-03-01 09:00:00", "2025-03-02 09:00:00", Torn(402, 17, Path("/a/talk.txt.torn-1"))
            ),
            (
                "3 messages (2025-03-01 … 2025-03-02), "
                "repaired 1 torn line (17 bytes from byte 402 on, kept in talk.txt.torn-1)"
            ),
        ),
        (
            Restored(0, torn=Torn(0, 17, None)),
            (
                "nothing yet, the history is empty, repaired 1 torn line "
                "(17 bytes from byte 0 on, left where they are: there is no room to keep them)"
            ),
        ),
        (
            Restored(
                1, "2025-11-20 09:00:00", "2025-11-20 09:00:00", strange=StrangeLines(3, 12), open_line=20
            ),
            (
                "1 message (today), 3 lines are no messages, first: line 12, "
                "line 20 has no end and is possibly incomplete"
            ),
        ),
        (
            Restored(1, "2025-11-20 09:00:00", "2025-11-20 09:00:00", changed_line=1),
            "1 message (today), line 1 is not as it was written",
        ),
        (
            Restored(1, "2025-11-20 09:00:00", "2025-11-20 09:00:00", damaged_line=7),
            "1 message (today), line 7 is damaged and shown as it is",
        ),
    ],
)
def test_the_report_tells_what_was_restored(restored: Restored, report: str) -> None:
    assert _report(restored, NOW) == report


@pytest.mark.parametrize(("address", "is_seen"), [("127.0.0.1", False), ("0.0.0.0", True)])  # noqa: S104 - nobody is answered
def test_a_machine_is_asked_for_by_its_own_name_where_others_can_ask(
    address: str, is_seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "office.evil.example")
    with socket.socket() as listener:
        listener.bind((address, 0))
        hosts = _hosts(Settings(public_hosts=("chat.example",)), listener)
    known = ["office", "office.local:8765"] if is_seen else []
    names = ["office", "office.local:8765", "office.evil.example", "evil.example"]
    assert [name for name in names if hosts.know(name)] == known
    assert hosts.know("chat.example")
