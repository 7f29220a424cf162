"""``besedka import`` from outside: pipes, encodings, what does not fit, what is too long, and what breaks off."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka import cli
from besedka.serve.history import ChatHistory
from besedka.serve.history.log_state import SHOWN_BYTES
from tests.commanding import BESEDKA, TIMEOUT_SECONDS, Person
from tests.conftest import ServerMaker

HEAD = "[2025-11-19 23:46:36] Anna: "
LINES = f"{HEAD}Hello\n[2025-11-19 23:46:39] Борис: привет\n\tline two\n"


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Person]:
    with Person(tmp_path) as person:
        yield person


def history(tmp_path: Path) -> str:
    return (tmp_path / "chat_history.txt").read_bytes().decode()


def test_stdin_is_imported(anna: Person, tmp_path: Path) -> None:
    done = anna.run("import", "-", stdin=LINES.encode())
    assert (done.status, "2 messages imported, 2 in all" in done.stderr) == (0, True)
    assert history(tmp_path) == LINES


def test_a_named_pipe_is_imported(anna: Person, tmp_path: Path) -> None:
    (tmp_path / "old.gz").write_bytes(gzip.compress(LINES.encode("koi8-r")))
    command = f"{' '.join(BESEDKA)} import <(gzip -dc old.gz) --encoding koi8-r"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env=anna.environment,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert history(tmp_path) == LINES


def test_what_another_command_has_read_of_stdin_is_not_imported(anna: Person, tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text(LINES, encoding="utf-8")
    command = f"(read line; {' '.join(BESEDKA)} import -) < old.txt"
    subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=anna.environment, timeout=TIMEOUT_SECONDS, check=True
    )
    assert history(tmp_path) == LINES.partition("\n")[2]


def test_a_history_is_not_imported_into_itself_by_stdin_either(anna: Person, tmp_path: Path) -> None:
    (tmp_path / "chat_history.txt").write_text(LINES, encoding="utf-8")
    with (tmp_path / "chat_history.txt").open() as stdin:
        done = subprocess.run(
            [*BESEDKA, "import", "-"],
            stdin=stdin,
            cwd=tmp_path,
            env=anna.environment,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    assert (done.returncode, b"cannot be imported into itself" in done.stderr) == (1, True)
    assert history(tmp_path) == LINES


@pytest.mark.parametrize(
    ("stdin", "encoding", "part"),
    [
        (b"\n", "", "a file of blank lines"),
        (b"\xef\xbb\xbf", "", "a file of blank lines"),
        (b"\xff\xfe", "", "a file of blank lines"),
        (bytes(99), "", "holds no message"),
        (b"\x1b]0;gotcha\x07 hi\n", "", "line 1: ␛]0;gotcha␇ hi"),
        (LINES.encode("utf-16-le"), "", "text in UTF-16"),
        (LINES.encode("cp1251"), "", "line 2 is not UTF-8"),
        (LINES.encode("cp1251"), "ascii", "line 2 is not ascii"),
        (LINES.replace("\n", "\r").encode(), "", "its lines end in CR"),
        (LINES.encode() + b"\xff\n", "", "line 4 is not UTF-8"),
    ],
)
def test_what_cannot_be_imported_is_one_clear_line_and_makes_nothing(
    anna: Person, tmp_path: Path, stdin: bytes, encoding: str, part: str
) -> None:
    done = anna.run("import", "-", *(["--encoding", encoding] if encoding else []), stdin=stdin)
    assert (done.status, part in done.stderr) == (1, True), done.stderr
    assert (len(done.stderr.splitlines()), [*tmp_path.glob("chat_history*")]) == (1, [])


def test_nothing_is_no_failure(anna: Person) -> None:
    done = anna.run("import", "-")
    assert (done.status, "0 messages imported, 0 in all" in done.stderr) == (0, True)


def test_an_encoding_that_is_not_known_is_used_wrongly(anna: Person) -> None:
    done = anna.run("import", "-", "--encoding", "nonsense", stdin=LINES.encode())
    assert (done.status, "known are utf-8" in done.stderr) == (2, True)


def test_a_byte_order_mark_in_the_middle_hides_no_name(anna: Person, tmp_path: Path) -> None:
    done = anna.run("import", "-", stdin=b"\xef\xbb\xbf" + LINES.encode() + b"\xef\xbb\xbf" + LINES.encode())
    assert done.status == 0
    assert history(tmp_path) == LINES * 2


def test_what_is_left_out_and_what_is_changed_is_reported(anna: Person, tmp_path: Path) -> None:
    stdin = (
        f"{HEAD}one\x1b[31m\x85\n"
        "[2025-11-19 23:46:36] <Boris> hi: all\n\tmore\nand more\n"
        f"[2025-11-19 23:46:36] {chr(1) * 4000}: pictures make this name too long\n"
        f"{HEAD}two"
    )
    done = anna.run("import", "-", stdin=stdin.encode())
    assert done.status == 0
    assert "2 messages imported, 2 in all" in done.stderr
    assert (
        "stdin: 4 lines are no messages, first: line 2, then 5: [2025-11-19 23:46:36] <Boris> hi: all\n"
        in done.stderr
    )
    assert "line 6 has no end and is possibly incomplete" in done.stderr
    assert "2 control characters stand there as pictures" in done.stderr
    assert history(tmp_path) == f"{HEAD}one␛[31m\ufffd\n{HEAD}two\n"
    assert anna.run("verify").assert_well().endswith("all 2 messages are as they were written\n")


def test_messages_of_any_length_are_imported_and_printed_whole(anna: Person, tmp_path: Path) -> None:
    room = SHOWN_BYTES - len(HEAD)
    texts = [
        "п" * SHOWN_BYTES,
        "x" * 3_000_000,
        "\n\t".join(["one", *["more"] * 100_000]),
        *("x" * (room + more) for more in (-2, -1, 0, 1)),
    ]
    lines = "".join(f"{HEAD}{text}\n" for text in texts)
    (tmp_path / "old.txt").write_text(lines.replace("\n\t", "\n"), encoding="utf-8")
    assert anna.run("import", "old.txt").status == 0
    assert history(tmp_path) == lines
    assert anna.run("history").assert_well() == lines
    rows = [json.loads(row) for row in anna.run("history", "--json").assert_well().splitlines()]
    assert [row["text"] for row in rows] == [text.replace("\n\t", "\n") for text in texts]
    assert [(*row,) for row in rows] == [("id", "user", "text", "time")] * len(texts)


def test_half_a_line_end_is_no_control_character(anna: Person, tmp_path: Path) -> None:
    done = anna.run("import", "-", stdin=f"{HEAD}one\r\n{HEAD.rstrip()}\r".encode())
    assert (done.status, "control" in done.stderr) == (0, False)
    assert history(tmp_path) == f"{HEAD}one\n{HEAD}\n"
    assert "line 2 has no end" in done.stderr


def test_what_did_not_fit_on_a_full_disk_is_imported_later(anna: Person, tmp_path: Path) -> None:
    lines = [f"{HEAD}{number} {'x' * 1000}\n" for number in range(5000)]
    (tmp_path / "old.txt").write_text("".join(lines), encoding="utf-8")
    limited = (
        f"ulimit -f 3000; trap '' XFSZ; exec {' '.join(BESEDKA)} import old.txt"  # in blocks of 1024 bytes
    )
    done = subprocess.run(
        ["bash", "-c", limited],
        cwd=tmp_path,
        env=anna.environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "no room for" in done.stderr
    there = history(tmp_path).count("\n")
    assert 0 < there < 5000
    assert f"{there:,} of 5,000 messages imported; go on with --skip {there}" in done.stderr
    assert anna.run("import", "old.txt", "--skip", str(there)).status == 0
    assert history(tmp_path) == "".join(lines)


def test_an_import_that_is_interrupted_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{HEAD}{number} {'x' * 1000}\n" for number in range(3000)]
    (tmp_path / "old.txt").write_text("".join(lines), encoding="utf-8")
    append = ChatHistory.append

    def interrupted(log: ChatHistory, batch: list[str]) -> None:
        append(log, batch)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(ChatHistory, "append", interrupted)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["besedka", "import", "old.txt"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    there = history(tmp_path).count("\n")
    assert 0 < there < 3000
    reported = f"interrupted; {there:,} of 3,000 messages imported; go on with --skip {there}"
    assert reported in capfd.readouterr().err


def test_what_a_server_is_writing_just_now_is_not_imported(anna: Person, tmp_path: Path) -> None:
    """Its index knows of two lines; the file has one of them."""
    old = tmp_path / "old.txt"
    (tmp_path / "both.txt").write_text(LINES, encoding="utf-8")
    assert anna.run("import", "both.txt", "--history", "old.txt").status == 0
    old.write_text(LINES.removesuffix("\tline two\n"), encoding="utf-8")
    assert anna.run("import", "old.txt").status == 0
    assert history(tmp_path) == f"{HEAD}Hello\n"


def test_a_server_does_not_start_on_the_log_of_another_program(anna: Person, tmp_path: Path) -> None:
    (tmp_path / "irssi.log").write_text("--- Log opened Wed Nov 19 23:46:30 2014\n", encoding="utf-8")
    done = anna.run("serve", "--history", "irssi.log", "--port", "0", "--grpc-port", "0")
    assert (done.status, "looks like a log of irssi; it was left as it is" in done.stderr) == (1, True)


# A file that was imported before.


def imported(anna: Person, tmp_path: Path, text: str, *options: str) -> str:
    """The report of an import of a text as a file."""
    (tmp_path / "old.txt").write_bytes(text.encode())
    done = anna.run("import", "old.txt", *options)
    assert done.status == 0, done.stderr
    return done.stderr


def test_the_same_file_is_not_imported_twice(anna: Person, tmp_path: Path) -> None:
    imported(anna, tmp_path, LINES)
    report = imported(anna, tmp_path, LINES)
    assert "0 messages imported, 2 were there already" in report
    assert history(tmp_path) == LINES
    imported(anna, tmp_path, LINES, "--again")
    assert history(tmp_path) == LINES * 2


def test_of_a_file_that_has_grown_what_is_new_is_imported(anna: Person, tmp_path: Path) -> None:
    new = "[2025-11-20 09:00:00] Anna: more\n[2025-11-20 09:00:00] Anna: and more\n"
    imported(anna, tmp_path, LINES)
    assert "2 messages imported, 2 were there already" in imported(anna, tmp_path, LINES + new)
    # The same in other bytes: CRLF, no TABs, a byte order mark, another encoding.
    other = "\ufeff" + (LINES + new).replace("\t", "").replace("\n", "\r\n")
    assert "0 messages imported, 4 were there already" in imported(anna, tmp_path, other)
    (tmp_path / "old.txt").write_bytes((LINES + new).encode("koi8-r"))
    done = anna.run("import", "old.txt", "--encoding", "koi8-r")
    assert "0 messages imported, 4 were there already" in done.stderr
    assert history(tmp_path) == LINES + new


def test_repetitions_in_a_file_are_messages_of_their_own(anna: Person, tmp_path: Path) -> None:
    imported(anna, tmp_path, f"{HEAD}+1\n" * 3)
    assert history(tmp_path) == f"{HEAD}+1\n" * 3
    # Two more of the same second, and the file as it was before: messages are counted.
    assert "2 messages imported, 3 were there already" in imported(anna, tmp_path, f"{HEAD}+1\n" * 5)
    assert "0 messages imported, 3 were there already" in imported(anna, tmp_path, f"{HEAD}+1\n" * 3)
    assert history(tmp_path) == f"{HEAD}+1\n" * 5


@pytest.mark.parametrize(
    "other",
    [
        "[2025-11-19 23:46:37] Anna: Hello\n",
        "[2025-11-19 23:46:36] Anne: Hello\n",
        "[2025-11-19 23:46:36] Anna: Hello!\n",
        "[2025-11-19 23:46:36] Anna: Hello\n\tyou\n",
        "[2025-11-19 23:46:36] Anna:  Hello\n",
    ],
)
def test_a_message_that_differs_in_anything_is_another_one(anna: Person, tmp_path: Path, other: str) -> None:
    imported(anna, tmp_path, f"{HEAD}Hello\n")
    assert "1 message imported, 2 in all" in imported(anna, tmp_path, other)


def test_messages_that_are_skipped_are_not_taken_for_later_ones(anna: Person, tmp_path: Path) -> None:
    """As after an import that broke off between two of the same."""
    imported(anna, tmp_path, f"{HEAD}+1\n")
    assert "1 message imported, 2 in all" in imported(anna, tmp_path, f"{HEAD}+1\n" * 2, "--skip", "1")


def test_what_was_redacted_does_not_come_back(make_server: ServerMaker, anna: Person, tmp_path: Path) -> None:
    text = f"{LINES}{HEAD}no\n{HEAD}my number is 555-0199\n"
    imported(anna, tmp_path, text)
    server = make_server("--lang", "en").start()
    for number in (2, 3, 4):
        anna.run("admin", "redact", str(number)).assert_well()
    server.stop()
    redacted = history(tmp_path)
    assert "0 messages imported, 4 were there already" in imported(anna, tmp_path, text)
    # Nor is a copy of the history itself imported twice.
    assert "0 messages imported, 4 were there already" in imported(anna, tmp_path, redacted)
    assert history(tmp_path) == redacted
    assert "привет" not in redacted


def test_control_characters_and_long_messages_are_known_again(anna: Person, tmp_path: Path) -> None:
    text = f"{HEAD}\x1b[1m bell \x07\n{HEAD}{'x' * SHOWN_BYTES}ж\n{HEAD}[removed]---\n"
    imported(anna, tmp_path, text)
    before = history(tmp_path)
    assert "0 messages imported, 3 were there already" in imported(anna, tmp_path, text)
    assert history(tmp_path) == before


def test_the_history_of_a_room_is_named_by_the_room(anna: Person, tmp_path: Path) -> None:
    imported(anna, tmp_path, LINES, "--room", "dev")
    assert (tmp_path / "chat_history.dev.txt").read_text(encoding="utf-8") == LINES
    assert anna.run("history", "--room", "dev").assert_well() == LINES
    assert "chat_history.dev.txt" in anna.run("verify", "--room", "dev").assert_well()
    assert anna.run("history", "talk.txt", "--room", "main").status == 1
    (tmp_path / "talk.dev.txt").write_text(LINES, encoding="utf-8")
    assert anna.run("history", "--room", "dev", "-n", "1", BESEDKA_HISTORY="talk.txt").assert_well()
    anna.run("history", "--room", "typo").assert_one_clear_line(1, "chat_history.typo.txt")
    anna.run("history", "--room", "a/b").assert_one_clear_line(2, "room name cannot be used")
