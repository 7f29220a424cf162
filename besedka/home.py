"""The user's files at home, small and readable (XDG Base Directory Specification).

Their settings are in ``~/.config/besedka/config.toml``; what programs remember for them is in ``~/.local/state/besedka``.
"""

from __future__ import annotations

import errno
import hmac
import logging
import os
import pwd
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from besedka.wire.sanitize import is_one_line

SECRET_BYTES: Final = 32

_SECRET: Final = re.compile(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}")
_SECRET_FILE_BYTES: Final = 1024

_ROOT: Final = 0
_PRIVATE: Final = 0o600
_OF_OTHERS: Final = 0o077
_HERE: Final = "localhost"
_FIELDS: Final = 3

_KEYS: Final = "keys"
_NAMES: Final = "names"
_TAB: Final = "\t"
_BLANK: Final = " "

_log = logging.getLogger(__name__)
_reported: set[Path] = set()


def config_file() -> Path | None:
    """Where a person's settings are, whether there are any or not; None where they have no home."""
    base = _base("XDG_CONFIG_HOME", ".config")
    return base / "besedka" / "config.toml" if base else None


def state_folder() -> Path:
    """Where programs remember things for this person; made if there is none, for them alone.

    Raises:
        OSError: if it cannot be made, or is another user's.
    """
    base = _base("XDG_STATE_HOME", ".local/state")
    if base is None:
        raise FileNotFoundError(errno.ENOENT, "there is no home folder")
    folder = base / "besedka"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_foreign(folder)
    return folder


def secret_for(url: str, name: str = "") -> str:
    """The secret that shows to one host that several programs are the same person; it is of no use on another host.

    A secret from an add-a-device link takes precedence over the derived one; of several the one of this name, or else
    the last one. It is empty where nothing can be kept: then the user is a guest.

    Args:
        url: of the chat, as `besedka.remote.address` gives it.
        name: the name to join under; empty for a reader without one.
    """
    server = _server(url)
    try:
        taken = [(whose, secret) for where, whose, secret in _taken() if where == server]
    except OSError:
        taken = []  # nothing can be kept here
    for whose, secret in reversed(taken):
        if not name or whose.casefold() == name.casefold():
            return secret
    if taken:
        return taken[-1][1]
    own = own_secret()
    return _derived(own, url) if own else ""


def identity_secret(path: Path, url: str) -> str:
    """The secret that shows to one host that somebody has the identity in a file; the file is made at its first use.

    Args:
        path: of the file.
        url: of the chat, as `besedka.remote.address` gives it.

    Raises:
        OSError: if the file cannot be made or read, belongs to another user, may be read by others, or holds something else.
    """
    try:
        secret = _kept_secret(path)
    except UnicodeError:
        secret = ""
    if not _SECRET.fullmatch(secret):
        raise OSError(errno.EINVAL, f"it holds something else than {2 * SECRET_BYTES} hexadecimal digits")
    if stat.S_IMODE(path.stat().st_mode) & _OF_OTHERS:
        raise PermissionError(
            errno.EPERM, "others may read it, so its secret is none: chmod 600, or take a new file"
        )
    return _derived(secret, url)


def keep_secret(url: str, name: str, secret: str) -> None:
    """Be somebody who is known to a chat, from now on.

    Raises:
        OSError: if it cannot be kept; also a name or a secret that holds control characters or several lines, and would be read as the
            secret of another host.
    """
    entry = (_server(url), name, secret)
    others = [one for one in _taken() if one[:2] != entry[:2]]
    write_rows(state_folder() / "secrets", (*others, entry))


def own_secret() -> str:
    """The secret from which all hosts' secrets are derived: made once, and kept; never sent itself.

    It is empty where it cannot be kept, as in a container without a home: a name claimed with a secret that is lost would
    be refused to the user the next time, and for months.
    """
    try:
        return _kept_secret(state_folder() / "secret")
    except (OSError, UnicodeError):
        return ""


def _kept_secret(path: Path) -> str:
    """The secret in a file, which is made if it is not there.

    Raises:
        OSError: if it cannot be made or read, or is another user's.
        UnicodeError: if it holds something else.
    """
    is_there = path.exists()
    # An empty file was torn by a power cut.
    if not is_there or not path.stat().st_size:
        write_private(path, secrets.token_hex(SECRET_BYTES) + "\n", replace=is_there)
    _refuse_foreign(path)
    with path.open("rb") as file:
        # A file that is given by mistake may be of any size.
        return file.read(_SECRET_FILE_BYTES).decode("ascii").strip()


def _derived(secret: str, url: str) -> str:
    """The secret for one host."""
    return hmac.digest(secret.encode(), _server(url).encode(), "sha256").hex()


def remembered_key(server: str) -> str:
    """The access key that has worked at a server before; empty if there is none. ``server`` is its URL, without a fragment."""
    return _remembered(_KEYS, _BLANK).get(server, "")


def remember_key(server: str, key: str) -> None:
    """Keep the access key of a server, for its owner alone. Where it cannot be kept, it is asked for again."""
    _remember(_KEYS, _BLANK, server, key)


def remembered_name(url: str) -> str:
    """The name that the user had last in a chat at a terminal; empty if there is none.

    Args:
        url: of the chat, as `besedka.remote.address` gives it.
    """
    return _remembered(_NAMES, _TAB).get(url, "")


def remember_name(url: str, name: str) -> None:
    """Keep the name that the user has in a chat, for the next time. Where it cannot be kept, it is asked for again."""
    _remember(_NAMES, _TAB, url, name)


