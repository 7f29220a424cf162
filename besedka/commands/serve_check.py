"""``besedka serve --check``: which settings would be in force, where each is from, and whether a server could start with them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import click

from besedka.commands.exit_status import Failure
from besedka.commands.server_config import Config, options_of
from besedka.serve.checking import obstacles
from besedka.serve.settings import Settings

_PASSWORD: Final = re.compile(r"//[^/@\s]*@")
"""The account before the host of an address."""

_EMPTY: Final = {"base-path": "/"}
"""How an empty value is shown, where that is not `''`."""


def check(ctx: click.Context, config: Config, settings: Settings) -> None:
    """Print the settings and their sources, and start nothing.

    Raises:
        Failure: if something would keep the server from starting; the other reasons are on stderr before.
    """
    rows = [
        (key, _shown(config.in_force(config.values, key), _EMPTY.get(key, "''")), config.source_of(key))
        for key in options_of(ctx)
    ]
    width, wide = max(len(key) for key, *_ in rows), max(len(value) for _, value, _ in rows)
    for key, value, source in rows:
        click.echo(f"{key:<{width}}  {value:<{wide}}  {source}")
    *others, last = [str(error) for error in obstacles(settings)] or [""]
    for sentence in others:
        click.echo(f"besedka: {sentence}", err=True)
    if last:
        raise Failure(last)
    click.echo(f"the server would start with the history {settings.history.absolute()}")


def _shown(value: object, empty: str) -> str:
    """A value as a command line or the file has it; `empty` is an empty text."""
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return _PASSWORD.sub("//…@", " ".join(map(str, value)))
    return str(value) or empty
