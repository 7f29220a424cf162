"""``besedka admin``: moderation by the operator, over a socket of the server that only they can use."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from besedka.commands.exit_status import Failure, used_wrongly
from besedka.commands.messages import Output
from besedka.commands.options import UTF8, confirmed, setting
from besedka.wire.durations import EXAMPLES, parse_duration
from besedka.wire.sanitize import sanitize_line

if TYPE_CHECKING:
    from besedka.wire.frames import Moderate
    from besedka.wire.operator_frames import OperatorAnswer


class _Server(NamedTuple):
    """The paths of a server on this machine."""

    socket: Path
    history: Path


def _seconds(_: click.Context, __: click.Parameter, given: str | None) -> int:
    if given is None:
        return 0
    if not (seconds := parse_duration(given)):
        raise click.BadParameter(f"{given!r} is not a time; write {EXAMPLES}")
    return seconds


def _pause(context: click.Context, parameter: click.Parameter, given: str) -> int:
    return 0 if given in {"off", "0"} else _seconds(context, parameter, given)


USER = click.argument("user", type=UTF8)
ROOM = click.option("--room", type=UTF8, default="main", show_default=True, help="The room.")
REASON = click.option(
    "--reason",
    type=UTF8,
    default="",
    help="Why; it is noted in audit.txt, and shown to a muted or banned user.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
REASON_OF_ROOM = click.option("--reason", type=UTF8, default="", help="Why; it is noted in audit.txt.")
TIME = click.option(
    "--for",
    "seconds",
    callback=_seconds,
    metavar="TIME",
    help="For how long: 30s, 10m, 2h, 3d, 1w; if not given until it is lifted.",
)
URL = click.option(
    "--url",
    default="http://localhost:8765/",
    show_default=True,
    help="The address of the chat in a browser; a key in it goes into the link.",
)
KEYS = setting(
    "--key-file",
    type=click.Path(readable=False, path_type=Path),
    help="The file with the access keys; its first one goes into the link. If not given access_key.txt beside the history, if it is there.",
)


@click.group(
    short_help="Moderate, as the operator.",
    epilog="""\b
Examples:
  besedka admin appoint Anna
  besedka admin ban Boris --for 2d --reason "spam"
  besedka admin redact 17 --room dev
  besedka admin admit Vera --url https://chat.example.org/
  besedka admin archive spring-2025
  besedka admin who dev
  besedka admin link --url http://192.168.1.5:8765/""",
)
@click.option(
    "--socket",
    "path",
    envvar="BESEDKA_ADMIN_SOCKET",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The server's socket; if not given the one beside the history.",
)
@setting(
    "--history",
    default="chat_history.txt",
    type=click.Path(readable=False, path_type=Path),
    help="The history of the server, beside which its socket is.",
)
@click.pass_context
def admin(ctx: click.Context, path: Path | None, history: Path) -> None:
    """Moderate a chat that runs on this machine, as its operator.

    Only the user who started the server can. Each act is noted in audit.txt, beside the history. USER is a name in the chat; ban
    and unban also take an address.
    """
    from besedka.serve.settings import admin_socket_of

    ctx.obj = _Server(path or admin_socket_of(history), history)


def _person_command(act: str, short_help: str, sentence: str, *options: Callable[[Any], Any]) -> None:
    def command(user: str, reason: str = "", seconds: int = 0) -> None:
        _do(act, user=user, reason=reason, seconds=seconds)

    command.__doc__ = sentence
    for option in reversed((USER, *options)):
        command = option(command)
    admin.command(act, short_help=short_help)(command)


