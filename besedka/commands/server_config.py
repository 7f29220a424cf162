"""The server's config file, ``besedka.toml``: all options of ``besedka serve``, overridden by the environment and by options.

Its keys are the options without their dashes in front: ``log-level = "debug"``. It is read at the start, and again when SIGHUP asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from besedka.commands.exit_status import WrongConfig

DEFAULT_FILE: Final = "besedka.toml"
"""The file that is read where no other is named, if it is there: in the folder in which the server is started."""

BYTES_AT_MOST: Final = 64 * 1024
"""A longer file is none of ours: all options together are some hundred bytes."""

NOT_IN_FILE: Final = frozenset({"config", "check", "help"})
"""Options about the file, and those that start no server."""

_META: Final = "besedka.config"
_LIKE: Final = 0.5
"""How much a key must be like another to be taken for a mistyped one, as `difflib` measures it."""


class Config:
    """The config file of one server.

    Args:
        ctx: of the command.
        path: the file; None if there is none.
        values: by key.

    Attributes:
        path: the same.
        values: the same.
    """

    def __init__(self, ctx: click.Context, path: Path | None, values: Mapping[str, object]) -> None:
        self._ctx = ctx
        self.path = path
        self.values = values

    def in_force(self, values: Mapping[str, object], key: str) -> object:
        """The value of an option, if the file had these values: the environment and options override them."""
        option = options_of(self._ctx)[key]
        if key in values and not is_overridden(self._ctx, option):
            return option.type_cast_value(self._ctx, values[key])
        return self._ctx.params[str(option.name)]

    def read_again(self) -> Mapping[str, object]:
        """The values that are in the file now; `DEFAULT_FILE` may have been made since the start.

        Raises:
            WrongConfig: as `take`.
        """
        if self.path is None and self._ctx.params["config"] is None:
            self.path = _default_file()
        return _values(self._ctx, self.path) if self.path else {}

    def changes(self, now: Mapping[str, object]) -> Iterator[str]:
        """The keys whose values differ from those at the start, and would be in force."""
        for key, option in options_of(self._ctx).items():
            if self.values.get(key) != now.get(key) and not is_overridden(self._ctx, option):
                yield key

    def source_of(self, key: str) -> str:
        """Where the value of an option is from, in a word or two."""
        option = options_of(self._ctx)[key]
        match self._ctx.get_parameter_source(str(option.name)):
            case ParameterSource.COMMANDLINE:
                return option.opts[0]
            case ParameterSource.ENVIRONMENT:
                return str(option.envvar)
            case ParameterSource.DEFAULT_MAP:
                return str(self.path)
            case _:
                return "default"


def take(ctx: click.Context, _: click.Parameter, given: str | None) -> str | None:
    """Read the config file, as the callback of ``--config``; its values become the defaults of all other options.

    Args:
        ctx: of the command.
        given: the file, an empty text for none, or None for `DEFAULT_FILE`.

    Raises:
        WrongConfig: if it cannot be used; names the file, the key and what is allowed.
    """
    if ctx.resilient_parsing:
        return given  # there must be no error while a shell completes a line
    path = _default_file() if given is None else Path(given) if given else None
    values = _values(ctx, path) if path else {}
    names = {key: str(option.name) for key, option in options_of(ctx).items()}
    ctx.default_map = {names[key]: value for key, value in values.items()}
    ctx.meta[_META] = Config(ctx, path, values)
    return given


def take_part(ctx: click.Context, _: click.Parameter, given: str | None) -> str | None:
    """Read the server's config file for another command, as the callback of ``--config``: of the options that both have, its values become the defaults.

    Args:
        ctx: of the other command.
        given: as for `take`.

    Raises:
        WrongConfig: as `take`.
    """
    if ctx.resilient_parsing:
        return given
    values = server_values(given)
    names = {key: str(option.name) for key, option in options_of(ctx).items()}
    ctx.default_map = {names[key]: value for key, value in values.items() if key in names}
    return given


def server_values(given: str | None) -> Mapping[str, object]:
    """The values in the server's config file, for another command.

    Args:
        given: as for `take`.

    Raises:
        WrongConfig: as `take`.
    """
    from besedka.commands.serve import serve

    path = _default_file() if given is None else Path(given) if given else None
    return _values(click.Context(serve), path) if path else {}


def config_of(ctx: click.Context) -> Config:
    """The config file that was read."""
    found: Config = ctx.meta[_META]
    return found


def options_of(ctx: click.Context) -> dict[str, click.Option]:
    """The options that may be in the file, by their keys."""
    found = {
        option.opts[0].removeprefix("--"): option
        for option in ctx.command.params
        if isinstance(option, click.Option)
    }
    return {key: option for key, option in found.items() if key not in NOT_IN_FILE}


def is_overridden(ctx: click.Context, option: click.Option) -> bool:
    """Whether the command line or the environment says something else than the file."""
    source = ctx.get_parameter_source(str(option.name))
    return source in {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}


def _default_file() -> Path | None:
    return Path(DEFAULT_FILE) if os.path.lexists(DEFAULT_FILE) else None


def _values(ctx: click.Context, path: Path) -> dict[str, object]:
    import tomllib

    try:
        found = tomllib.loads(_text(path))
    except OSError as error:
        raise _wrong(path, (error.strerror or str(error)).lower()) from None
    except UnicodeDecodeError:
        raise _wrong(path, "it is not text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, f"it is not TOML: {error}") from None
    known = options_of(ctx)
    for key, value in found.items():
        if key not in known:
            raise _wrong(path, f"there is no key {key!r}{_advice(key, known)}")
        if why := _why_not(ctx, known[key], value):
            raise _wrong(path, f"{key} = {value!r} cannot be used: {why}")
    return found


def _text(path: Path) -> str:
    from besedka.serve.files.descriptor import open_regular
    from besedka.serve.files.trust import refuse_untrusted

    file = open_regular(path, os.O_RDONLY, may_be_link=True)
    # It says who may come in.
    refuse_untrusted(path, file)
    data = file.read(0, BYTES_AT_MOST + 1)
    if len(data) > BYTES_AT_MOST:
        raise OSError(f"it has more than {BYTES_AT_MOST} bytes")
    return data.decode("utf-8-sig")


def _advice(key: str, known: Mapping[str, object]) -> str:
    from difflib import get_close_matches

    like = get_close_matches(key, known, n=1, cutoff=_LIKE)
    return f"; did you mean {like[0]}?" if like else "; besedka serve --help shows all"


def _why_not(ctx: click.Context, option: click.Option, value: object) -> str:
    """Why an option cannot have this value, or an empty string."""
    if option.multiple:
        if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            return "it must be a list of texts in quotes"
    elif why := _why_other_kind(option, value):
        return why
    try:
        option.process_value(ctx, value)
    except click.UsageError as error:
        return error.message.removesuffix(".")
    return ""


def _why_other_kind(option: click.Option, value: object) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if option.is_flag:
        return "" if isinstance(value, bool) else "it must be true or false"
    if isinstance(option.type, click.IntRange):
        return "" if is_number and isinstance(value, int) else "it must be a whole number, without quotes"
    if isinstance(option.type, click.FloatRange):
        return "" if is_number else "it must be a number, without quotes"
    return "" if isinstance(value, str) else "it must be a text in quotes"


def _wrong(path: Path, why: str) -> WrongConfig:
    return WrongConfig(f"{path}: {why}")
