"""``besedka serve``."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from besedka.commands import garbage, server_config
from besedka.commands.cluster_servers import cluster_servers
from besedka.commands.exit_status import Failure, Status, WrongConfig, discard_stdout, why
from besedka.commands.options import setting
from besedka.commands.server_config import Config, config_of
from besedka.wire.errors import Language
from besedka.wire.languages import language_of

if TYPE_CHECKING:
    from besedka.serve.reload import Reread

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")


def _finite(_: click.Context, __: click.Parameter, given: float) -> float:
    if math.isnan(given):
        raise click.BadParameter("it is not a number")
    return given


def _origins(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    from besedka.serve.doors.origin import clean_origin

    try:
        return tuple(map(clean_origin, given))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _public_hosts(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    from besedka.serve.doors.hosts import clean_host

    return tuple(_cleaned(clean_host, name) for name in given)


def _proxies(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    from besedka.serve.doors.forwarded import clean_proxy

    return tuple(_cleaned(clean_proxy, address) for address in given)


def _base_path(_: click.Context, __: click.Parameter, given: str) -> str:
    from besedka.serve.doors.base_path import clean_base_path

    return _cleaned(clean_base_path, given)


def _cleaned(clean: Callable[[str], str], given: str) -> str:
    try:
        return clean(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _outranks(winner: str, loser: str) -> bool:
    """Whether an option overrides another that contradicts it, because only the other one is in the config file, or not given at all.

    Raises:
        click.UsageError: if both are given in the same place, or on the command line and in the environment.
    """
    ctx = click.get_current_context()
    above, below = (_RANKS.get(ctx.get_parameter_source(name), 0) for name in (winner, loser))
    if above == below:
        raise click.UsageError(_CONTRADICTIONS[winner, loser])
    return above > below


_RANKS: Final[Mapping[ParameterSource | None, int]] = {
    ParameterSource.COMMANDLINE: 2,
    ParameterSource.ENVIRONMENT: 2,
    ParameterSource.DEFAULT_MAP: 1,
}

_CONTRADICTIONS: Final = {
    ("open", "key_file"): "--open asks for no key, and --key-file has one asked for: give one of them",
    ("lan", "host"): "--lan listens on all addresses, and --host on one: give one of them",
}


def _socket(given: str | None, beside: Path) -> Path | None:
    if given is None:
        return beside
    return Path(given) if given else None


@click.command(
    short_help="Start the chat.",
    epilog="""\b
