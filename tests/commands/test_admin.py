"""``besedka admin`` and a program at its socket that is not honest."""

from __future__ import annotations

import itertools
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from besedka.commands import admin, operator_socket
from besedka.commands.exit_status import Unreachable


@pytest.fixture
def dripping(tmp_path: Path) -> Iterator[Path]:
    """The socket of a program that answers one byte after the other, and never ends its line."""
    path = tmp_path / "socket"

    def drip(server: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                for _ in itertools.count():
                    connection.send(b"x")

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=drip, args=[server])
        thread.start()
        yield path
        server.shutdown(socket.SHUT_RDWR)  # also if nobody has come
        thread.join()


def test_an_answer_that_drips_is_not_waited_for_longer_than_a_silent_one(
    dripping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_socket, "TIMEOUT_SECONDS", 0.2)
    command = ["--socket", str(dripping), "kick", "Boris"]
    done = CliRunner().invoke(admin.admin, command, standalone_mode=False)
    assert isinstance(done.exception, Unreachable)
    assert "does not answer" in str(done.exception)


def test_a_socket_that_another_user_has_laid_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o1777)
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        if os.geteuid() == 0:
            os.chown(path, 4711, -1)
        else:
            somebody = os.geteuid() + 1
            monkeypatch.setattr(os, "geteuid", lambda: somebody)
        done = CliRunner().invoke(admin.admin, ["--socket", str(path), "ban", "Boris"], standalone_mode=False)
    assert isinstance(done.exception, Unreachable)
    assert "belongs to another user of this machine" in str(done.exception)
