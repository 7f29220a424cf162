"""A log in pieces: whoever writes them one behind the other has the same file, the same ids and flags, from wherever a crash has left it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.errors import HistoryChanged, HistoryUnusable
from besedka.serve.history import ChatHistory, Flag, Piece, messages_of, pieces
from tests.serve.history.logs import index_of, line, write

LINES = st.sampled_from(
    [
        f"{line('a message')}\n".encode(),
        f"{line('with a CR')}\r\n".encode(),
        f"\ufeff{line('behind a byte order mark')}\n".encode(),
        f"{line('empty')[:-5]}\n".encode(),
        b"\tcontinued\n",
        b"continued by an editor\r\n",
        b"\n",
        b"[12.10.2011, 10:00:11] Clara: of another program\n",
        b"<x> no message\n",
        b"\xff\xfe damaged\n",
    ]
)
FLAGS = [Flag.VERIFIED, Flag.UNVERIFIED, Flag.NONE]


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 100)


def all_of(history: ChatHistory) -> Iterator[Piece]:
    """A log, piece by piece."""
    offset, first = 0, 1
    while offset < history.body.size:
        piece = history.piece(offset, first)
        yield piece
        offset, first = piece.end, piece.next


def test_flags_go_with_the_messages_and_the_epoch_with_the_log(tmp_path: Path) -> None:
    with_flags = ChatHistory.open(tmp_path / "own.txt")
    for number in range(30):
        with_flags.append([line(f"message {number}")], [FLAGS[number % 3]])
    other = ChatHistory.open(tmp_path / "other.txt", new_epoch="abcdef")
    given_pieces = [*all_of(with_flags)]
    assert len(given_pieces) > 3
    for piece in given_pieces:
        assert other.write_piece(piece, with_flags.epoch)
        assert not other.write_piece(piece, with_flags.epoch)
    assert other.path.read_bytes() == with_flags.path.read_bytes()
    assert (other.epoch, other.count) == (with_flags.epoch, 30)
    assert [flags & pieces.FLAGS for flags in other.flags(1, 30)] == FLAGS * 10
    # Both go on as one.
    for history in (with_flags, other):
        assert history.append([line("behind it")]) == 31
        history.close()
    again = ChatHistory.open(tmp_path / "other.txt")
    assert (again.epoch, again.count) == (with_flags.epoch, 31)
    assert [flags & pieces.FLAGS for flags in again.flags(1, 30)] == FLAGS * 10
    again.close()


@given(st.lists(LINES, max_size=30), st.booleans(), st.data())
def test_any_log_is_the_same_behind_any_crash(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], has_end: bool, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("p")
    # Without a message it is no log.
    content = b"".join([f"{line('first')}\n".encode(), *lines])
    content = content if has_end else content.removesuffix(b"\n")
    content = data.draw(st.sampled_from([b"", b"preamble\r\n", b"\xef\xbb\xbf"])) + content
    own = ChatHistory.open(write(folder / "own.txt", content))
    path = folder / "other.txt"
    given_pieces = [*all_of(own)]
    assert b"".join(piece.data for piece in given_pieces) == content
    for piece in given_pieces:
        assert len(messages_of(piece.data)) == len(piece.flags)
    killed_at = data.draw(st.integers(0, len(given_pieces) - 1))
    other = ChatHistory.open(path)
    for piece in given_pieces[: killed_at + 1]:
        other.write_piece(piece, own.epoch)
    other.close()
    end = given_pieces[killed_at].end
    # The first piece is written as a whole or not at all.
    kept = data.draw(st.integers(given_pieces[killed_at].offset, end)) if killed_at else end
    path.write_bytes(path.read_bytes()[:kept])
    again = ChatHistory.open(path)
    for piece in given_pieces:
        again.write_piece(piece, own.epoch)
    assert path.read_bytes() == content
    assert (again.count, again.epoch) == (own.count, own.epoch)
    assert again.raw(1, again.count) == own.raw(1, own.count)
    again.close()
    own.close()


def test_a_piece_of_another_log_is_refused_and_one_that_was_redacted_is_not(tmp_path: Path) -> None:
    own = ChatHistory.open(tmp_path / "own.txt")
    for text in ("one", "a secret of some length", "three"):
        own.append([line(text)])
    [piece, *_] = all_of(own)
    other = ChatHistory.open(write(tmp_path / "other.txt", f"{line('another')}\n"))
    with pytest.raises(HistoryChanged):
        other.write_piece(piece, own.epoch)
    with pytest.raises(HistoryChanged):
        other.write_piece(Piece(10_000, 9, piece.data, piece.flags), own.epoch)
    own.redact(own.subject(2))
    before = own.path.read_bytes()
    assert not own.write_piece(piece, own.epoch)
    assert own.path.read_bytes() == before
    own.close()
    other.close()


def test_a_message_that_is_too_long_for_the_cluster_is_said(tmp_path: Path) -> None:
    text = "x" * pieces.PIECE_BYTES_AT_MOST
    own = ChatHistory.open(write(tmp_path / "own.txt", f"{line('one')}\n{line(text)}\n"))
    first = own.piece(0, 1)
    with pytest.raises(HistoryUnusable, match="a cluster takes over pieces of up to 786,432 bytes"):
        own.piece(first.end, first.next)
    own.close()
    assert index_of(own.path).exists()
