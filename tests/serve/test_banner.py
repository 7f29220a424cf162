"""The output of a server at its start."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.serve.banner import report
from besedka.serve.history import Restored
from besedka.serve.history.index import StrangeLines
from besedka.serve.history.torn_file import Torn

NOW = "2025-11-20 12:00:00"


@pytest.mark.parametrize(
    ("restored", "expected"),
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
def test_the_report_tells_what_was_restored(restored: Restored, expected: str) -> None:
    assert report(restored, NOW) == expected
