"""A cluster on this machine: three servers of NATS, and nodes that know them."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import combinations, permutations
from pathlib import Path
from typing import Final, Self, TypeVar

import nats
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.errors import NoStreamResponseError, NotFoundError, ServiceUnavailableError

from besedka.serve.cluster.jetstream.servers import ANSWER_SECONDS, QUESTION
from besedka.serve.cluster.order.entry import Entry, decode_entry, encode_entry
from tests import looping
from tests.commanding import wait_until
from tests.networks import Network, Way
from tests.running import RunningServer, free_port
from tools.run_cluster import filled, server_config, server_url

T = TypeVar("T")

NATS: Final = Path(sys.executable).with_name("nats-server")
SERVERS: Final = 3
LOOPBACK: Final = "127.0.0.1"
TRIES: Final = 60
RETRY_SECONDS: Final = 0.2
LEADERLESS: Final = (NatsTimeoutError, NoRespondersError, NoStreamResponseError, ServiceUnavailableError)
STREAMS: Final = ("BESEDKA", "BESEDKA_FIXED", "BESEDKA_PEOPLE", "BESEDKA_NAMES", "BESEDKA_READ")


class NatsServers:
    """The servers that decide the order.

    Args:
        folder: their folders stand in it.
        count: how many they are.
        sync: their ``sync_interval``; without any, they have no JetStream.
        says: whether they say how they sync.
        can_part: whether any of them can be cut off from the others.
        network: on whose first machines they run; without one on this machine.

    Attributes:
        urls: their addresses.
    """

    def __init__(
        self,
        folder: Path,
        count: int = SERVERS,
        *,
        sync: str = "always",
        says: bool = True,
        can_part: bool = False,
        network: Network | None = None,
    ) -> None:
        self._folder = folder
        self._sync = sync
        self._says = says
        self._links: list[Link] = []
        self._network = network
        hosts = [network.address(number) if network else LOOPBACK for number in range(count)]
        self._addresses = [f"{host}:{free_port()}" for host in hosts]
        self._routes = [f"{host}:{free_port()}" for host in hosts]
        # The ways between any two of them; a proxy leads in one direction.
        self._ways: dict[tuple[int, int], Link | Way] = {}
        if network:
            self._ways = {pair: network.way(*pair) for pair in combinations(range(count), 2)}
        elif can_part:
            for one, to in permutations(range(count), 2):
                self._links.append(link := Link([self._routes[to]], "nats://"))
                self._ways[one, to] = link
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self.urls = [*map(server_url, self._addresses)]

    def __enter__(self) -> Self:
        try:
            for number in range(len(self._addresses)):
                self.start(number)
            for address in self._addresses:
                wait_until(partial(_listens, address))
            if self._sync:
                wait_until(self._has_leader)
            if self._sync and self._says:
                wait_until(self._all_answer)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for number in range(len(self._addresses)):
            self.kill(number)
        for link in self._links:
            link.close()

    @property
    def options(self) -> Sequence[str]:
        """The options of a node."""
        return _options(self.urls)

    def links(self, machine: int = 0) -> tuple[Sequence[str], Sequence[Link | Way]]:
        """The options of a node whose ways to the servers can be held, and these ways.

        Args:
            machine: the node's, on the network.
        """
        if self._network:
            return self.options, [
                self._network.way(machine, number) for number in range(len(self._addresses))
            ]
        links = [Link([address], "nats://besedka:change-me-too@") for address in self._addresses]
        self._links += links
        return _options([link.url for link in links]), links

    def start(self, number: int) -> None:
        """Start one of them."""
        folder = self._folder / f"nats-{number}"
        folder.mkdir(exist_ok=True)
        config = folder / "nats.conf"
        config.write_text(self._config(number, folder), encoding="utf-8")
        with (folder / "log.txt").open("ab") as log:
            within = self._network.within(number) if self._network else ()
            command = [*within, str(NATS), "-c", str(config)]
            self._processes[number] = subprocess.Popen(command, stdout=log, stderr=log)

    def freeze(self, number: int) -> None:
        """Have one of them stand still."""
        self._signal(number, signal.SIGSTOP)

    def thaw(self, number: int) -> None:
        """Have it go on."""
        self._signal(number, signal.SIGCONT)

    def part(self, number: int) -> None:
        """Cut one of them off from the others. The nodes still reach it."""
        for way in self._ways_of(number):
            way.hold()

    def join(self, number: int) -> None:
        """Have it reach the others again."""
        for way in self._ways_of(number):
            way.heal()
            way.cut()

    def entries(self, name: str = "BESEDKA") -> dict[str, list[Entry]]:
        """All entries of a stream, by their subjects."""
        found: dict[str, list[Entry]] = {}
        for subject, entry in self.numbered(name).values():
            found.setdefault(subject, []).append(entry)
        return found

    def numbered(self, name: str = "BESEDKA") -> dict[int, tuple[str, Entry]]:
        """All entries of a stream with their subjects, by their numbers; deleted ones are missing."""

        async def read(stream: JetStreamContext) -> dict[int, tuple[str, Entry]]:
            found: dict[int, tuple[str, Entry]] = {}
            for number in range(1, (await stream.stream_info(name)).state.last_seq + 1):
                with suppress(NotFoundError):
                    message = await stream.get_msg(name, number)
                    found[number] = str(message.subject), decode_entry(message.data or b"")
            return found

        return self._led(read)

    def publish(self, subject: str, entry: Entry) -> int:
        """Put an entry into a stream. Returns its number there."""
        once = {"Nats-Msg-Id": secrets.token_hex(8)}

        async def put(stream: JetStreamContext) -> int:
            return (await stream.publish(subject, encode_entry(entry), headers=once)).seq

        return self._led(put)

    def erase(self, name: str, number: int) -> None:
        """Take an entry out of a stream."""

        async def delete(stream: JetStreamContext) -> None:
            with suppress(NotFoundError):
                await stream.delete_msg(name, number)

        self._led(delete)

    def hold(self, text: str, folder: str = "streams") -> list[Path]:
        """The files of the servers that hold a text, among those of the streams, or in another folder."""
        return [
            path
            for path in self._folder.rglob("*")
            if folder in path.parts and text.encode() in _content(path)
        ]

    def _led(self, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
        """Do something with the streams, again until they have leaders: during an election nobody answers."""

        async def do() -> T:
            client = await nats.connect(self.urls)
            try:
                for _ in range(TRIES):
                    with suppress(*LEADERLESS):
                        return await work(client.jetstream(timeout=1))
                    await asyncio.sleep(RETRY_SECONDS)
                raise AssertionError("there is no leader")
            finally:
                await client.close()

        return looping.run(do())

    def _ways_of(self, number: int) -> list[Link | Way]:
        return [way for ends, way in self._ways.items() if number in ends]

    def _all_answer(self) -> bool:
        """Whether each of them is reached by way of the first one."""

        async def ask() -> int:
            client = await nats.connect(self.urls[0])
            answers = await client.subscribe(inbox := client.new_inbox())
            await client.publish(QUESTION, reply=inbox)
            found = 0
            with suppress(NatsTimeoutError):
                while found < len(self.urls):
                    await answers.next_msg(ANSWER_SECONDS)
                    found += 1
            await client.close()
            return found

        return looping.run(ask()) == len(self.urls)

    def _has_leader(self) -> bool:
        """Whether they have decided who leads: only then streams can be made."""
        logs = (self._folder / f"nats-{number}" / "log.txt" for number in range(len(self._addresses)))
        return all(b"metadata leader" in log.read_bytes() for log in logs)

    def _signal(self, number: int, wanted: signal.Signals) -> None:
        process = self._processes[number]
        assert process
        process.send_signal(wanted)

    def _config(self, number: int, folder: Path) -> str:
        """The content of ``deploy/nats.conf``, but for the mistakes that were asked for."""
        text = server_config(number, folder / "store", self._addresses, self._routes)
        # Else they tell the nodes of each other, and these find ways that cannot be held.
        changes = {"name: besedka": "name: besedka\n  no_advertise: true"}
        if self._ways and not self._network:
            # They tell each other where they listen, too, which leads past the ways: so they say that it is nowhere.
            changes["name: besedka"] += "\n  advertise: 127.0.0.1:1"
        for (one, to), way in self._ways.items():
            if one == number and isinstance(way, Link):
                changes[f"nats://{self._routes[to]}"] = way.url
        if not self._sync:
            changes |= {"\njetstream {": "\n# {", "jetstream: enabled": "jetstream: disabled"}
        elif self._sync != "always":
            changes["sync_interval: always"] = f"sync_interval: {self._sync}"
        if not self._says:
            changes["imports:"] = "# imports:"
        text = filled(text, changes)
        return text if self._sync else re.sub(r"# \{.*?\n\}\n", "", text, flags=re.DOTALL)

    def delete_stream(self) -> None:
        """Delete what the nodes order their messages by, and all that belongs to it."""

        async def delete(stream: JetStreamContext) -> None:
            for name in STREAMS:
                with suppress(NotFoundError):
                    await stream.delete_stream(name)

        self._led(delete)

    def stop(self, number: int) -> None:
        """Ask one of them to end, and wait until it has."""
        process, self._processes[number] = self._processes[number], None
        assert process
        process.terminate()
        process.wait()

    def kill(self, number: int) -> None:
        """End one of them at once."""
        process, self._processes[number] = self._processes[number], None
        if process:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


class Link:
    """A way to a server of NATS, or to any of several nodes, which can be held or cut.

    Args:
        addresses: where it leads to, as ``host:port``; each connection to one of them, by chance.
        front: its address up to the host.

    Attributes:
        url: its address.
    """

    def __init__(self, addresses: Sequence[str], front: str) -> None:
        self._addresses = addresses
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server((LOOPBACK, 0))
        self._sockets: set[socket.socket] = set()
        self.url = f"{front}{LOOPBACK}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Let nothing pass, and say so to nobody: as a network that has been cut."""
        self._open.clear()

    def heal(self) -> None:
        """Let everything pass again, also what was held."""
        self._open.set()

    def cut(self) -> None:
        """End all connections; the next ones may lead elsewhere."""
        for each in [*self._sockets]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End all connections, and take no more."""
        self._open.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            self._open.wait()
            with _connected(random.choice(self._addresses)) as far:
                self._sockets |= {near, far}
                back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
                back.start()
                self._pump(near, far)
                back.join()
                self._sockets -= {near, far}

    def _pump(self, begin: socket.socket, end: socket.socket) -> None:
        with suppress(OSError):
            while data := begin.recv(65536):
                self._open.wait()
                end.sendall(data)
        for each in (begin, end):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def files(nodes: Sequence[RunningServer], name: str) -> set[bytes]:
    """The contents that a file has on the nodes: one, if it is the same on all. A file that is not there is empty."""
    paths = [node.directory / name for node in nodes]
    return {path.read_bytes() if path.exists() else b"" for path in paths}


def _content(path: Path) -> bytes:
    """The content of a file; of what is none, or is gone, nothing."""
    with suppress(FileNotFoundError, IsADirectoryError):
        return path.read_bytes()
    return b""


def _options(urls: Sequence[str]) -> Sequence[str]:
    return ("--cluster", ",".join(urls))


def _connected(address: str, timeout: float | None = None) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=timeout)


def _listens(address: str) -> bool:
    with suppress(OSError), _connected(address, timeout=1):
        return True
    return False
