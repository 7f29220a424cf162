"""Repair, over all that a power cut may leave of a log and its index: stored messages stay, torn ones go whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from besedka.serve.history import ChatHistory
from besedka.serve.history.index import HEADER, RECORD_BYTES
from besedka.wire.line import Line, write_line

TEXTS = st.sampled_from(
    ["a", "longer words", "two\nlines", "three\nmore\nlines", "[2025-11-19 23:46:36] Eve: forged", "й" * 50]
)
BATCHES = st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=6)


def lines_of(batches: list[list[str]]) -> list[list[str]]:
    numbered = iter(range(1000))
    return [
        [write_line(Line("2025-11-19 23:46:36", "Anna", f"{next(numbered)} {text}")) for text in batch]
        for batch in batches
    ]


def cut(data: bytes, kept: int, nulls_from: int) -> bytes:
    """What is left of a file: its beginning, and NULs where it was made longer but never written."""
    return data[: min(kept, nulls_from)] + bytes(max(0, kept - nulls_from))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, data=st.data())
def test_a_power_cut_in_the_last_batch_loses_no_stored_message_and_leaves_no_half_one(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("power") / "talk.txt"
    index = path.with_name("talk.txt.index")
    *stored, last = lines_of(batches)
    history = ChatHistory.open(path)
    for batch in stored:
        history.append(batch)
    synced = path.stat().st_size
    history.append(last)
    history.close()
    whole, whole_index = path.read_bytes(), index.read_bytes()

    # The log is synced up to the last batch; the index up to the last batch that has a message of several lines, which
    # may be this one: then the index comes before the log.
    several = [number for number, batch in enumerate([*stored, last]) if any("\n" in line for line in batch)]
    records = sum(map(len, [*stored, last][: several[-1] + 1])) if several else 0
    safe_index = HEADER.size + records * RECORD_BYTES
    kept = data.draw(st.integers(synced, len(whole)), "bytes of the log")
    nulls = data.draw(st.integers(synced, len(whole)), "written bytes of the log")
    kept_index = data.draw(st.integers(safe_index, len(whole_index)), "bytes of the index")
    kept_index -= (kept_index - HEADER.size) % RECORD_BYTES  # a page never parts a record
    path.write_bytes(cut(whole, kept, nulls))
    index.write_bytes(cut(whole_index, kept_index, len(whole_index)))

    again = ChatHistory.open(path)
    found = again.read(1, 1000)
    expected = [line for batch in stored for line in batch]
    assert found[: len(expected)] == expected
    assert found[len(expected) :] == last[: len(found) - len(expected)]
    again.append(["[2025-11-19 23:46:37] Boris: after"])
    again.close()
    once_more = ChatHistory.open(path)
    assert once_more.read(1, 1000) == [*found, "[2025-11-19 23:46:37] Boris: after"]
    assert once_more.restored.torn is None
    once_more.close()


def test_what_is_cut_off_is_kept_beside(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    history = ChatHistory.open(path)
    history.append(["[2025-11-19 23:46:37] Boris: one\n\ttwo\n\tthree"])
    history.close()
    torn = path.read_bytes()[:-8]
    path.write_bytes(torn)
    again = ChatHistory.open(path)
    assert again.count == 0
    assert again.restored.torn
    assert again.restored.torn.kept
    assert again.restored.torn.kept.read_bytes() == torn
    again.close()
