"""What the person who starts the server is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.serve.history import Restored
from besedka.serve.history.repair import Torn
from besedka.serve.main import _report

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
            Restored(3, "2025-03-01 09:00:00", "2025-03-02 09:00:00", Torn(17, Path("/a/talk.txt.torn-1"))),
            "3 messages (2025-03-01 … 2025-03-02), repaired 1 torn line (17 bytes kept in talk.txt.torn-1)",
        ),
        (
            Restored(1, "2025-11-20 09:00:00", "2025-11-20 09:00:00", damaged_line=7),
            "1 message (today), line 7 is damaged and shown as it is",
        ),
    ],
)
def test_the_report_tells_what_was_restored(restored: Restored, report: str) -> None:
    assert _report(restored, NOW) == report