_person_command(
    "kick",
    "Disconnect a user.",
    "Disconnect all of USER's connections; their programs do not reconnect.",
    REASON,
)
_person_command("mute", "Let a user read, but not post.", "Let USER read, but not post.", TIME, REASON)
_person_command("unmute", "Let a user post again.", "Let USER post again.")
_person_command(
    "ban",
    "Keep a user or an address out.",
    "Ban USER, by the name and all names that look like it, and by the addresses that they are connected from; or ban an address.",
    TIME,
    REASON,
)
_person_command("unban", "Lift a ban.", "Lift the ban of USER, or of an address.")
_person_command(
    "appoint",
    "Make a user a moderator.",
    "Make USER a moderator; the name must be claimed, or USER must be connected with a secret.",
)
_person_command("dismiss", "End being a moderator.", "End USER's being a moderator.")
_person_command(
    "release", "Free a name for the next person.", "Free the name USER for the next person who uses it."
)


@admin.command(short_help="Make a user an owner of a private room.")
@USER
@click.option("--room", type=UTF8, required=True, help="The room.")
def entrust(user: str, room: str) -> None:
    """Make USER an owner of a private room, also of one that nobody is a member of any more; the name must be claimed."""
    _do("entrust", user=user, room=room)


@admin.command(short_help="Set the pause between messages of a person.")
@click.argument("pause", callback=_pause)
@ROOM
@REASON
def slow(pause: int, room: str, reason: str) -> None:
    """Set the PAUSE between a person's messages in a room, such as 30s or 5m; off ends slow mode."""
    _do("slow", seconds=pause, room=room, reason=reason)


def _room_command(act: str, short_help: str, sentence: str) -> None:
    @click.argument("room", type=UTF8)
    @REASON_OF_ROOM
    def command(room: str, reason: str) -> None:
        _do(act, room=room, reason=reason)

    command.__doc__ = sentence
    admin.command(act, short_help=short_help)(command)


_room_command(
    "archive",
    "End a room whose history stays.",
    "Let everybody read ROOM and search in it, but nobody post; unarchive undoes it.",
)
_room_command(
    "unarchive", "Let people post in a room again.", "Let people post again in ROOM, which was archived."
)


@admin.command(short_help="Give a room another name.")
@click.argument("room", type=UTF8)
@click.argument("to", metavar="NEW", type=UTF8)
@REASON_OF_ROOM
def rename(room: str, to: str, reason: str) -> None:
    """Give ROOM the name NEW, with its history, members, invitations and read marks; people in it are asked to join it anew."""
    _do("rename", room=room, to=to, reason=reason)


@admin.command(short_help="Delete a room.")
@click.argument("room", type=UTF8)
@REASON_OF_ROOM
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(room: str, reason: str, yes: bool) -> None:
    """Delete ROOM: everybody leaves it, and its files are kept aside, beside the history."""
    if not yes and not confirmed(f"Delete the room {sanitize_line(room)}?", "nothing was deleted"):
        raise Failure("nothing was deleted")
    _do("delete", room=room, reason=reason)


@admin.command(short_help="Show who is in the rooms.")
@click.argument("room", type=UTF8, default="")
@JSON
def who(room: str, as_json: bool) -> None:
    """Show who is in ROOM, or in all rooms, by room and name; readers without a name are counted."""
    from besedka.commands.operator_lists import show_present

    show_present(click.get_current_context().obj.socket, room, as_json=as_json)


@admin.command(short_help="Show all connections.")
@JSON
def sessions(as_json: bool) -> None:
    """Show all connections, calls and downloads, the oldest first: address, door, since when, program, rooms, and what waits for them."""
    from besedka.commands.operator_lists import show_sessions

    show_sessions(click.get_current_context().obj.socket, as_json=as_json)


@admin.command(short_help="Show the limits, and how much is used.")
@JSON
def limits(as_json: bool) -> None:
    """Show the limits in force, and how much of each is used; of those of an address the one that has the most."""
    from besedka.commands.operator_lists import show_limits

    show_limits(click.get_current_context().obj.socket, as_json=as_json)


@admin.command(short_help="Remove the text of a message.")
@click.argument("number", metavar="ID", type=click.IntRange(1))
@ROOM
@REASON
def redact(number: int, room: str, reason: str) -> None:
    """Remove the text of the message with this ID, in the history too; this cannot be undone."""
    _do("redact", id=number, room=room, reason=reason)


