"""The server's socket for the operator, as `besedka admin` uses it: one line of JSON asks, one line answers."""

from __future__ import annotations

import os
import socket
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from besedka.commands.exit_status import Failure, Refusal, Unreachable

if TYPE_CHECKING:
    from besedka.wire.operator_frames import OperatorAnswer, OperatorRequest

TIMEOUT_SECONDS: Final = 30.0
"""How long the whole answer of the server may take."""

CHUNK_BYTES: Final = 64 * 1024


def ask(path: Path, frame: OperatorRequest) -> OperatorAnswer:
    """Send a request to the server whose socket is there, and return its response.

    Raises:
        Failure: after an error of the server.
        Refusal: if the server refuses it.
        Unreachable: if there is no server, or the program there is not Besedka.
    """
    from besedka.wire.errors import INTERNAL_ERROR, Refused
    from besedka.wire.frames import Done, Error, Invitation
    from besedka.wire.operator_frames import decode_operator_answer, encode_operator
    from besedka.wire.received_frames import check_received

    line = _exchange(path, encode_operator(frame) + b"\n")
    try:
        answer = decode_operator_answer(line)
        if isinstance(answer, Done | Error | Invitation):
            check_received(answer)
    except (Refused, ValueError):
        raise not_besedka(path) from None
    if isinstance(answer, Error):
        raise Failure(answer.text) if answer.code == INTERNAL_ERROR else Refusal(answer.text)
    return answer


def not_besedka(path: Path) -> Unreachable:
    """The error that another program listens at a path."""
    return Unreachable(f"the program that listens at {path} is not Besedka")


def _line(connection: socket.socket, at_most: int, until: float) -> bytes:
    """Receive a line: all of it by a time of the monotonic clock, whatever comes meanwhile.

    Raises:
        TimeoutError: if it is not there by then.
    """
    data = bytearray()
    while b"\n" not in data[-CHUNK_BYTES:] and len(data) < at_most:
        if (remaining := until - time.monotonic()) <= 0:
            raise TimeoutError
        connection.settimeout(remaining)
        if not (more := connection.recv(CHUNK_BYTES)):
            break
        data += more
    line, end, _ = data.partition(b"\n")
    return bytes(line + end)


def _refuse_foreign(path: Path) -> None:
    """Refuse a socket that another user of this machine may have laid: they would answer in the server's place.

    Raises:
        Unreachable: if everybody can write to its folder, and it belongs neither to who runs this nor to root.
        OSError: from the system.
    """
    owner, folder = path.stat().st_uid, path.parent.stat()
    if folder.st_mode & stat.S_IWOTH and owner not in {0, os.geteuid()}:
        raise Unreachable(
            f"the socket {path} belongs to another user of this machine (uid {owner}), and everybody can write to its folder: "
            "it is not believed; if it is the server's, be that user"
        )


def _exchange(path: Path, line: bytes) -> bytes:
    from besedka.serve.doors.unix_sockets import short
    from besedka.wire.validation import SERVER_FRAME_BYTES_AT_MOST

    until = time.monotonic() + TIMEOUT_SECONDS
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            _refuse_foreign(path)
            with short(path) as name:
                connection.connect(name)
            connection.sendall(line)
            answer = _line(connection, SERVER_FRAME_BYTES_AT_MOST, until)
        except TimeoutError:
            raise Unreachable(f"the server at {path} does not answer") from None
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise Unreachable(
                f"no server is reached at {path}: {why}; --history or --socket say where it is"
            ) from None
    if len(answer) >= SERVER_FRAME_BYTES_AT_MOST:
        raise Unreachable(f"the program that listens at {path} is not Besedka: its answer does not end")
    if not answer:
        raise Unreachable(f"the server at {path} has ended before it answered")
    return answer
