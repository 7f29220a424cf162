"""SIGHUP: a running server reloads; one whose terminal was closed ends. And what a service manager is told of it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests import prefork
from tests.commanding import BESEDKA, TIMEOUT_SECONDS, wait_until
from tests.conftest import ServerMaker
from tests.proxies.proxying import make_certificate
from tests.running import RunningServer, edit, fetch, free_port
from tests.talking import WireClient

ONE, TWO = "k" * 40, "l" * 40


def hang_up(server: RunningServer) -> str:
    """Have it reload; the log from then on, up to the report."""
    before, reports = server.errors, server.errors.count(" reloaded: ")
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: server.errors.count(" reloaded: ") > reports)
    # What else was found is reported at once behind it; the answer to a request comes later.
    fetch(server, "/healthz")
    return server.errors.removeprefix(before)


def private(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_sighup_reloads_the_level_of_the_log_and_says_what_needs_a_restart(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    config = private(tmp_path / "besedka.toml", "rate = 50.0\n")
    server = make_server("--lang", "en").start()
    with WireClient(server) as anna:
        anna.join("Anna")
        assert "DEBUG" not in server.errors
        edit(config, 'log-level = "debug"\nrate = 60.0\nport = 1\n')
        shown = hang_up(server)
        assert "INFO besedka.serve.reload: reloaded: log-level = debug\n" in shown
        assert "WARNING besedka.serve.reload: in force only after a restart: rate\n" in shown
        anna.send_frame("chat", text="still here")
        anna.receive("chat")
        assert "DEBUG besedka.serve.chat.committer: messages stored in the room main: 1, " in server.errors
        edit(config, 'log-level = "loud"\n')
        shown = hang_up(server)
        assert re.search(
            r"ERROR \S+ not reloaded, and left as it was: besedka.toml: log-level = 'loud' cannot", shown
        )
        edit(config, 'rate = 50.0\nlog-format = "json"\n')
        before = server.errors
        os.kill(server.pid, signal.SIGHUP)
        wait_until(lambda: '"event": "reloaded"' in server.errors.removeprefix(before))
        fetch(server, "/healthz")
        assert "restart" not in server.errors.removeprefix(before)
    assert server.stop() == 0


def test_an_option_keeps_its_value_whatever_the_file_says(make_server: ServerMaker, tmp_path: Path) -> None:
    config = private(tmp_path / "besedka.toml", "")
    server = make_server("--log-level", "info", BESEDKA_RATE="20").start()
    edit(config, 'log-level = "debug"\nrate = 5.0\n')
    shown = hang_up(server)
    assert "reloaded: nothing has changed" in shown
    assert "restart" not in shown
    assert server.stop() == 0


def test_a_file_that_was_made_since_the_start_is_read(make_server: ServerMaker, tmp_path: Path) -> None:
    server = make_server().start()
    private(tmp_path / "besedka.toml", 'log-level = "warning"\nclaim-days = 5\n')
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: "in force only after a restart: claim-days" in server.errors)
    assert server.stop() == 0
    assert "stops" not in server.errors
    other = make_server("--config", "").start()
    assert "reloaded: nothing has changed" in hang_up(other)
    assert other.stop() == 0


def test_sighup_reads_the_access_keys_at_once(make_server: ServerMaker, tmp_path: Path) -> None:
    keys = private(tmp_path / "keys.txt", f"{ONE}\n")
    server = make_server("--key-file", "keys.txt").start()
    edit(keys, f"{ONE}\n{TWO}\n")
    assert "access keys: 2" in hang_up(server)
    assert fetch(server, "/readyz", {"Authorization": f"Bearer {TWO}"})[0] == 200
    edit(keys, "short\n")
    shown = hang_up(server)
    assert "not reloaded, and left as it was: the access keys: the key in line 1 cannot be used" in shown
    assert fetch(server, "/readyz", {"Authorization": f"Bearer {TWO}"})[0] == 200
    assert server.stop() == 0


def serial(port: int) -> str:
    """The certificate that a port shows."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)


