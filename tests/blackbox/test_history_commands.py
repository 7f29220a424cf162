"""``besedka history``, ``verify`` and ``import``: on files, without a server or beside one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from besedka.commands.messages import as_json, as_json_in_pieces
from tests import prefork
from tests.running import RunningServer
from tests.talking import WireClient

LINES = (
    "[2025-11-19 23:46:36] Anna: Hello\n"
    "[2025-11-19 23:46:39] Boris: Hi there\n\tthis is the second line\n"
    "[2025-11-20 09:00:00] Anna: Доброе утро\n"
)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A history that another program has written."""
    path = tmp_path / "chat_history.txt"
    path.write_text(LINES, encoding="utf-8")
    return path


def besedka(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return prefork.run_as_text(arguments, cwd=cwd)


def printed(*arguments: str, cwd: Path) -> str:
    done = besedka(*arguments, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_history_is_printed_as_it_is(history: Path) -> None:
    assert printed("history", cwd=history.parent) == LINES
    assert printed("history", str(history), cwd=Path("/")) == LINES


def test_reading_changes_and_makes_nothing(history: Path) -> None:
    printed("history", cwd=history.parent)
    printed("verify", cwd=history.parent)
    assert [path.name for path in history.parent.iterdir()] == ["chat_history.txt"]
    assert history.read_text(encoding="utf-8") == LINES


@pytest.mark.parametrize(
    ("options", "first"),
    [
        (["-n", "1"], "Доброе утро"),
        (["-n", "99"], "Hello"),
        (["--since", "0"], "Hello"),
        (["--since", "2"], "Доброе утро"),
        (["--since", "2025-11-19 23:46:37"], "Hi there"),
        (["--since", "2025-11-19 23:46:39"], "Hi there"),
        (["--since", "2025-11-20"], "Доброе утро"),
        (["--since", "2025-11-20 08:59"], "Доброе утро"),
        (["--since", "2025-11-19", "-n", "2"], "Hi there"),
    ],
)
def test_a_part_of_it_is_printed(history: Path, options: list[str], first: str) -> None:
    assert printed("history", *options, cwd=history.parent).split("\n")[0].endswith(f": {first}")


@pytest.mark.parametrize("since", ["3", "99", "2026-01-01"])
def test_nothing_is_printed_if_nothing_is_later(history: Path, since: str) -> None:
    assert printed("history", "--since", since, cwd=history.parent) == ""


def test_json_has_one_object_a_line(history: Path) -> None:
    rows = [json.loads(row) for row in printed("history", "--json", cwd=history.parent).splitlines()]
    assert rows[1] == {
        "id": 2,
        "user": "Boris",
        "text": "Hi there\nthis is the second line",
        "time": "2025-11-19 23:46:39",
    }
    assert [row["id"] for row in rows] == [1, 2, 3]


def test_json_says_who_was_unverified_where_the_index_knows_it(server: RunningServer) -> None:
    with WireClient(server) as anna, WireClient(server) as guest:
        anna.join("Anna", secret="a" * 64)
        guest.join("Boss")
        for client, text in ((anna, "mine"), (guest, "whose?")):
            client.send_frame("chat", text=text)
            client.receive("chat")
    server.stop()

    def unverified() -> list[bool | None]:
        rows = printed("history", str(server.history), "--json", cwd=server.directory).splitlines()
        return [json.loads(row).get("unverified") for row in rows]

    with server.history.open("a", encoding="utf-8") as file:
        file.write(f"[2025-11-20 09:00:00] Anna: by another program{'!' * 100_000}\n")
    assert unverified() == [False, True, None]
    index = server.history.with_name(f"{server.history.name}.index")
    index.rename(index.with_name("elsewhere"))
    assert unverified() == [None, None, None]


def test_a_long_message_in_pieces_says_the_same_as_one_in_a_line() -> None:
    for unverified in (True, False, None):
        pieces = as_json_in_pieces(1, '"text": ""', ["a", "b\n"], "12:00:00", unverified)
        assert "".join(pieces) == as_json(1, '"text": ""', "ab\n", "12:00:00", unverified)
    for text in (["[removed]--", "---", ""], ["[removed]--", "--x"], ["[removed] ", "---"], ["--"]):
        pieces = as_json_in_pieces(1, "Anna", text, "12:00:00")
        assert "".join(pieces) == as_json(1, "Anna", "".join(text), "12:00:00")


def test_a_reader_that_has_enough_is_no_error(history: Path) -> None:
    history.write_text(LINES * 20_000, encoding="utf-8")
    command = f"{sys.executable} -m besedka history | head -n 1"
    done = subprocess.run(  # noqa: S602 - a pipe is what is tested
        command, shell=True, cwd=history.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout == LINES.split("\n", maxsplit=1)[0] + "\n"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "status", "part"),
    [
        (["history", "nowhere.txt"], 1, "no such file"),
        (["history", "."], 1, "is a directory"),
        (["history", "--since", "yesterday"], 2, "neither an id nor a time"),
        (["history", "-n", "0"], 2, "-n"),
        (["verify", "nowhere.txt"], 1, "no such file"),
        (["import", "nowhere.txt"], 1, "no such file"),
        (["import"], 2, "FILE"),
        (["import", "chat_history.txt"], 1, "into itself"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    history: Path, arguments: list[str], status: int, part: str
) -> None:
    done = besedka(*arguments, cwd=history.parent)
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert part in done.stderr.lower() or part in done.stderr


def test_verify_names_the_first_line_that_was_changed(server: RunningServer) -> None:
    with WireClient(server) as anna:
        anna.join("Anna")
        for text in ("one", "two\nlines", "three"):
            anna.send_frame("chat", text=text)
        anna.receive_to(3)
        assert "all 3 messages are as they were written" in printed("verify", cwd=server.directory)
    assert server.stop() == 0
    server.history.write_text(server.history.read_text().replace("three", "THREE"))
    done = besedka("verify", cwd=server.directory)
    assert done.returncode == 1
    assert "line 4 (message 3) is not as it was written" in done.stderr
    # The next start does not wipe out the trace.
    server.start()
    server.stop()
    assert "line 4 (message 3)" in besedka("verify", cwd=server.directory).stderr
    server.history.write_text(server.history.read_text().split("\n")[0] + "\n")
    assert "message 2 and what followed it are missing" in besedka("verify", cwd=server.directory).stderr


def test_removed_messages_are_named_by_verify_and_marked_in_json(server: RunningServer) -> None:
    with WireClient(server) as anna:
        anna.join("Anna")
        for text in ("one", "[removed] is not what it was", "a long one", "two\nlines"):
            anna.send_frame("chat", text=text)
        anna.receive_to(4)
    assert "removed" not in printed("verify", cwd=server.directory)
    for number in ("3", "4", "1"):
        printed("admin", "redact", number, cwd=server.directory)
    # Of "one", three dashes are left, as anybody may have posted them.
    assert printed("verify", cwd=server.directory) == (
        "chat_history.txt: all 4 messages are as they were written; 2 of them were removed by a moderator: 3, 4\n"
    )
    shown = [json.loads(line) for line in printed("history", "--json", cwd=server.directory).splitlines()]
    assert [message.get("redacted") for message in shown] == [None, None, True, True]
    tailed = printed("tail", "--url", server.url("/"), "-n", "9", "--json", cwd=server.directory)
    assert [json.loads(line).get("redacted") for line in tailed.splitlines()] == [None, None, True, True]


def test_verify_without_checksums_says_so_and_looks_for_damage(history: Path) -> None:
    assert "no checksums" in printed("verify", cwd=history.parent)
    history.write_bytes(LINES.encode() + b"[2025-11-20 09:00:01] Anna: \0\n[2025-11-20 09:00:02] Anna: x\n")
    done = besedka("verify", cwd=history.parent)
    assert (done.returncode, "line 5 is damaged" in done.stderr) == (1, True)


def test_verify_shows_no_control_sequence_of_the_name_of_a_file(history: Path) -> None:
    history.rename(history.with_name("a\x1b]0;b\x07\nc.txt"))
    assert printed("verify", "a\x1b]0;b\x07\nc.txt", cwd=history.parent).startswith(
        "a␛]0;b␇␊c.txt: no damage"
    )


def test_another_history_is_imported_in_its_order_with_its_times(history: Path, tmp_path: Path) -> None:
    other = tmp_path / "old.txt"
    other.write_bytes(
        b"\xef\xbb\xbf[2020-01-01 10:00:00] Clara: first\r\nwithout a tab\r\n[2020-01-01 09:00:00] Dora: second\x1b[31m\r\n"
    )
    done = besedka("import", "old.txt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 messages imported, 5 in all" in done.stderr
    assert history.read_text(encoding="utf-8") == (
        LINES
        + "[2020-01-01 10:00:00] Clara: first\n\twithout a tab\n[2020-01-01 09:00:00] Dora: second␛[31m\n"
    )
    assert "all 5 messages" in printed("verify", cwd=tmp_path)


def test_nothing_is_imported_into_a_history_in_use(server: RunningServer, tmp_path: Path) -> None:
    other = tmp_path / "old.txt"
    other.write_text(LINES, encoding="utf-8")
    done = besedka("import", "old.txt", cwd=server.directory)
    assert done.returncode == 1
    assert f"in use by process {server.pid}" in done.stderr
