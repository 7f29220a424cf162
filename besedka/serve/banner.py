"""The ways in that a server shows at its start: links, and a QR code of the best one.

The access key is behind the ``#`` of a link where a person looks at a terminal, and nowhere else: whatever is printed elsewhere is kept,
by a file, the system's journal or a container's log, and read by others.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Final

from besedka.qr import qr_lines
from besedka.serve.addresses import is_loopback, own_addresses
from besedka.serve.settings import Settings
from besedka.wire.links import Fragment

_ALL: Final = {"": (4, 6), "0.0.0.0": (4,), "::": (6,)}  # noqa: S104 - compared, not bound
_LOCALHOST: Final = frozenset({"127.0.0.1", "::1", *_ALL})


def ways_in(settings: Settings, port: int, key: str) -> Iterator[str]:
    """A line for each way in; where a person looks at a terminal, with the key, and a QR code behind them.

    Args:
        settings: of the server.
        port: where it listens.
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
    """The code of a link, if somebody looks."""
    if not _is_seen() or sys.stdout.encoding.lower().replace("-", "") != "utf8":
        return []
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return qr_lines(link, columns=shutil.get_terminal_size().columns, colour=not is_plain)


def shown_host(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _others(host: str) -> Sequence[str]:
    """The addresses by which other machines come, if we listen on all."""
    versions = _ALL.get(host, ())
    return [one for one in own_addresses() if ip_address(one).version in versions] if versions else []


def _link(settings: Settings, host: str, port: int, key: str) -> str:
    place = f"{'https' if settings.certificate else 'http'}://{shown_host(host)}:{port}"
    if not (key or settings.base_path):
        return place
    return f"{place}{settings.base_path}/{f'#{Fragment(key=key)}' if key else ''}"


def _is_seen() -> bool:
    """Whether somebody looks at what we print."""
    return bool(sys.stdout) and sys.stdout.isatty()
