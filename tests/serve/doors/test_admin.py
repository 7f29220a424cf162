"""The operator's socket."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from besedka.serve.chat import Chat
from besedka.serve.doors.admin import AdminDoor
from besedka.serve.errors import SocketUnusable
from besedka.serve.exposition import Exposition
from besedka.serve.session import Moderator
from besedka.serve.settings import Settings
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Response
from tests import looping
from tests.serve.faking import moderator, overview


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_that_has_no_room_for_it_does_not_keep_the_chat_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    error = OSError(number, os.strerror(number))
    open_where_no_socket_can_be_made(tmp_path, monkeypatch, error)
    assert "no socket for `besedka admin`" in caplog.text


def test_any_other_fault_is_reported_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SocketUnusable, match="permission denied"):
        open_where_no_socket_can_be_made(
            tmp_path, monkeypatch, OSError(errno.EACCES, os.strerror(errno.EACCES))
        )


def open_where_no_socket_can_be_made(folder: Path, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def bind(*_: object) -> None:
        raise error

    async def scenario() -> None:
        chat = Chat(Settings(history=folder / "talk.txt"))
        try:
            with monkeypatch.context() as disk:
                disk.setattr(socket.socket, "bind", bind)
                async with AdminDoor(
                    moderator(chat), overview(chat), chat.metrics, chat.clock.stamp, Language.EN
                ).open(folder / "talk.txt.admin"):
                    pass
        finally:
            await chat.close()

    looping.run(scenario())


async def exchange(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    """Say these lines to the socket, and hear the answers."""
    reader, writer = await asyncio.open_unix_connection(path)
    answers = []
    async with asyncio.timeout(60):
        for line in lines:
            writer.write(line + b"\n")
            answers.append(json.loads(await reader.readline()))
    writer.close()
    return answers


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ZeroDivisionError("a bug"), "internal_error"),
        (OSError(errno.EIO, "Input/output error"), "internal_error"),
        (TimeoutError(), "internal_error"),
        (Refused(ErrorCode.NOT_STORED), "not_stored"),
    ],
    ids=["a bug", "the disk", "a timeout", "a refusal"],
)
def test_an_error_of_the_server_is_not_reported_as_one_of_the_request(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    code: str,
) -> None:
    async def fail(*_: object) -> Response:
        raise error

    monkeypatch.chdir(tmp_path)  # the path of a socket may not be long
    path, kick = Path("admin"), b'{"type":"moderate","act":"kick","user":"Anna","key":"k1"}'

    async def scenario() -> None:
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        operator = moderator(chat)
        monkeypatch.setattr(Moderator, "command", fail)
        async with AdminDoor(operator, overview(chat), chat.metrics, chat.clock.stamp, Language.EN).open(
            path
        ):
            failed, malformed = await exchange(path, kick, b'{"type":"moderate","act":"explode"}')
        assert (failed["type"], failed["code"], failed["key"]) == ("error", code, "k1")
        assert malformed["code"] == "bad_frame"
        assert ("its log" in failed["text"]) is (code == "internal_error")
        assert b'besedka_refusals_total{code="internal_error"}' not in Exposition(chat.metrics).text()
        await chat.close()

    looping.run(scenario())
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == (
        [] if isinstance(error, Refused) else [error]
    )
