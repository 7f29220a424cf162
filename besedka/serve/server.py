"""Puts the parts of the server together and runs them until a signal, or until one of them fails."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from besedka import __version__
from besedka.serve import service_manager
from besedka.serve.authentication.key_file import KeyFile, open_keys
from besedka.serve.authentication.keys import Authenticator, Keys
from besedka.serve.background import Background
from besedka.serve.banner import greeting, shown_host
from besedka.serve.chat import Chat
from besedka.serve.checking import check_certificate
from besedka.serve.doors.admin import AdminDoor
from besedka.serve.doors.forwarded import Proxies, doubtful
from besedka.serve.doors.hosts import Hosts, is_loopback, names_of_machine
from besedka.serve.doors.http.door import HttpDoor
from besedka.serve.doors.http.download import Download
from besedka.serve.doors.http.pages import pages
from besedka.serve.doors.listener import listen
from besedka.serve.doors.origin import Origins
from besedka.serve.doors.timeouts import SWEEP_SECONDS, SWEEP_SLICES
from besedka.serve.doors.websocket.besedka import BesedkaSession
from besedka.serve.doors.websocket.connection import Connection, Session
from besedka.serve.doors.websocket.door import WebSocketDoor
from besedka.serve.doors.websocket.seed import SeedSession
from besedka.serve.errors import ClusterUnusable, missing_package
from besedka.serve.files.trust import folder_concern
from besedka.serve.history import Restored
from besedka.serve.limits.descriptors import SPARE_DESCRIPTORS, Capacity, for_connections, raise_limit
from besedka.serve.limits.sources import Sources
from besedka.serve.log_event import event
from besedka.serve.metrics import GRPC
from besedka.serve.mounts import warn_of_mounted
from besedka.serve.own_addresses import own_addresses
from besedka.serve.reload import Reloading, Reread
from besedka.serve.session import Load, Moderator, Overview, Services
from besedka.serve.settings import Settings
from besedka.serve.shutdown_deadline import Deadline
from besedka.serve.signals import Signals
from besedka.serve.threads import Threads
from besedka.wire.errors import Language

if TYPE_CHECKING:
    from besedka.serve.cluster.node import Node
    from besedka.serve.doors.grpc.door import GrpcDoor

log = logging.getLogger(__name__)

LOST_CLOSE_SECONDS: Final = 0.3
"""How long clients may take to answer a close when the history is lost: a service manager must know soon."""

STOP_CLOSE_SECONDS: Final = 1.5
"""How long clients may take to answer a close when the server stops; see also `besedka.serve.shutdown_deadline`."""


def run(
    settings: Settings, announce: Callable[[str], None] = print, reread: Callable[[], Reread] = Reread
) -> None:
    """Run a server until SIGINT or SIGTERM, or until its terminal is closed.

    Args:
        settings: what to serve, and where.
        announce: is given the lines for the person who started it.
        reread: reads the config file again, when SIGHUP asks for it.

    Raises:
        ServeError: if it cannot start, if the history can no longer be written, or if a part of it has failed.
    """
    capacity = Capacity(for_connections(raise_limit()))
    deadline = Deadline()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings, announce, deadline, capacity, reread))
    finally:
        deadline.lift()
    log.info("stopped", extra=event("stopped"))


async def _serve(
    settings: Settings,
    announce: Callable[[str], None],
    deadline: Deadline,
    capacity: Capacity,
    reread: Callable[[], Reread],
) -> None:
    loop = asyncio.get_running_loop()
    _look_at(settings)
    node = await _join(settings)
    chat = _chat(settings, node)
    try:
        restored = await chat.start()
        path, is_named = settings.access_keys, settings.key_file is not None
        keys, warning = open_keys(path, may_be_link=is_named) if path else ([], "")
        access = Authenticator(Keys(keys) if path else None)
        listener = listen(settings.host, settings.port)
        doors = _doors(settings, chat, access, listener, capacity)
        SPARE_DESCRIPTORS.hold()
        key_file = (
            KeyFile(path, keys, access, Threads(1, "besedka-keys"), may_be_link=is_named) if path else None
        )
        reloading = Reloading(reread, keys=key_file, renew_certificate=_renewal(settings, doors))
        signals = Signals(loop)
        async with (
            Background() as background,
            node.receiving(chat.directory.joined, chat.rooms, chat.metrics) if node else nullcontext(),
            doors.admin.open(settings.admin_socket),
            doors.http.open(listener, settings.certificate, background) as stop_accepting,
            doors.grpc.open(settings) if doors.grpc else nullcontext(),
        ):
            background.run("looking after connections", lambda: _sweep(doors, chat))
            background.run("writing the files about people", chat.directory.watch)
            background.run("giving up unused rooms", chat.unused.watch)
            if node:
                background.run("comparing logs that were edited", chat.committer.look_for_edits)
            background.run("counting refusals", chat.metrics.refusal_tally.watch)
            background.run("reloading", lambda: _reload_when_asked(signals.reload, reloading))
            if key_file:
                background.run("reading the access keys", key_file.watch)
            _warn_of_folders(settings)
            if warning:
                log.warning(warning)
            for line in greeting(
                settings, listener.getsockname()[:2], restored, keys[0].text if keys else ""
            ):
                announce(line)
            _log_start(settings, restored, key_file)
            _log_addresses(settings, listener)
            service_manager.ready()
            failures: Sequence[asyncio.Future[Any]] = (
                chat.lost,
                background.failed,
                *([node.failed] if node else []),
            )
            is_asked_to = await _stopped(signals.stop, failures)
            deadline.begin()
            _announce_end(signals.cause, failures, node)
            stop_accepting()
            if doors.grpc:
                await doors.grpc.stop_accepting()
            await deadline.store(background.guard("storing what was accepted", chat.finish))
            await asyncio.gather(
                doors.websocket.close(STOP_CLOSE_SECONDS if is_asked_to else LOST_CLOSE_SECONDS),
                *([doors.grpc.close()] if doors.grpc else []),
            )
    finally:
        deadline.begin()
        await chat.close()
        if node:
            await node.close()
        chat.metrics.refusal_tally.report()
    for failure in failures:
        if failure.done():
            raise failure.result()


def _look_at(settings: Settings) -> None:
    """Look for what would keep the server from starting, or is doubtful.

    Raises:
        StartError: if it cannot start so.
    """
    if settings.certificate:
        check_certificate(settings.certificate)
    warn_of_mounted(settings)
    _warn_of_doubtful(settings)


async def _join(settings: Settings) -> Node | None:
    """This server as a node of a cluster; None if it is alone."""
    if not settings.cluster:
        return None
    try:
        from besedka.serve.cluster.node import Node  # noqa: PLC0415 - without a cluster NATS is not imported
    except ModuleNotFoundError as error:
        raise ClusterUnusable(missing_package(error)) from error
    return await Node.join(settings)


def _chat(settings: Settings, node: Node | None) -> Chat:
    """The chat of this server, which shares with those of the other nodes of a cluster."""
    if node is None:
        return Chat(settings)
    chat = Chat(settings, node.sequencer, node.people, node.presence.gossip.people)
    node.presence.share(chat.elsewhere_notices, chat.directory)
    return chat


@dataclass(frozen=True, slots=True)
class _Doors:
    """All doors of a server, and where those come from who use them; the one for gRPC only where it is asked for."""

    sources: Sources
    websocket: WebSocketDoor
    http: HttpDoor
    grpc: GrpcDoor | None
    admin: AdminDoor


def _doors(
    settings: Settings, chat: Chat, access: Authenticator, listener: socket.socket, capacity: Capacity
) -> _Doors:
    loop, language, base = asyncio.get_running_loop(), settings.language, settings.base_path
    sources, proxies = Sources(settings.rate_limits, capacity.total), Proxies(settings.proxies)
    services = Services.of(chat, language)
    admission = services.admission
    # The command line speaks English.
    operator = Moderator(
        chat.directory,
        chat.rooms,
        chat.redactor,
        endings=chat.endings,
        admission=admission,
        clock=chat.clock,
        language=Language.EN,
        has_others=chat.heads.has_others,
    )
    overview = Overview(chat.directory, chat.rooms, Load(settings.rate_limits, sources, capacity))
    for_seeds = services.translations[settings.seed_language]
    sessions: dict[str, Callable[[Connection, Iterable[str]], Session]] = {
        f"{base}/": lambda connection, _: SeedSession(connection, for_seeds),
        f"{base}/ws": lambda connection, languages: BesedkaSession(
            connection, services.in_language(languages)
        ),
    }
    websocket = WebSocketDoor(
        sessions,
        sources,
        chat.metrics,
        loop.time,
        origins=Origins(settings.origins),
        access=access,
        soon=loop.call_soon,
        check_network=admission.check_network,
    )
    app = pages(
        Download(admission, chat.rooms, chat.log_reader, language, loop.time),
        chat.metrics,
        chat.unready,
        loop.time,
        language=language,
        access=access,
        base_path=base,
        metrics_open=settings.metrics_open,
    )
    hosts = _hosts(settings, listener)
    capacity.add(lambda: websocket.count)
    http = HttpDoor(
        app,
        websocket.connection,
        sources,
        chat.metrics,
        loop.time,
        capacity=capacity,
        hosts=hosts,
        proxies=proxies,
    )
    return _Doors(
        sources,
        websocket,
        http,
        _grpc_door(settings, services, sources=sources, access=access, capacity=capacity, proxies=proxies),
        AdminDoor(operator, overview, chat.metrics, chat.clock.stamp, Language.EN),
    )


def _grpc_door(
    settings: Settings,
    services: Services,
    *,
    sources: Sources,
    access: Authenticator,
    capacity: Capacity,
    proxies: Proxies,
) -> GrpcDoor | None:
    if settings.grpc_port is None and settings.grpc_unix is None:
        for name, meaning in GRPC.items():
            services.metrics.show(name, meaning, lambda: 0)
        return None
    from besedka.serve.doors.grpc.door import GrpcDoor  # noqa: PLC0415 - an eighth of the time of a start

    now = asyncio.get_running_loop().time
    return GrpcDoor(services, sources=sources, access=access, now=now, capacity=capacity, proxies=proxies)


async def _sweep(doors: _Doors, chat: Chat) -> None:
    """Enforce the deadlines of all connections, and forget the sources that are as new, for ever."""
    loop = asyncio.get_running_loop()
    for part in itertools.cycle(range(SWEEP_SLICES)):
        await asyncio.sleep(SWEEP_SECONDS / SWEEP_SLICES)
        now = loop.time()
        doors.websocket.look_after(now, part)
        if part == 0:
            doors.http.look_after(now)
            if doors.grpc:
                doors.grpc.look_after(now)
            doors.sources.forget(now)
            SPARE_DESCRIPTORS.hold()
            chat.rooms.forget_tenants()


async def _reload_when_asked(asked: asyncio.Event, reloading: Reloading) -> None:
    """Reload each time that it is asked for, for ever."""
    while True:
        await asked.wait()
        asked.clear()
        await reloading.reload()


def _renewal(settings: Settings, doors: _Doors) -> Callable[[], None] | None:
    """Has all doors use the certificate that is in its file now, for connections from then on."""
    certificate = settings.certificate
    if certificate is None:
        return None

    def renew() -> None:
        check_certificate(certificate)
        doors.http.use(certificate)
        if doors.grpc:
            doors.grpc.use(certificate)

    return renew


async def _stopped(stop: asyncio.Event, failures: Iterable[asyncio.Future[Any]]) -> bool:
    """Wait until the server is to end. Returns whether it was asked to."""
    for failure in failures:
        failure.add_done_callback(lambda _: stop.set())
    await stop.wait()
    return not any(failure.done() for failure in failures)


def _log_start(settings: Settings, restored: Restored, keys: KeyFile | None) -> None:
    # Only now: a start that fails is one line, which says why.
    log.info(
        "Besedka %s is up as process %d",
        __version__,
        os.getpid(),
        extra=event("started", version=__version__, process=os.getpid()),
    )
    path = str(settings.history.absolute())
    log.info(
        "messages in %s: %d",
        path,
        restored.messages,
        extra=event("restored", messages=restored.messages, history=path),
    )
    if keys:
        log.info("access keys: %d", keys.count, extra=event("keys", count=keys.count))


def _log_addresses(settings: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    scheme = "https" if settings.certificate else "http"
    addresses = [f"{scheme}://{shown_host(host)}:{port}"]
    if settings.grpc_port:
        addresses.append(
            f"{'grpcs' if settings.certificate else 'grpc'}://{shown_host(host)}:{settings.grpc_port}"
        )
    if settings.grpc_unix:
        addresses.append(f"unix:{settings.grpc_unix.absolute()}")
    if settings.admin_socket:
        addresses.append(f"unix:{settings.admin_socket.absolute()}")
    for address in addresses:
        log.info("listens on %s", address, extra=event("listening", address=address))


def _announce_end(signal: str, failures: Iterable[asyncio.Future[Any]], node: Node | None) -> None:
    """Tell the service manager, the log, and the other nodes that the server stops."""
    service_manager.stopping()
    _log_cause(signal, failures)
    if node:
        node.presence.leave()


def _log_cause(signal: str, failures: Iterable[asyncio.Future[Any]]) -> None:
    """Log why the server stops."""
    for failure in failures:
        if failure.done():
            # Also the last line of the process, which may be killed before.
            error = failure.result()
            log.error("stops because of an error: %s", error, extra=event("stopping", error=str(error)))
            return
    log.info("stops: %s", signal, extra=event("stopping", signal=signal))


def _warn_of_doubtful(settings: Settings) -> None:
    own = own_addresses() if settings.proxies else ()
    for network in doubtful(settings.proxies, own):
        log.warning(
            "--behind-proxy %s: if a client is in this network, it can pass for any address, and escape limits and bans; "
            "name the proxies alone",
            network,
        )


def _warn_of_folders(settings: Settings) -> None:
    """Log who else can replace the files that say who may do what, in a line for each folder."""
    keys = settings.access_keys
    for folder in dict.fromkeys([settings.people_folder, *([keys.parent.absolute()] if keys else [])]):
        if warning := folder_concern(folder):
            log.warning(warning)


def _hosts(settings: Settings, listener: socket.socket) -> Hosts:
    """The host names of the chat; the machine's own only where other machines can connect."""
    address = listener.getsockname()[0]
    is_private = is_loopback(f"[{address}]" if ":" in address else address)
    own = () if is_private else names_of_machine(socket.gethostname())
    return Hosts((*settings.public_hosts, *own))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    return uvloop.new_event_loop
