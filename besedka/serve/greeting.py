"""The ways in that a server shows at its start: links, with the access key behind the ``#``, and a QR code of the best one."""

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
    """A line for each way in; a QR code behind them where a person looks at a terminal.

    Args:
        settings: of the server.
        port: where it listens.
        key: an access key; empty if none is needed.
    """
    host = settings.host
    others = _others(host)
    key = "" if _is_kept() else key
    yield f"open      {_link(settings, 'localhost' if host in _LOCALHOST else host, port, key)}"
    links = [_link(settings, other, port, key) for other in others]
    for link in links:
        yield f"lan       {link}"
    if host in _ALL and not links:
        yield "lan       this machine is in no network now"
    if best := links or ([] if is_loopback(host) else [_link(settings, host, port, key)]):
        yield from _picture(best)


def shown_host(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _others(host: str) -> Sequence[str]:
    """The addresses by which other machines come, if we listen on all."""
    versions = _ALL.get(host, ())
    return [one for one in own_addresses() if ip_address(one).version in versions] if versions else []


def _link(settings: Settings, host: str, port: int, key: str) -> str:
    place = f"{'https' if settings.certificate else 'http'}://{shown_host(host)}:{port}"
    return f"{place}/#{Fragment(key=key)}" if key else place


def _picture(links: Sequence[str]) -> list[str]:
    """The code of the first link, if somebody looks."""
    output = sys.stdout
    if not output or not output.isatty() or output.encoding.lower().replace("-", "") != "utf8":
        return []
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return qr_lines(links[0], columns=shutil.get_terminal_size().columns, colour=not is_plain)


def _is_kept() -> bool:
    """Whether what we print goes into the system's journal: a key does not belong there (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        there = os.fstat(sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return False  # it goes nowhere
    return os.environ.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"
