"""``besedka doctor``: find out why a chat cannot be reached."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from besedka import __version__
from besedka.commands.access import KEY
from besedka.commands.exit_status import Status, used_wrongly
from besedka.commands.messages import Output
from besedka.commands.options import COLOUR, ROOM, URL_ARGUMENT, ClientCommand
from besedka.commands.preferences import preferences
from besedka.home import config_file
from besedka.wire.sanitize import sanitize_line

if TYPE_CHECKING:
    from besedka.commands.doctor_steps import Finding

# Other programs' variables that influence how a chat is reached.
_OTHERS = (
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
)
_PASSWORD = re.compile(r"//[^/@\s]*@")


@click.command(
    cls=ClientCommand,
    short_help="Find out why it does not connect.",
    epilog="""\b
Examples:
  besedka doctor
  besedka doctor wss://chat.example.org
  besedka doctor --origin https://intranet.example.org chat.example.org
  besedka doctor grpc://192.168.1.5:50051
  besedka doctor unix:/run/besedka.sock
  besedka doctor --cluster --config /etc/besedka.toml""",
)
@URL_ARGUMENT
@ROOM
@click.option(
    "--origin", help="Also try whether a web page of this origin may talk, such as https://example.org."
)
@KEY
@click.option(
    "--cluster",
    metavar="[URLS]",
    is_flag=False,
    flag_value="",
    help="Check a cluster instead: its servers of NATS, its stream, its nodes. URLS are those of its servers, as for besedka serve --cluster; "
    "if not given those in the environment, or in the server's config file.",
)
@click.option(
    "--config",
    envvar="BESEDKA_CONFIG",
    show_envvar=True,
    type=click.Path(readable=False),
    help="With --cluster: the server's config file, if it is not besedka.toml in this folder.",
)
@COLOUR
def doctor(
    *,
    url: str,
    room: str | None,
    origin: str | None,
    key: str | None,
    cluster: str | None,
    config: str | None,
    color: str,
) -> None:
    """Check step by step whether the chat at URL can be reached, and say what to do if it cannot.

    URL is as for besedka chat. The check is invisible to people in the chat.
    """
    if cluster is None:
        from besedka.commands.doctor_steps import examine

        _show(chain(_notes(url), examine(url, room, origin, key)), color)
    else:
        from besedka.commands import doctor_cluster

        servers, history = _cluster(cluster, config)
        _show(doctor_cluster.examine(servers, history), color)


def _show(findings: Iterable[Finding], color: str) -> None:
    """Print findings, and end with the status of the first one that is bad."""
    from besedka.commands.doctor_steps import Mark

    output, status = Output(hang=4), Status.DONE
    styles = {Mark.GOOD: "green", Mark.BAD: "red", Mark.NOTE: "cyan"} if _colours(color) else {}

    def show(finding: Finding) -> None:
        mark = str(finding.mark)
        output.write_own(click.style(mark, fg=styles[finding.mark]) if styles else mark, columns=len(mark))
        # What a server says has a part in it, and is to be no finding of its own.
        output.write(f" {sanitize_line(finding.what)}\n")
        if finding.advice:
            output.write(f"  {sanitize_line(finding.advice)}\n")
        output.flush()

    for finding in findings:
        show(finding)
        status = status or finding.status
    click.get_current_context().exit(status)


def _notes(url: str) -> Iterator[Finding]:
    """The circumstances in which a chat is checked."""
    from besedka.commands.doctor_steps import Finding, Mark

    notes = (
        f"besedka {__version__}",
        _config(),
        *_environment(),
        f"the address is {_shown(url)}, {_source()}",
    )
    yield from (Finding(Mark.NOTE, note) for note in notes)


def _cluster(given: str, config: str | None) -> tuple[Sequence[str], Path]:
    """The servers of a cluster, and the history of the node on this machine.

    Raises:
        click.UsageError: if no server is named.
        WrongConfig: if the config file cannot be used.
    """
    from besedka.commands.cluster_servers import cluster_servers
    from besedka.commands.server_config import server_values

    values = server_values(config)
    in_file = values.get("cluster")
    urls = (
        given or os.environ.get("BESEDKA_CLUSTER") or ",".join(in_file if isinstance(in_file, list) else [])
    )
    ctx = click.get_current_context()
    [option] = [each for each in ctx.command.params if each.name == "cluster"]
    servers = cluster_servers(ctx, option, [urls])
    if not servers:
        raise used_wrongly(
            "no server of the cluster is named: write --cluster nats://host:port, or give --config"
        )
    history = os.environ.get("BESEDKA_HISTORY") or str(values.get("history", "chat_history.txt"))
    return servers, Path(history).absolute()


def _config() -> str:
    path, keys = config_file(), preferences()
    if path is None:
        return "no config file: there is no home folder; you are a guest"
    return (
        f"config file {path}: {', '.join(keys) or 'nothing in it'}"
        if os.path.exists(path)  # noqa: PTH110 - raises nothing
        else f"no config file {path}"
    )


def _environment() -> list[str]:
    """The variables that influence how a chat is reached."""
    names = sorted(name for name in os.environ if name.startswith("BESEDKA_") or name.upper() in _OTHERS)
    return [
        f"in the environment: {name}={'…' if name == 'BESEDKA_KEY' else _shown(os.environ[name])}"
        for name in names
    ]


def _shown(value: str) -> str:
    """A value that may be an address, without its password, key and tokens."""
    base, hash_, fragment = value.partition("#")
    room, _, tokens = fragment.partition(";")
    return f"{_PASSWORD.sub('//…@', base)}{hash_}{room}{';…' if tokens else ''}"


def _source() -> str:
    source = click.get_current_context().get_parameter_source("url")
    if source is ParameterSource.COMMANDLINE:
        return "as given"
    if source is ParameterSource.ENVIRONMENT:
        return "from BESEDKA_URL"
    return "from the config file" if "url" in preferences() else "as nothing else is given"


def _colours(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not is_plain
