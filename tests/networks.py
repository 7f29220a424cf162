"""Machines on a network: namespaces of this kernel with an address each, between any two of which the network can be cut. It takes root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, Self

IP: Final = shutil.which("ip")


class Network:
    """A network: a router, and machines behind it. This machine reaches all of them.

    Args:
        count: how many machines there are.
    """

    def __init__(self, count: int) -> None:
        # Networks of tests that run at the same time differ in the number of their process.
        number = os.getpid() % 2**9
        # RFC 2544, appendix C.2.2: addresses for tests, which are routed nowhere.
        self._front = f"198.{18 + number // 2**8}.{number % 2**8}"
        self._router = f"besedka{number}"
        self._gateway = f"{self._front}.254"
        self._count = count
        self._until_end = ExitStack()

    @staticmethod
    def can_be() -> bool:
        """Whether there can be one here: the program is there, and its user may make namespaces."""
        if IP is None or os.geteuid():
            return False
        name = f"besedka-try-{os.getpid()}"
        can_be = subprocess.run([IP, "netns", "add", name], check=False, capture_output=True).returncode == 0
        if can_be:
            _ip("netns", "del", name)
        return can_be

    def __enter__(self) -> Self:
        with ExitStack() as until_failure:
            until_failure.push(self.__exit__)
            self._add(self._router)
            forward = "echo 1 > /proc/sys/net/ipv4/ip_forward"
            _ip("netns", "exec", self._router, "sh", "-c", forward)
            self._plug_in((), self._router, f"{self._front}.253")
            _ip("route", "add", f"{self._front}.0/24", "via", self._gateway, "dev", self._router, "onlink")
            for machine in range(self._count):
                name = self._name(machine)
                self._add(name)
                self._plug_in(("-n", name), "eth0", self.address(machine))
                _ip("-n", name, "route", "add", "default", "via", self._gateway, "dev", "eth0", "onlink")
            until_failure.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._until_end.close()

    def address(self, machine: int) -> str:
        """The address of a machine, numbered from 0."""
        return f"{self._front}.{machine + 1}"

    def within(self, machine: int) -> Sequence[str]:
        """The command in front of another one that is to run on a machine."""
        return (str(IP), "netns", "exec", self._name(machine))

    def way(self, one: int, other: int) -> Way:
        """The way between two machines."""
        return Way(self._router, self.address(one), self.address(other))

    def _name(self, machine: int) -> str:
        return f"{self._router}-{machine}"

    def _add(self, name: str) -> None:
        _ip("netns", "add", name)
        self._until_end.callback(_ip, "netns", "del", name)
        _ip("-n", name, "link", "set", "lo", "up")

    def _plug_in(self, within: Sequence[str], device: str, address: str) -> None:
        """Connect a namespace to the router, by a cable of its own."""
        port = f"to{address.rpartition('.')[2]}"
        _ip(*within, "link", "add", device, "type", "veth", "peer", "name", port, "netns", self._router)
        _ip(*within, "addr", "add", f"{address}/32", "dev", device)
        _ip(*within, "link", "set", device, "up")
        _ip("-n", self._router, "addr", "add", f"{self._gateway}/32", "dev", port)
        _ip("-n", self._router, "link", "set", port, "up")
        _ip("-n", self._router, "route", "add", f"{address}/32", "dev", port)


class Way:
    """The way between two machines, which can be held.

    Args:
        router: the namespace of the router.
        one: the address of one of them.
        other: that of the other one.
    """

    def __init__(self, router: str, one: str, other: str) -> None:
        self._router = router
        self._directions = [(one, other), (other, one)]

    def hold(self) -> None:
        """Let nothing pass, and say so to nobody: the router drops it."""
        self._rules("add")

    def heal(self) -> None:
        """Let everything pass again; what was dropped is sent again when its sender thinks so."""
        self._rules("del")

    def cut(self) -> None:
        """End nothing: a network has no say in who is connected."""

    def _rules(self, what: str) -> None:
        for begin, end in self._directions:
            _ip("-n", self._router, "rule", what, "from", begin, "to", end, "prio", "1", "blackhole")


def _ip(*words: str) -> None:
    subprocess.run([str(IP), *words], check=True, capture_output=True)
