"""``besedka admin``, and the socket by which it talks with the server."""

from __future__ import annotations

import json
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commanding import Person
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import WireClient

KEY = "zq7IjvIUlbcR1vFNGsrZyKsk61DnyO7FYxd5-o7-mSI"


@pytest.fixture
def operator(server: RunningServer, tmp_path: Path) -> Iterator[Person]:
    """The operator, working in another folder."""
    home = tmp_path / "home"
    home.mkdir()
    with Person(home, BESEDKA_HISTORY=str(server.history)) as person:
        yield person


def test_a_chat_is_kept_in_order_from_the_command_line(server: RunningServer, operator: Person) -> None:
    with WireClient(server) as anna, WireClient(server) as boris:
        anna.join("Anna", secret="a")
        boris.join("Boris", secret="b")
        assert operator.run("admin", "appoint", "Anna").assert_well() == "Anna is now a moderator\n"
        shown = operator.run("admin", "mute", "Boris", "--for", "10m", "--reason", "too loud").assert_well()
        assert re.fullmatch(r"Boris is muted until 20\d\d-\d\d-\d\d \d\d:\d\d\n", shown)
        boris.send_frame("chat", text="x")
        assert boris.receive("error")["text"].endswith("too loud)")
        anna.send_frame("chat", text="a secret", key="a1")
        anna.receive("chat")
        shown = operator.run("admin", "redact", "1").assert_well()
        assert shown == "main: message 1 was removed\n"
        assert server.lines[0].endswith("Anna: --------")
        assert (
            operator.run("admin", "ban", "Boris", "--for", "2d")
            .assert_well()
            .startswith("Boris is banned until")
        )
        assert boris.ending()[0] == 4005
    assert operator.run("admin", "unban", "Boris").assert_well() == "Boris is no longer banned\n"
    assert (
        operator.run("admin", "slow", "30s").assert_well()
        == "main: slow mode, one message per person every 30 seconds\n"
    )
    assert operator.run("admin", "slow", "off").assert_well() == "main: slow mode is off\n"
    assert operator.run("admin", "release", "Boris").assert_well() == "The name Boris is free\n"
    with WireClient(server) as another:
        assert another.join("Boris", secret="c")["user"] == "Boris"


def test_an_invitation_to_a_name_is_printed_as_a_link_that_lets_one_in(
    make_server: ServerMaker, operator: Person, server: RunningServer
) -> None:
    server.stop()
    invited = make_server("--lang", "en", "--names", "invited").start()
    shown = operator.run(
        "admin", "admit", "Вера", "--for", "1d", "--url", "https://chat.example.org"
    ).assert_well()
    found = re.fullmatch(
        r"https://chat\.example\.org/#;invite=([\w-]+);name=%D0%92%D0%B5%D1%80%D0%B0\n", shown
    )
    assert found
    with WireClient(invited) as vera:
        assert vera.join("Вера", secret="v", invite=found[1])["user"] == "Вера"
    shown = operator.run("admin", "admit", "Egor", "--url", "chat.example.org/talk/").assert_well()
    assert shown.startswith("http://chat.example.org/talk/#;invite=")


def test_the_operator_is_shown_the_link_with_the_key(server: RunningServer, operator: Person) -> None:
    missing = operator.run("admin", "link")
    missing.assert_one_clear_line(1, "no such file", "access_key.txt", "--history", "--key-file")
    keys = server.history.with_name("access_key.txt")
    keys.write_text(f"# for all\n{KEY} all of us\nanother-key-of-ours\n")
    run = operator.run
    assert run("admin", "link").assert_well() == f"http://localhost:8765/#;key={KEY}\n"
    shown = run("admin", "link", "--url", "https://chat.example.org#dev").assert_well()
    assert shown == f"https://chat.example.org/#dev;key={KEY}\n"
    others = operator.home / "others"
    others.write_text("the-key-of-the-others\n")
    shown = run("admin", "link", "--key-file", "others", "--url", "10.0.0.7:8765/talk/").assert_well()
    assert shown == "http://10.0.0.7:8765/talk/#;key=the-key-of-the-others\n"
    assert run("admin", "link", BESEDKA_KEY_FILE=str(others)).assert_well().endswith("others\n")
    others.write_text("short\n")
    bad = run("admin", "link", "--key-file", "others")
    bad.assert_one_clear_line(1, "cannot use the access keys in others: the key in line 1 cannot be used")


