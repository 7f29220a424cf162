"""Unix sockets that only the server's own user can open."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from besedka.serve.errors import SocketUnusable
from besedka.serve.files.descriptor import reason

log = logging.getLogger(__name__)

PATH_BYTES: Final = 100
"""Longest name of a socket that every system accepts (unix(7) has 107, macOS 103)."""

_OTHERS: Final = 0o177


def remove_if_dead(path: Path) -> None:
    """Remove a socket that a killed server has left behind.

    Raises:
        SocketUnusable: if a server listens there, or if it is not a socket.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SocketUnusable(path, "there is something else of this name")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                with short(path) as name:
                    probe.connect(name)
            except ConnectionRefusedError:
                path.unlink()
            else:
                raise SocketUnusable(path, "another server listens there")


def remove(path: Path) -> None:
    """Remove this server's socket; if the file system refuses, the next server removes it (`remove_if_dead`)."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("the socket %s could not be removed: %s", path, reason(error))


@contextlib.contextmanager
def nobody_else() -> Iterator[None]:
    """Create files and sockets that only their owner can use, while the context lasts."""
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


@contextlib.contextmanager
def short(path: Path) -> Iterator[str]:
    """A name to bind or connect a socket by, short enough as long as the last part of its path is: valid while the context lasts.

    In a folder whose path is too long, Linux takes a name below its open descriptor (proc(5)), other systems the path seen from here.

    Raises:
        OSError: if there is no such folder.
    """
    whole = str(path.absolute())
    if len(os.fsencode(whole)) <= PATH_BYTES:
        yield whole
    elif sys.platform == "linux":
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{folder}/{path.name}"
        finally:
            os.close(folder)
    else:
        yield os.path.relpath(whole)


def disown_if_closed(given: socket.socket, transport: asyncio.BaseTransport) -> None:
    """Have a socket close nothing, if the transport that it was given to has ended already; to be called as soon as there is a transport.

    uvloop makes a transport the owner of its socket after it has called the protocol. A transport that was closed before has closed the
    descriptor, and the socket would close the same number once more when it is collected: by then it may be another connection's.
    """
    if transport.is_closing():
        given.detach()
