"""The operator's socket."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from besedka.serve.chat import Chat
from besedka.serve.doors.admin import AdminDoor
from besedka.serve.errors import SocketUnusable
from besedka.serve.settings import Settings
from besedka.wire.errors import Language
from tests import looping
from tests.serve.faking import moderator


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_that_has_no_room_for_it_does_not_keep_the_chat_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    error = OSError(number, os.strerror(number))
    open_where_no_socket_can_be_made(tmp_path, monkeypatch, error)
    assert "no socket for `besedka admin`" in caplog.text


def test_any_other_fault_is_told_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SocketUnusable, match="permission denied"):
        open_where_no_socket_can_be_made(
            tmp_path, monkeypatch, OSError(errno.EACCES, os.strerror(errno.EACCES))
        )


def open_where_no_socket_can_be_made(folder: Path, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def bind(*_: object) -> None:
        raise error

    async def scenario() -> None:
        chat = Chat(Settings(history=folder / "talk.txt"))
        with monkeypatch.context() as disk:
            disk.setattr(socket.socket, "bind", bind)
            async with AdminDoor(moderator(chat), chat.metrics, chat.clock.stamp, Language.EN).open(
                folder / "talk.txt.admin"
            ):
                pass

    looping.run(scenario())