Examples:
  besedka serve
  besedka serve --lan
  besedka serve --port 9000 --history talk/history.txt --utc
  BESEDKA_PORT=9000 besedka serve
  besedka serve --config /etc/besedka.toml --check""",
)
@setting(
    "--config",
    type=click.Path(readable=False),
    is_eager=True,
    callback=server_config.take,
    help="A file with these options, such as port = 9000, read again at SIGHUP. If not given: besedka.toml in this folder, if there is one. "
    "'' is none.",
)
@click.option(
    "--check", is_flag=True, help="Check all settings, print each with its source, and start nothing."
)
@setting(
    "--log-level",
    default="info",
    type=click.Choice(LEVELS),
    help="The least important lines of the log on stderr.",
)
@setting(
    "--log-format",
    default="text",
    type=click.Choice(FORMATS),
    help="How its lines are written; json: one object a line.",
)
@setting(
    "--host",
    default="127.0.0.1",
    help="The address to listen on. Where others can reach it, they need an access key, unless --open.",
)
@setting(
    "--lan", is_flag=True, help="Listen on all addresses, and show links with an access key, and a QR code."
)
@setting(
    "--key-file",
    type=click.Path(readable=False, path_type=Path),
    help="Ask for an access key, one of those in this file, which is created if it does not exist. "
    "If not given: access_key.txt beside the history, where a key is needed.",
)
@setting("--open", is_flag=True, help="Ask for no access key: everybody who reaches the port may join.")
@setting(
    "--port", default=8765, type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one."
)
@setting(
    "--history",
    default="chat_history.txt",
    type=click.Path(readable=False, path_type=Path),
    help="The file with the history; the rooms' files stand beside it.",
)
@setting(
    "--grpc-port",
    default=50051,
    type=click.IntRange(0, 65535),
    help="The port for gRPC; 0 is none.",
)
@setting("--grpc-unix", type=click.Path(path_type=Path), help="A Unix socket for gRPC, for this user only.")
@setting(
    "--tls-cert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A certificate chain in PEM: TLS on both ports.",
)
@setting(
    "--tls-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its private key, in PEM.",
)
@setting("--utc", is_flag=True, help="Write times in UTC instead of this machine's zone.")
@setting(
    "--lang",
    type=click.Choice([language.value for language in Language]),
    help="The language of notices and refusals for clients that do not say theirs.  [default: as LC_ALL, LC_MESSAGES or LANG say, "
    "else en; at / always ru]",
)
@setting(
    "--rate",
    default=100.0,
    type=click.FloatRange(0, 1e9),
    callback=_finite,
    help="Messages a second from one connection, ten seconds' worth of them at once; 0 is no limit.",
)
@setting(
    "--rate-address",
    default=1_000.0,
    type=click.FloatRange(0, 1e9),
    callback=_finite,
    help="The same for all connections from one address (not for this machine's own); 0 is no limit.",
)
@setting(
    "--connections-per-address",
    default=1_000,
    type=click.IntRange(0),
    help="Connections from one address (not this machine's own); 0 is no limit.",
)
@setting(
    "--names",
    default="claimed",
    type=click.Choice(["open", "claimed", "invited"]),
    help="Whose a name is: open, its user's while they are here; claimed, its first user's; invited, as claimed, and only known people "
    "may join.",
)
@setting(
    "--claim-days",
    default=90,
    type=click.IntRange(0, 36_500),
    help="After so many days without its holder, and a week in which the server was up, a name is free again; 0 is never.",
)
@setting(
    "--admin-socket",
    metavar="PATH",
    help="A Unix socket for besedka admin, for this user only; if not given FILE.admin beside the history. '' is none.",
)
@setting(
    "--people",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the files about people; if not given the history's.",
)
@setting(
    "--origin",
    multiple=True,
    callback=_origins,
    metavar="ORIGIN",
    help="The origin of a web page that may connect, beside those of the chat's own host, such as https://example.org; may be repeated.",
)
@setting(
    "--public-host",
    multiple=True,
    callback=_public_hosts,
    metavar="NAME",
    help="A host name of the chat, beside IP addresses, localhost and this machine's own; may be repeated.",
)
@setting(
    "--behind-proxy",
    multiple=True,
    callback=_proxies,
    metavar="ADDRESS",
    help="A reverse proxy whose forwarded addresses are trusted: an IP address, unix, or a network with nothing but proxies in it, such "
    "as 172.18.0.0/24; may be repeated. A client in it could pass for any address.",
)
@setting(
    "--base-path",
    default="/",
    callback=_base_path,
    metavar="PATH",
    help="The path of its host below which the chat is, such as /chat.",
)
@setting(
    "--cluster",
    multiple=True,
    callback=cluster_servers,
    metavar="URL",
    help="The servers of NATS by which this server has one order with others, as nats://user:password@host:port, with a comma between them; docs/cluster.md.",
)
@setting(
    "--cluster-unchecked",
    is_flag=True,
    help="Take the servers of the cluster as they are, also if they do not say that what they acknowledge is on their disks.",
)
@setting("--metrics-open", is_flag=True, help="Show /metrics to other machines, too.")
def serve(
    *,
    config: str | None,  # noqa: ARG001 - its callback has read it
    check: bool,
    log_level: str,
    log_format: str,
    host: str,
    lan: bool,
    key_file: Path | None,
    open: bool,  # noqa: A002 - as the option is called
    port: int,
    history: Path,
    grpc_port: int,
    grpc_unix: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    utc: bool,
    lang: str | None,
    rate: float,
    rate_address: float,
    connections_per_address: int,
    names: str,
    claim_days: int,
    admin_socket: str | None,
    people: Path | None,
    origin: tuple[str, ...],
    public_host: tuple[str, ...],
    behind_proxy: tuple[str, ...],
    base_path: str,
    cluster: tuple[str, ...],
    cluster_unchecked: bool,
    metrics_open: bool,
) -> None:
    """Start the chat and keep it running until Ctrl-C."""
    from besedka.serve.errors import ServeError
    from besedka.serve.limits.rate_limits import RateLimits
    from besedka.serve.log_event import event
    from besedka.serve.people.names import Names
    from besedka.serve.server import run
    from besedka.serve.server_log import LogFormat, configure
    from besedka.serve.settings import Certificate, Settings, admin_socket_of

    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together")
    if open and key_file is not None:
        open = _outranks("open", "key_file")  # noqa: A001 - as the option is called
        key_file = None if open else key_file
    lan = lan and _outranks("lan", "host")
    configure(log_level, LogFormat(log_format))
    settings = Settings(
        host="" if lan else host,
        port=port,
        history=history,
        utc=utc,
        language=Language(lang) if lang else language_of(os.environ),
        seed_language=Language(lang or Language.RU),
        rate_limits=RateLimits(rate, rate_address, connections_per_address),
        origins=origin,
        public_hosts=public_host,
        proxies=behind_proxy,
        base_path=base_path,
        grpc_port=grpc_port or None,
        grpc_unix=grpc_unix,
        key_file=key_file,
        is_open=open,
        metrics_open=metrics_open,
        cluster=cluster,
        cluster_unchecked=cluster_unchecked,
        names=Names(names),
        claim_days=claim_days,
        people=people,
        admin_socket=_socket(admin_socket, admin_socket_of(history)),
        certificate=Certificate(tls_cert, tls_key) if tls_cert and tls_key else None,
    )
    ctx = click.get_current_context()
    if check:
        from besedka.commands.serve_check import check as check_settings

        check_settings(ctx, config_of(ctx), settings)
        return
    garbage.resume()
    try:
        run(settings, announce=_announce, reread=_Rereading(config_of(ctx), log_level, log_format))
    except ServeError as error:
        if log_format == "json":
            # A plain line could not be read as JSON.
            logging.getLogger(__name__).error("%s", error, extra=event("failed"))  # noqa: TRY400 - the sentence is enough
            ctx.exit(Status.FAILED)
        raise Failure(str(error)) from None


class _Rereading:
    """Reads the config file again, and puts in force what a running server can take.

    Args:
        config: the file.
        level: the level of the log that is in force.
        form: the format of the log that is in force.
    """

    def __init__(self, config: Config, level: str, form: str) -> None:
        self._config = config
        self._log = {"log-level": level, "log-format": form}

    def __call__(self) -> Reread:
        from besedka.serve.limits.descriptors import SPARE_DESCRIPTORS
        from besedka.serve.reload import Reread
        from besedka.serve.server_log import LogFormat, configure

        try:
            values = SPARE_DESCRIPTORS.use(self._config.read_again)
        except WrongConfig as error:
            return Reread(trouble=error.message)
        now = {key: str(self._config.in_force(values, key)) for key in self._log}
        changed = [f"{key} = {value}" for key, value in now.items() if value != self._log[key]]
        if changed:
            self._log = now
            configure(now["log-level"], LogFormat(now["log-format"]))
        return Reread(changed, [key for key in self._config.changes(values) if key not in self._log])


def _announce(line: str) -> None:
    """Print a line; the server goes on even if nobody reads it."""
    try:
        click.echo(line)
    except OSError as error:
        discard_stdout()
        logging.getLogger(__name__).warning("stdout takes nothing more: %s", why(error))
