"""The server's output at its start: links with a QR code of the best one, the places of the files, and a report of the history.

The access key is shown only at a terminal, after the ``#`` of a link: output elsewhere is kept,
by a file, the system's journal or a container's log, and read by others.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from besedka import __version__
from besedka.serve.history import Restored
from besedka.serve.own_addresses import is_loopback, own_addresses
from besedka.serve.settings import Settings
from besedka.wire.counting import count_of
from besedka.wire.links import Fragment
from besedka.wire.log_line import STAMP

_ALL: Final = {"": (4, 6), "0.0.0.0": (4,), "::": (6,)}  # noqa: S104 - compared, not bound
_LOCALHOST: Final = frozenset({"127.0.0.1", "::1", *_ALL})


def greeting(settings: Settings, address: tuple[str, int], restored: Restored, key: str) -> Iterator[str]:
    """The server's output at its start, line by line.

    Args:
        settings: the settings of the server.
        address: the host and the port on which it listens.
        restored: the state of the history.
        key: an access key; empty if none is needed.
    """
    host, port = address
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::1", "::"} else host  # noqa: S104 - compared, not bound
    yield f"Besedka {__version__}"
    yield from ways_in(settings, port, key)
    if settings.access_keys:
        yield f"keys      {settings.access_keys.absolute()}"
    if settings.grpc_port:
        yield f"grpc      {shown_host(shown)}:{settings.grpc_port}"
    if settings.grpc_unix:
        yield f"grpc      unix:{settings.grpc_unix.absolute()}"
    yield f"history   {settings.history.absolute()}"
    yield f"restored  {report(restored, datetime.now(settings.zone).strftime(STAMP))}"
    yield "stop      Ctrl-C"


def ways_in(settings: Settings, port: int, key: str) -> Iterator[str]:
    """The links to the chat, one a line; at a terminal with the key, and followed by a QR code.

    Args:
        settings: the settings of the server.
        port: the port on which it listens.
        key: an access key; empty if none is needed.
    """
    host = settings.host
    others = _others(host)
    is_seen = _is_seen()
    shown = key if is_seen else ""
    yield f"open      {_link(settings, 'localhost' if host in _LOCALHOST else host, port, shown)}"
    links = [_link(settings, other, port, shown) for other in others]
    for link in links:
        yield f"lan       {link}"
    if host in _ALL and not links:
        yield "lan       this machine is in no network now"
    if best := links or ([] if is_loopback(host) else [_link(settings, host, port, shown)]):
        yield from picture(best[0])
    if key and not is_seen:
        yield "links     besedka admin link shows one with the key"


def picture(link: str) -> list[str]:
    """The QR code of a link, at a terminal."""
    if not _is_seen() or sys.stdout.encoding.lower().replace("-", "") != "utf8":
        return []
    from besedka.qr import qr_lines  # noqa: PLC0415 - its library is slow to import, and a server without a terminal shows no code

    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return qr_lines(link, columns=shutil.get_terminal_size().columns, colour=not is_plain)


def shown_host(host: str) -> str:
    """A host as in a URL."""
    return f"[{host}]" if ":" in host else host


def _others(host: str) -> Sequence[str]:
    """The addresses for other machines, if the server listens on all."""
    versions = _ALL.get(host, ())
    return [ip for ip in own_addresses() if ip_address(ip).version in versions] if versions else []


def _link(settings: Settings, host: str, port: int, key: str) -> str:
    place = f"{'https' if settings.certificate else 'http'}://{shown_host(host)}:{port}"
    if not (key or settings.base_path):
        return place
    return f"{place}{settings.base_path}/{f'#{Fragment(key=key)}' if key else ''}"


def _is_seen() -> bool:
    """Whether the output goes to a terminal."""
    return bool(sys.stdout) and sys.stdout.isatty()


def report(restored: Restored, now: str) -> str:
    """The report of the history, in one line: ``12 431 messages (2025-03-01 … today), repaired 1 torn line``."""
    if not restored.messages:
        text = "nothing yet, the history is empty"
    else:
        first, last, today = (moment[:10] for moment in (restored.first_stamp, restored.last_stamp, now))
        span = " … ".join(dict.fromkeys("today" if day == today else day for day in (first, last)))
        text = f"{count_of(restored.messages, 'message')} ({span})".replace(",", "\u202f")
    return "".join((text, *(f", {finding}" for finding in restored.concerns())))
