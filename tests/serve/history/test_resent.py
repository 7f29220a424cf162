"""The resend rule: by that name, with that text or its tombstone, later than what was seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.history import ChatHistory
from besedka.serve.history.resent import Resent
from besedka.wire.log_line import tombstone, write_line, written_bytes
from besedka.wire.message import Message
from tests.serve.history.logs import line

STAMP = "2025-11-19 23:46:36"


def never(_: int) -> bool:
    return False


def ids(history: ChatHistory, text: str, user: str = "Anna", after: int = 0) -> list[int]:
    """The ids of all messages that match, the newest first."""
    step = history.resent(Resent(user, text), range(after + 1, history.count + 1), never, 1_000, 60)
    assert not step.left
    return [found.id for found in step.found]


def log(path: Path, raw: bytes) -> ChatHistory:
    path.write_bytes(raw)
    return ChatHistory.open(path)


texts = st.sampled_from(
    [
        "+1",
        "+1\n+1",
        "+",
        "1",
        "+1 ",
        "two\nlines",
        "two",
        "lines",
        f"+1\n[{STAMP}] Anna: +1",
        "] Anna: +1",
        "é",
        "\ufeff+1",
        "+1\ufeff",
        f"x\n\ufeff[{STAMP}] Anna: +1",
    ]
)


@given(st.lists(st.tuples(st.sampled_from(["Anna", "Ann", "Anna ", "nna"]), texts)), texts, st.booleans())
def test_exactly_the_messages_with_this_name_and_text_are_found(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str]], text: str, is_from_windows: bool
) -> None:
    raw = "".join(write_line(Message(STAMP, *one)) + "\n" for one in said).encode()
    raw = raw.replace(b"\n", b"\r\n") if is_from_windows else raw
    history = log(tmp_path_factory.mktemp("log") / "talk.txt", raw)
    same = [number for number, one in enumerate(said, 1) if one == ("Anna", text)]
    assert ids(history, text) == same[::-1]
    assert ids(history, text, after=2) == [number for number in same[::-1] if number > 2]
    history.close()


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_last_line_may_have_no_end(tmp_path: Path, end: bytes) -> None:
    history = log(tmp_path / "talk.txt", f"[{STAMP}] Anna: +1".encode() + end)
    assert ids(history, "+1") == [1]
    history.close()


def test_lines_that_another_program_has_added_to_a_message_make_it_another(tmp_path: Path) -> None:
    history = log(tmp_path / "talk.txt", f"[{STAMP}] Anna: +1\nby hand\n".encode())
    assert ids(history, "+1") == []
    history.close()


def test_a_byte_order_mark_before_the_first_message_is_none_of_it(tmp_path: Path) -> None:
    history = log(tmp_path / "talk.txt", f"\ufeff[{STAMP}] Anna: +1\n".encode())
    assert ids(history, "+1") == [1]
    history.close()


def test_a_redacted_message_is_recognised_and_not_posted_again(tmp_path: Path) -> None:
    text = "a secret\nof two lines"
    covered = tombstone(written_bytes(text))
    history = ChatHistory.open(tmp_path / "talk.txt")
    history.append([line("[removed]"), line(covered)])
    step = history.resent(Resent("Anna", text), range(1, 3), never, 10, 60)
    assert [(found.id, found.text) for found in step.found] == [(2, covered)]
    history.close()


def test_a_message_that_is_known_to_be_another_does_not_count(tmp_path: Path) -> None:
    history = ChatHistory.open(tmp_path / "talk.txt")
    history.append([line("+1")] * 5)
    step = history.resent(Resent("Anna", "+1"), range(1, 6), lambda number: number >= 4, 2, 60)
    assert [found.id for found in step.found] == [3, 2]
    assert not step.left
    history.close()


def test_each_step_ends_in_time_and_says_what_is_left(tmp_path: Path) -> None:
    history = ChatHistory.open(tmp_path / "talk.txt")
    history.append([line(f"{number}") for number in range(1, 20_001)])
    left, steps = range(1, 20_001), 0
    while left:
        step = history.resent(Resent("Anna", "none"), left, never, 10, 0)
        assert not step.left or step.left.stop < left.stop
        left, steps = step.left, steps + 1
    assert 2 < steps < 20  # a block each
    history.close()
