"""Reports to the service manager: the server is ready, reloads, or stops (sd_notify(3)). Without one nothing is reported."""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import Final

from besedka.serve.files.descriptor import reason

log = logging.getLogger(__name__)

ADDRESS: Final = "NOTIFY_SOCKET"
"""The variable with the manager's socket: a path, or a name in the abstract namespace behind ``@``."""


def ready() -> None:
    """The server is ready, or has reloaded."""
    _notify("READY=1")


def reloading() -> None:
    """The server reloads; `ready` says when it has."""
    _notify("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def stopping() -> None:
    """The server stops."""
    _notify("STOPPING=1")


def _notify(*lines: str) -> None:
    address = os.environ.get(ADDRESS, "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
        manager.setblocking(False)
        try:
            manager.connect(f"\0{address[1:]}" if address[0] == "@" else address)
            manager.send("\n".join(lines).encode())
        except OSError as error:
            log.warning("the service manager could not be told: %s", reason(error))