def test_sighup_takes_a_renewed_certificate_at_both_ports_and_cuts_nobody_off(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    old = make_certificate(tmp_path)
    (tmp_path / "new").mkdir()
    new = make_certificate(tmp_path / "new")
    server = make_server("--open", "--tls-cert", "chat.pem", "--tls-key", "chat.key", grpc=True).start()
    ports = (server.port, server.grpc_port)
    before = {serial(port) for port in ports}
    reports = server.errors.count("reloaded: ")
    old.path.write_text("nothing yet", encoding="utf-8")
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: "cannot use the certificate" in server.errors)
    assert {serial(port) for port in ports} == before
    new.path.replace(old.path)
    new.key.replace(old.key)
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: server.errors.count("reloaded: ") == reports + 2)
    assert {serial(port) for port in ports} == {old.path.read_text(encoding="utf-8")} != before
    assert server.stop() == 0


# The terminal.


@contextmanager
def in_a_terminal(folder: Path) -> Iterator[tuple[prefork.Forked, int, int]]:
    """A server in a window: the process, the window's end of the terminal, and its port."""
    window, terminal = os.openpty()
    port = free_port()
    program = prefork.Forked(
        ["serve", "--port", str(port), "--grpc-port", "0"],
        cwd=folder,
        env=prefork.environment(TERM="dumb"),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        is_terminal=True,
    )
    os.close(terminal)
    shown = b""
    while b"listens on unix" not in shown:
        shown += os.read(window, 4096)
    try:
        yield program, window, port
    finally:
        program.kill()
        program.wait()


def test_a_server_whose_window_is_closed_ends_well(tmp_path: Path) -> None:
    with in_a_terminal(tmp_path) as (program, window, _):
        os.close(window)
        assert program.wait(TIMEOUT_SECONDS) == 0


def test_a_server_in_a_window_that_stays_reloads(tmp_path: Path) -> None:
    with in_a_terminal(tmp_path) as (program, window, _):
        os.kill(program.pid, signal.SIGHUP)
        shown = b""
        while b"reloaded: nothing has changed" not in shown:
            shown += os.read(window, 4096)
        assert program.poll() is None
        # A shell that passes SIGHUP on when it ends closes the window only then.
        os.close(window)
        assert program.wait(TIMEOUT_SECONDS) == 0


@pytest.mark.parametrize("behind", ["", " &"], ids=["foreground", "background"])
def test_a_server_that_a_shell_has_started_ends_with_the_shells_window(tmp_path: Path, behind: str) -> None:
    environment = prefork.environment(TERM="dumb")
    shell = pexpect.spawn("bash", ["--norc", "-i"], cwd=tmp_path, env=environment, timeout=TIMEOUT_SECONDS)
    command = shlex.join([*BESEDKA, "serve", "--port", str(free_port()), "--grpc-port", "0"])
    shell.sendline(f"{command} 2> log{behind}")
    shell.expect_exact("stop      Ctrl-C")
    log = tmp_path / "log"
    wait_until(lambda: "listens on unix" in log.read_text())
    shell.close()
    wait_until(lambda: "server: stopped\n" in log.read_text())
    assert "stops: SIGHUP, because its terminal was closed" in log.read_text()


# The service manager.


@pytest.mark.parametrize("is_abstract", [False, True])
def test_a_service_manager_learns_of_start_reload_and_end(
    make_server: ServerMaker, tmp_path: Path, *, is_abstract: bool
) -> None:
    name = f"@besedka-test-{os.getpid()}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0"))
        manager.settimeout(TIMEOUT_SECONDS)
        server = make_server(NOTIFY_SOCKET=name).start()
        assert manager.recv(1000) == b"READY=1"
        os.kill(server.pid, signal.SIGHUP)
        assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", manager.recv(1000))
        assert manager.recv(1000) == b"READY=1"
        assert server.stop() == 0
        assert manager.recv(1000) == b"STOPPING=1"


def test_a_service_manager_that_is_gone_keeps_nobody_from_starting(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    server = make_server(NOTIFY_SOCKET=str(tmp_path / "gone")).start()
    assert server.stop() == 0
    assert "the service manager could not be told: no such file or directory" in server.errors


def test_what_the_unit_reloads_with_is_what_the_server_understands() -> None:
    unit = (prefork.ROOT / "deploy" / "besedka.service").read_text(encoding="utf-8")
    assert "\nType=notify\n" in unit
    assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in unit
