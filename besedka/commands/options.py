"""Options that several commands share, with defaults from the environment and the config file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from besedka.commands.exit_status import Failure, used_wrongly
from besedka.commands.preferences import BELLS, COLOURS, preferences

if TYPE_CHECKING:
    from besedka.remote.address import Address

DEFAULT_URL: Final = "localhost:8765"


class ClientCommand(click.Command):
    """A command that connects to a chat: the config file has some of its defaults."""

    def invoke(self, ctx: click.Context) -> Any:
        preferences()  # report its errors also where no default is needed
        return super().invoke(ctx)


def setting(option: str, **how: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that can also be set in the environment: ``--port`` as ``BESEDKA_PORT``."""
    variable = f"BESEDKA_{option.removeprefix('--').replace('-', '_').upper()}"
    how.setdefault("show_default", "default" in how)
    return click.option(option, envvar=variable, show_envvar=True, **how)


class _Utf8(click.ParamType[str]):
    """A text that can be sent: other bytes of a command line are no text, and Python hides them in halves of surrogate pairs."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(f"{value!r} is not UTF-8", param, ctx)
        return value


UTF8: Final = _Utf8()


def preferred(key: str, otherwise: str | None = None) -> Callable[[], str | None]:
    """A default that the config file may have."""

    def default() -> str | None:
        # There must be no error while a shell completes a line.
        is_asked = not click.get_current_context().resilient_parsing
        return preferences().get(key, otherwise) if is_asked else otherwise

    return default


def is_given(parameter: str) -> bool:
    """Whether a parameter was given on the command line or in the environment, and is no default."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source in {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}


def confirmed(question: str, nothing: str) -> bool:
    """Ask on stderr, for a command that has ``--yes``.

    Args:
        question: the question.
        nothing: what was not done, for the error.

    Raises:
        Failure: if nobody answers, as in a script.
        click.Abort: if it was interrupted.
    """
    try:
        return click.confirm(question, err=True)
    except click.Abort as aborted:
        if not isinstance(aborted.__context__, EOFError):
            raise
        click.echo(err=True)
        raise Failure(f"{nothing}: nobody answered; --yes does it without asking") from None


def chat_address(url: str) -> Address:
    """A chat's address, for a command that cannot ask its user.

    Raises:
        InvalidAddress: if it is not an address.
    """
    from besedka.remote.address import address

    there = address(url)
    if there.device:
        raise used_wrongly("this link adds this machine as a device: open it with besedka chat")
    return there


def file_of_room(history: Path, room: str | None) -> Path:
    """The file of a room, beside the default room's ``history``; that one if no room is given."""
    from besedka.serve.history.room_files import room_path
    from besedka.wire.errors import Refused
    from besedka.wire.validation import DEFAULT_ROOM, clean_room

    try:
        cleaned = clean_room(room or DEFAULT_ROOM)
    except Refused as refusal:
        raise used_wrongly(str(refusal)) from None
    return history if cleaned == DEFAULT_ROOM else room_path(history, cleaned)


def secret_of(identity: Path | None, url: str, name: str = "") -> str:
    """The secret to show to a chat: of the identity, or else of the user, as `besedka.home.secret_for` has it.

    Args:
        identity: the value of ``--identity``.
        url: of the chat, as `besedka.remote.address` gives it.
        name: the name to join under; empty for a reader without one.

    Raises:
        Failure: if the identity's file cannot be used.
    """
    from besedka.home import identity_secret, secret_for

    if identity is None:
        return secret_for(url, name)
    try:
        return identity_secret(identity, url)
    except OSError as error:
        raise Failure(f"the identity {identity} cannot be used: {error.strerror or error}") from None


URL_ARGUMENT = click.argument("url", envvar="BESEDKA_URL", default=preferred("url", DEFAULT_URL))
URL = setting(
    "--url",
    default=preferred("url", DEFAULT_URL),
    show_default=DEFAULT_URL,
    help="Where the chat is: HOST, HOST:PORT, what a browser shows, grpc://HOST:PORT or unix:PATH; with #ROOM behind it.",
)
# Not from the environment, which would override the room in an address on the command line.
ROOM = click.option(
    "--room", type=UTF8, help="The room; if not given the one behind a # in the address, or main."
)
HISTORY_ROOM = click.option(
    "--room", type=UTF8, help="The history of this room, whose file stands beside the first one."
)
IDENTITY = setting(
    "--identity",
    type=click.Path(path_type=Path),
    help="A file with a secret of its own, made at its first use: be the person of this file. Without it, the one of your home folder.",
)
BELL = setting(
    "--bell",
    type=click.Choice(BELLS),
    default=preferred("bell", "on"),
    show_default="on",
    help="When the terminal rings: never, when your name is said, or at every message.",
)
COLOUR = setting(
    "--color",
    type=click.Choice(COLOURS),
    default=preferred("color", "auto"),
    show_default="auto",
    help="Whether to colour what is shown; auto: at a terminal, unless NO_COLOR is set.",
)