@admin.command(short_help="Invite a person to a name.")
@USER
@click.option(
    "--for",
    "seconds",
    callback=_seconds,
    metavar="TIME",
    help="How long the invitation lasts; if not given a week.",
)
@URL
@KEYS
def admit(user: str, seconds: int, url: str, key_file: Path | None) -> None:
    """Invite a person to the name USER, and print the link for them; it can be used once."""
    from besedka.wire.frames import Invitation
    from besedka.wire.links import Fragment

    key = _key_in(url) or (_key_of(key_file) if key_file else _key_if_readable())
    answer = _ask(_moderate("admit", user=user, seconds=seconds))
    if not isinstance(answer, Invitation):
        raise Failure("the server has not answered with an invitation")
    click.echo(f"{_page(url)}#{Fragment(key=key, name=user, invite=answer.token)}")


@admin.command(short_help="Print the link to the chat.")
@URL
@KEYS
def link(url: str, key_file: Path | None) -> None:
    """Print the link to the chat, with the access key; at a terminal also its QR code."""
    from besedka.serve.banner import picture
    from besedka.wire.links import Fragment, read_fragment

    key = _key_in(url) or (_key_of(key_file) if key_file else _key_beside())
    shown = f"{_page(url)}#{Fragment(room=read_fragment(url.partition('#')[2]).room, key=key)}"
    click.echo(shown)
    for line in picture(shown):
        click.echo(line)


def _page(url: str) -> str:
    """The URL of the chat's page, to which a fragment may be added."""
    base = url.partition("#")[0]
    base = base if "://" in base else f"http://{base}"
    # A path must follow the host.
    return f"{base}/" if base.count("/") == 2 else base  # noqa: PLR2004 - those of ://


def _key_in(url: str) -> str:
    """The access key in an address; empty if there is none."""
    from besedka.wire.access import why_no_key
    from besedka.wire.links import read_fragment

    key = read_fragment(url.partition("#")[2]).key
    if key and (why := why_no_key(key)):
        raise used_wrongly(f"the access key in --url is not valid: {why}")
    return key


def _key_of(path: Path, *, may_be_link: bool = True) -> str:
    """The first access key of a file; a link is followed if the operator has named it."""
    from besedka.serve.authentication.key_file import keys_in
    from besedka.serve.errors import KeyFileUnusable

    try:
        return keys_in(path, may_be_link=may_be_link, is_of_server=False)[0].text
    except KeyFileUnusable as error:
        raise Failure(f"{error}; --history or --key-file say where they are") from None


def _key_beside() -> str:
    """The first access key of the file beside the history."""
    return _key_of(_keys_beside(), may_be_link=False)


def _key_if_readable() -> str:
    """The first access key of the file beside the history; empty if there is none, or it cannot be read."""
    return _key_beside() if os.access(_keys_beside(), os.R_OK, follow_symlinks=False) else ""


def _keys_beside() -> Path:
    from besedka.serve.settings import access_keys_of

    server: _Server = click.get_current_context().obj
    return access_keys_of(server.history)


def _do(act: str, **fields: Any) -> None:
    from besedka.wire.frames import Done

    answer = _ask(_moderate(act, **fields))
    if isinstance(answer, Done):
        Output().write(f"{sanitize_line(answer.text)}\n")


def _moderate(act: str, **fields: Any) -> Moderate:
    from besedka.wire.frames import Act, Moderate

    return Moderate(Act(act), **fields)


def _ask(frame: Moderate) -> OperatorAnswer:
    """Send an act to the server, and return its response."""
    from besedka.commands.operator_socket import ask, not_besedka
    from besedka.wire.frames import Done, Invitation

    path = click.get_current_context().obj.socket
    answer = ask(path, frame)
    if not isinstance(answer, Done | Invitation):
        raise not_besedka(path)
    return answer
