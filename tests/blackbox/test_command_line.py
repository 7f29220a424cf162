"""The command line from outside: options, environment, and one clear line for what goes wrong."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from besedka import __version__, cli
from tests import prefork
from tests.conftest import ServerMaker
from tests.talking import WireClient

BESEDKA = [sys.executable, "-m", "besedka"]
NOBODY = 65534


def besedka(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = prefork.environment(XDG_CONFIG_HOME=str(cwd), XDG_STATE_HOME=str(cwd), **environment)
    return prefork.run_as_text(arguments, cwd=cwd, env=env)


def assert_one_clear_line(done: subprocess.CompletedProcess[str], status: int, *parts: str) -> None:
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for part in parts:
        assert part in done.stderr


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert besedka("--version", cwd=tmp_path).stdout == f"besedka {__version__}\n"


def test_the_installed_command_is_the_same(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("besedka")
    done = subprocess.run([command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"besedka {__version__}\n"


@pytest.mark.parametrize("arguments", [[], *([name] for name in cli.besedka.commands)])
def test_help_has_examples(tmp_path: Path, arguments: list[str]) -> None:
    """In a fresh interpreter: each command starts by itself."""
    command = [*BESEDKA, *arguments, "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Examples:" in done.stdout
    assert "\n    besedka " in done.stdout


def test_the_greeting_tells_where_to_go_and_where_the_words_are(make_server: ServerMaker) -> None:
    server = make_server().start()
    text = "\n".join(server.greeting)
    assert f"http://localhost:{server.port}" in text
    assert str(server.history) in text
    assert "the history is empty" in text


def test_each_option_can_come_from_the_environment(make_server: ServerMaker, tmp_path: Path) -> None:
    settings = {
        "BESEDKA_HISTORY": "talk.log",
        "BESEDKA_UTC": "1",
        "BESEDKA_LANG": "en",
        "BESEDKA_HOST": "127.0.0.1",
    }
    server = make_server(is_fresh=True, TZ="Asia/Tokyo", **settings).start()
    with WireClient(server) as anna:
        assert anna.join("Anna")["utc_offset"] == 0
        anna.send_frame("chat", text="")
        assert anna.receive("error")["text"].startswith("The message is empty")
    assert (tmp_path / "talk.log").exists()


def test_the_port_can_come_from_the_environment(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = besedka("serve", cwd=tmp_path, BESEDKA_PORT=str(port))
    assert_one_clear_line(done, 1, f"127.0.0.1 port {port}", "address already in use")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["serve", "--port", "99999"], ["--port", "65535"]),
        (["serve", "--port", "http"], ["--port"]),
        (["serve", "--lang", "fr"], ["--lang", "ru", "en"]),
        (["serve", "--nonsense"], ["--nonsense"]),
        (["nonsense"], ["nonsense"]),
    ],
)
def test_a_bad_option_is_named(tmp_path: Path, arguments: list[str], parts: list[str]) -> None:
    assert_one_clear_line(besedka(*arguments, cwd=tmp_path), 2, *parts)


def test_a_host_that_is_not_ours_is_named(tmp_path: Path) -> None:
    done = besedka("serve", "--host", "192.0.2.1", "--port", "0", cwd=tmp_path)
    assert_one_clear_line(done, 1, "192.0.2.1")


def test_a_history_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "talk").mkdir()
    done = besedka("serve", "--history", "talk", cwd=tmp_path)
    assert_one_clear_line(done, 1, str(tmp_path / "talk"), "is a directory")


def test_a_history_in_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = besedka("serve", "--history", "no/where.txt", cwd=tmp_path)
    assert_one_clear_line(done, 1, str(tmp_path / "no" / "where.txt"), "no such file or directory")


@pytest.mark.parametrize("is_file", [True, False])
def test_a_history_without_permission_is_refused(tmp_path: Path, is_file: bool) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    if is_file:
        (locked / "history.txt").touch(mode=0o000)
    locked.chmod(0o555)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    # Root may write everywhere, so root becomes nobody first; anybody else is nobody enough.
    user = NOBODY if os.geteuid() == 0 else None
    probe = "import sys; from besedka.cli import main; sys.argv = ['besedka', *sys.argv[1:]]; main()"
    drop = f"import os, uvloop; os.setuid({user}); " if user else ""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            # Nobody may be kept from reading this Python's own modules.
            "import besedka.cli, besedka.commands.serve, besedka.serve.server, resource;" + drop + probe,
            "serve",
            "--history",
            "history.txt",
        ],
        cwd=locked,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert_one_clear_line(done, 1, str(locked / "history.txt"), "permission denied")


def test_a_second_server_on_the_same_history_says_who_has_it(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    server = make_server().start()
    done = besedka("serve", "--port", "0", cwd=tmp_path)
    assert_one_clear_line(done, 1, str(server.history), "in use", str(server.pid))


def test_ctrl_c_ends_it_in_good_order(make_server: ServerMaker) -> None:
    server = make_server().start()
    with WireClient(server) as anna:
        anna.join("Anna")
        os.kill(server.pid, 2)
        assert server.wait() == 0


@pytest.mark.parametrize("command", [["history"], ["doctor"], ["send", "--json", "hi"]])
def test_an_output_that_is_closed_is_reported(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "chat_history.txt").touch()
    done = subprocess.run(
        ["bash", "-c", '"$@" >&-', "bash", *BESEDKA, *command],
        cwd=tmp_path,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"besedka: the output cannot be written: it is closed\n")


def test_without_a_command_the_help_is_shown_as_an_error(tmp_path: Path) -> None:
    done = besedka(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


@pytest.mark.parametrize("reader", ["head -n 1", "true"])
def test_a_reader_that_has_enough_is_a_success(tmp_path: Path, reader: str) -> None:
    (tmp_path / "chat_history.txt").write_text("[2025-11-19 23:46:36] Anna: Hello\n" * 50_000)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"'{sys.executable}' -m besedka history | {reader}"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_terminal_client_without_a_terminal_names_the_command_for_pipes(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", 'echo hello | "$@"', "bash", *BESEDKA, "chat"],
        cwd=tmp_path,
        env=prefork.environment(XDG_CONFIG_HOME=str(tmp_path), XDG_STATE_HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert_one_clear_line(done, 2, "needs a terminal", "besedka send")