def _remembered(file: str, separator: str) -> dict[str, str]:
    """The values of a file by their chats; one a line, the value in front."""
    try:
        rows = read_rows(state_folder() / file, fields=2, separator=separator)
    except OSError:
        return {}
    return {url: value for value, url in rows}


def _remember(file: str, separator: str, url: str, value: str) -> None:
    values = _remembered(file, separator)
    if values.get(url) == value:
        return
    values[url] = value
    with suppress(OSError):
        write_rows(state_folder() / file, [(each, of) for of, each in values.items()], separator=separator)


def write_rows(path: Path, rows: Iterable[Sequence[str]], *, separator: str = _TAB) -> None:
    """Write a small file of rows, one a line, as `write_private` does.

    Args:
        path: of the file.
        rows: each has its fields, of which only the last may hold the separator, if that is a blank.
        separator: stands between two fields.

    Raises:
        OSError: if it cannot be written; EINVAL if it would be read as other fields or other rows: nothing is written then.
    """
    lines = []
    for row in rows:
        if not (all(map(is_one_line, row)) and all(separator not in field for field in row[:-1])):
            raise OSError(errno.EINVAL, "control characters or several lines are not written", str(path))
        lines.append(separator.join(row) + "\n")
    write_private(path, "".join(lines))


def read_rows(
    path: Path,
    *,
    fields: int,
    separator: str = _TAB,
    fits: Callable[[Sequence[str]], bool] = lambda _: True,
) -> list[list[str]]:
    """Read what `write_rows` has written; nothing if there is no file. Only LF ends a line.

    A line that is damaged is skipped, and the log of `besedka.home` says so, once for each file: some are read every second.

    Args:
        path: of the file.
        fields: in each row.
        separator: stands between two fields.
        fits: whether the fields of a row can be what they are taken for.

    Raises:
        OSError: if it cannot be read, or is another user's.
    """
    try:
        _refuse_foreign(path)
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    rows = []
    for number, line in enumerate(lines, 1):
        row = _fields(line, fields, separator)
        if row and fits(row):
            rows.append(row)
        elif line:
            _report_damaged(path, number)
    return rows


def _fields(line: bytes, count: int, separator: str) -> list[str]:
    """The fields of a line; none if it is damaged."""
    try:
        row = line.decode().split(separator, count - 1)
    except UnicodeDecodeError:
        return []
    return row if len(row) == count and all(row) and all(map(is_one_line, row)) else []


def _report_damaged(path: Path, line: int) -> None:
    _report(path, f"line {line} of {path} is damaged, and skipped")


def _report(path: Path, sentence: str) -> None:
    """Say what is wrong with a file, once."""
    if path not in _reported:
        _reported.add(path)
        _log.warning("besedka: %s", sentence)


def refuse_foreign(path: Path) -> None:
    """Refuse a file or a folder that another user of this machine has laid: who knows a secret holds the names claimed with it.

    Raises:
        OSError: EPERM if it belongs neither to who runs this, nor to whose home it is, nor to root; also from the system.
    """
    home = _home()
    others = _owners(path) - {_ROOT, os.geteuid()} - (_owners(home) if home else set())
    if others:
        raise PermissionError(errno.EPERM, f"it belongs to another user of this machine (uid {min(others)})")


def _refuse_foreign(path: Path) -> None:
    """The same, and say so once: without its files a program goes on."""
    try:
        refuse_foreign(path)
    except PermissionError as error:
        if error.errno == errno.EPERM:  # else the system has refused to look
            _report(path, f"{path} is not used: {error.strerror}")
        raise


def _owners(path: Path) -> set[int]:
    """The owner of what is there; and, if that is a link, of what it leads to."""
    return {path.lstat().st_uid, path.stat().st_uid}


def write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a small file that nobody else may read, as a whole or not at all, whatever happens; ``replace`` one that is there, or leave it.

    Raises:
        OSError: if it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)  # of a program that was killed
    try:
        with os.fdopen(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "w", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            # A name may be on the disk before what is in the file.
            os.fsync(file.fileno())
        if replace:
            fresh.replace(path)
        else:
            # Another program may make it just now; then its file is the one.
            with suppress(FileExistsError):
                path.hardlink_to(fresh)
    finally:
        fresh.unlink(missing_ok=True)


def _taken() -> list[tuple[str, str, str]]:
    """The secrets that came from other devices: for which server, whose, what."""
    rows = read_rows(state_folder() / "secrets", fields=_FIELDS)
    return [(server, name, secret) for server, name, secret in rows]


def _server(url: str) -> str:
    """The host of a chat, as secrets are kept for it, whatever the protocol and the port; this machine by any name is one host."""
    host = (urlsplit(url).hostname or "").rstrip(".").encode("idna").decode() or _HERE
    try:
        ip: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        return _HERE if host.endswith(f".{_HERE}") else host
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return _HERE if ip.is_loopback else str(ip)


def _base(variable: str, below_home: str) -> Path | None:
    """A folder of the XDG Base Directory Specification, which has paths that are not absolute ignored.

    The places are the same on every system, as the manual says; macOS has its own, which people at a terminal do not expect.
    """
    given, home = Path(os.environ.get(variable, "")), _home()
    if given.is_absolute():
        return given
    return home / below_home if home else None


def _home() -> Path | None:
    """The home of who runs this, if there is one: an arbitrary user of a container has none, and none is made."""
    home = Path(os.environ.get("HOME", ""))
    if not home.is_absolute():
        try:
            home = Path(pwd.getpwuid(os.getuid()).pw_dir)
        except KeyError:
            return None
    return home if os.path.isdir(home) else None  # noqa: PTH112 - raises nothing
