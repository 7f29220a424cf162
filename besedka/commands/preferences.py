"""The user's config file, ``~/.config/besedka/config.toml``: a few defaults, overridden by the environment and by options."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from besedka.commands.exit_status import WrongConfig
from besedka.home import config_file, refuse_foreign
from besedka.wire.access import why_no_key

BELLS: Final = ("off", "on", "all")
COLOURS: Final = ("auto", "always", "never")

KEYS: Final = ("url", "name", "color", "colour", "bell", "key")


@cache
def preferences() -> Mapping[str, str]:
    """The file's settings; empty if there is none. The key for colours is ``color`` here, in either spelling there.

    Raises:
        WrongConfig: if it has an error; names the file, the key and the allowed values.
    """
    path = config_file()
    if path is None:
        return {}
    found = _read(path)
    if "colour" in found and "color" in found:
        raise _wrong(path, "color and colour are the same key; keep one of them")
    for key, value in found.items():
        if key not in KEYS:
            raise _wrong(path, f"there is no key {key!r}; allowed are {', '.join(KEYS)}")
        if why := _why_not(key, value):
            shown = "key" if key == "key" else f"{key} = {_public(value)}"
            raise _wrong(path, f"{shown} cannot be used: {why}")
    return {("color" if key == "colour" else key): str(value) for key, value in found.items()}


def _public(value: object) -> str:
    """A value as written, without the fragment of an address."""
    return repr(value.partition("#")[0] if isinstance(value, str) else value)


def _read(path: Path) -> dict[str, object]:
    try:
        refuse_foreign(path)
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        if not os.access(path.parent, os.X_OK):
            return {}  # somebody else's home, as a container may name it
        raise _wrong(path, (error.strerror or str(error)).lower()) from None
    except UnicodeDecodeError:
        raise _wrong(path, "it is not text in UTF-8") from None
    return _parsed(path, text)


def _parsed(path: Path, text: str) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, f"it is not TOML: {error}") from None


def _why_not(key: str, value: object) -> str:
    """Why this value is not valid, or an empty string."""
    checks: dict[str, Callable[[str], str]] = {
        "url": _why_no_address,
        "name": _why_no_name,
        "key": why_no_key,
    }
    choices = {"color": COLOURS, "colour": COLOURS, "bell": BELLS}.get(key)
    if choices:
        allowed = ", ".join(f'"{choice}"' for choice in choices)
        return "" if value in choices else f"allowed are {allowed}, in quotes"
    if not isinstance(value, str):
        return "it must be a text in quotes"
    return checks[key](value)


def _why_no_address(value: str) -> str:
    from besedka.remote.address import address
    from besedka.remote.errors import InvalidAddress

    try:
        address(value)
    except InvalidAddress as error:
        return str(error)
    return ""


def _why_no_name(value: str) -> str:
    from besedka.wire.errors import Refused
    from besedka.wire.validation import clean_name

    try:
        clean_name(value)
    except Refused as refusal:
        return str(refusal)
    return ""


def _wrong(path: Path, why: str) -> WrongConfig:
    return WrongConfig(f"{path}: {why}")