def test_an_invitation_has_the_access_key_where_one_is_needed(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    first, second = "the-first-of-the-keys", "the-second-of-the-keys"
    # Beside the history, as `--lan` has it, and elsewhere.
    for name in ("access_key.txt", "keys"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text(f"# come in\n{first} for all\n{second}\n", encoding="utf-8")
        (folder / name).chmod(0o600)
        options = ("--names", "invited", "--key-file", str(folder / name))
        server = make_server("--lang", "en", *options, directory=folder).start()
        asked = ("--history", str(server.history), "admit")
        named = () if name == "access_key.txt" else ("--key-file", str(folder / name))
        with Person(folder) as operator:
            shown = operator.run("admin", *asked, "Anna", "--url", server.page, *named).assert_well()
            found = re.fullmatch(rf"{server.page}#;key={first};invite=([\w-]+);name=Anna\n", shown)
            assert found, shown
            # It is all that she needs.
            operator.run("send", "--url", shown.strip(), "hello").assert_well()
            assert server.lines[-1].endswith("] Anna: hello")
            given = f"{server.page}#dev;key={second}"
            shown = operator.run("admin", *asked, "Boris", "--url", given, *named).assert_well()
            assert shown.startswith(f"{server.page}#;key={second};invite=")
            if named:
                assert ";key=" not in operator.run("admin", *asked, "Clara").assert_well()
                refused = operator.run("admin", *asked, "Clara", "--key-file", str(folder / "none"))
                refused.assert_one_clear_line(1, "no such file")
                assert not (folder / "none").exists()
                (folder / name).write_text("short\n", encoding="utf-8")
                operator.run("admin", *asked, "Clara", *named).assert_one_clear_line(1, "line 1")
                refused = operator.run("admin", *asked, "Clara", "--url", "lab#;key=short")
                refused.assert_one_clear_line(2, "--url")


def test_what_goes_wrong_is_one_clear_line(server: RunningServer, operator: Person) -> None:
    run = operator.run
    run("admin", "kick", "Boris").assert_one_clear_line(4, "Boris is not here now")
    run("admin", "redact", "7").assert_one_clear_line(4, "no message 7 in the room main")
    run("admin", "slow", "30s", "--room", "dev").assert_one_clear_line(4, "There is no room dev")
    run("admin", "ban", "127.0.0.1").assert_one_clear_line(4, "the server's own address")
    run("admin", "ban", "a:b").assert_one_clear_line(4, "colon")
    run("admin", "ban", "Andr\udce9").assert_one_clear_line(2, "is not UTF-8")
    run("admin", "kick", "Boris", "--reason", "\udce9").assert_one_clear_line(2, "is not UTF-8", "--reason")
    run("admin", "redact", "7", "--room", "\udce9").assert_one_clear_line(2, "is not UTF-8", "--room")
    run("admin", "ban", "Boris", "--for", "soon").assert_one_clear_line(2, "'soon' is not a time", "10m")
    run("admin", "ban", "Boris", "--reason", "x" * 300).assert_one_clear_line(4, "300", "200")
    run("admin", "explode").assert_one_clear_line(2, "explode")
    server.stop()
    run("admin", "kick", "Boris").assert_one_clear_line(3, "no server is reached", "--socket")
    other = operator.home / "other"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(other))
        listener.listen()
        started = operator.start("admin", "--socket", str(other), "kick", "Boris")
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            done = started.end()
    done.assert_one_clear_line(3, "is not Besedka")


def test_the_socket_is_its_owners_and_goes_with_the_server(make_server: ServerMaker, tmp_path: Path) -> None:
    path = tmp_path / "chat_history.txt.admin"
    server = make_server("--lang", "en").start()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server.kill()
    assert path.exists()
    server.start()  # what a killed server has left behind is in nobody's way
    with Operator(server) as operator:
        operator.do("mute", "Boris")
    assert server.stop() == 0
    assert not path.exists()


def test_it_can_be_somewhere_else_or_nowhere(make_server: ServerMaker, tmp_path: Path) -> None:
    server = make_server("--lang", "en", "--admin-socket", "control").start()
    with Operator(server, tmp_path / "control") as operator:
        operator.do("mute", "Boris")
    server.stop()
    server = make_server("--admin-socket", "").start()
    assert [path for path in tmp_path.iterdir() if stat.S_ISSOCK(path.stat().st_mode)] == []


@pytest.mark.parametrize("what", ["too long", "a file", "another server"])
def test_a_socket_that_cannot_be_is_named(make_server: ServerMaker, tmp_path: Path, what: str) -> None:
    (tmp_path / "file").write_text("")
    path = {"too long": "x" * 200, "a file": "file", "another server": "taken"}[what]
    expected = {
        "too long": "--admin-socket PATH names another one",
        "a file": "there is something else of this name",
        "another server": "another server listens there",
    }[what]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "taken"))
        listener.listen()
        server = make_server("--admin-socket", path)
        with pytest.raises(AssertionError, match=expected):
            server.start()
    assert server.wait() == 1
    assert (tmp_path / "file").exists()


def test_a_history_in_a_deep_folder_has_a_socket_too(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    server = RunningServer(deep, "--lang", "en").start()
    try:
        with Person(deep) as inside, Person(tmp_path) as outside:
            inside.run("admin", "mute", "Boris").assert_well()
            outside.run("admin", "--history", f"{deep.name}/chat_history.txt", "mute", "Anna").assert_well()
    finally:
        server.close()


def test_each_line_has_one_answer_whatever_it_is(server: RunningServer) -> None:
    with Operator(server) as operator:
        assert operator.send(b"what\n")["code"] == "bad_json"
        assert operator.send(b'{"type":"chat","text":"x"}\n')["code"] == "unknown_type"
        assert operator.send(b'{"type":"moderate","act":"explode"}\n')["code"] == "bad_frame"
        assert operator.send(b'{"type":"moderate","act":"ban"}\n')["code"] == "bad_name"
        assert operator.send(b'\n  \n{"type":"moderate","act":"kick","user":"X","key":"k"}\n')["key"] == "k"
        assert operator.ask("ban", "Boris", seconds=2**62)["code"] == "bad_frame"
        assert operator.ask("slow", seconds=2**31)["code"] == "bad_frame"
        word = json.dumps(
            {"type": "moderate", "act": "mute", "user": "Boris", "reason": "a\nb: \u202e\x1b[31m"}
        )
        assert operator.send(word.encode() + b"\n")["type"] == "done"
        for size in (65_537, 70_000, 1_000_000):
            assert operator.send(b"x" * size + b"\n")["code"] == "frame_too_long"
        assert operator.ask("unmute", "Boris")["type"] == "done"
    assert "Traceback" not in server.errors
    line, _ = (server.directory / "audit.txt").read_text("utf-8").splitlines()
    assert "\x1b" not in line
    assert "\u202e" not in line
