"""The user's files at home, small and readable (XDG Base Directory Specification).

Their settings are in ``~/.config/besedka/config.toml``; what programs remember for them is in ``~/.local/state/besedka``.
"""

from __future__ import annotations

import errno
import hmac
import os
import pwd
import secrets
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

SECRET_BYTES: Final = 32

_PRIVATE: Final = 0o600
_HERE: Final = "localhost"
_FIELDS: Final = 3

_KEYS: Final = "keys"


def config_file() -> Path | None:
    """Where a person's settings are, whether there are any or not; None where they have no home."""
    base = _base("XDG_CONFIG_HOME", ".config")
    return base / "besedka" / "config.toml" if base else None


def state_folder() -> Path:
    """Where programs remember things for this person; made if there is none, for them alone.

    Raises:
        OSError: if it cannot be made.
    """
    base = _base("XDG_STATE_HOME", ".local/state")
    if base is None:
        raise FileNotFoundError(errno.ENOENT, "there is no home folder")
    folder = base / "besedka"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def secret_for(url: str, name: str = "") -> str:
    """The secret that shows to one host that several programs are the same person; it is of no use on another host.

    A secret from an add-a-device link takes precedence over the derived one; of several the one of this name, or else
    the last one. It is empty where nothing can be kept: then the user is a guest.

    Args:
        url: of the chat, as `besedka.remote.address` gives it.
        name: the name to come in with; empty for one who only reads.
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
    return hmac.digest(own.encode(), server.encode(), "sha256").hex() if own else ""


def keep_secret(url: str, name: str, secret: str) -> None:
    """Be somebody who is known to a chat, from now on.

    Raises:
        OSError: if it cannot be kept.
    """
    entry = (_server(url), name, secret)
    others = [one for one in _taken() if one[:2] != entry[:2]]
    write_private(state_folder() / "secrets", "".join("\t".join(one) + "\n" for one in (*others, entry)))


def own_secret() -> str:
    """The secret from which all hosts' secrets are derived: made once, and kept; never sent itself.

    It is empty where it cannot be kept, as in a container without a home: a name claimed with a secret that is lost would
    be refused to the user the next time, and for months.
    """
    try:
        path = state_folder() / "secret"
        is_there = path.exists()
        # An empty file was torn by a power cut.
        if not is_there or not path.stat().st_size:
            write_private(path, secrets.token_hex(SECRET_BYTES) + "\n", replace=is_there)
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return ""


def remembered_key(server: str) -> str:
    """The access key that has worked at a server before; empty if there is none. ``server`` is its URL, without a fragment."""
    return _keys().get(server, "")


def remember_key(server: str, key: str) -> None:
    """Keep the access key of a server, for its owner alone. Where it cannot be kept, it is asked for again."""
    keys = _keys()
    if keys.get(server) == key:
        return
    keys[server] = key
    text = "".join(f"{one} {of}\n" for of, one in keys.items())
    with suppress(OSError):
        write_private(state_folder() / _KEYS, text)


def _keys() -> dict[str, str]:
    """The keys by their servers; one a line, the key in front."""
    try:
        lines = (state_folder() / _KEYS).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeError):
        return {}
    return {server: key for key, _, server in (line.partition(" ") for line in lines) if server}


def write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a small file that nobody else may read, as a whole or not at all, whatever happens; ``replace`` one that is there, or leave it.

    Raises:
        OSError: if it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "w", encoding="utf-8"
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
    try:
        text = (state_folder() / "secrets").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    lines = [line.split("\t") for line in text.splitlines()]
    return [(line[0], line[1], line[2]) for line in lines if len(line) == _FIELDS]


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
