"""Runs the server, or another command, with what a test bends about time and addresses: ``python -m tests.bent_server serve …``.

The environment says what, and what it does not say stays as it is:

- ``DESCRIPTORS``: the limit of file descriptors, as ``ulimit -n`` sets it;
- ``CLOCKS``: a file of `tests.clocks.Clocks`, that is read whenever the server asks what time it is;
- ``CONSTANTS``: a JSON object of durations by their names, such as ``besedka.serve.doors.timeouts.SWEEP_SECONDS``;
- ``KEEP_ALIVE``: after so many seconds an idle HTTP connection is ended;
- ``OWN_ADDRESS``: the one address of loopback, or "none", that is this machine's; all others are taken for strangers', so that limits
  for addresses show.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from functools import partial
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from besedka.cli import main
from besedka.serve import server  # noqa: F401 - brings in all of which constants are bent
from besedka.serve.clock import Clock
from besedka.serve.limits import networks
from tests.clocks import read

really_time, really_network_of = time.time, networks.network_of
CLOCKS = Path(os.environ.get("CLOCKS", os.devnull))
OWN = os.environ.get("OWN_ADDRESS", "127.0.0.1")


def wall_time() -> float:
    """The time of the wall clock that the test has set."""
    return really_time() + read(CLOCKS).wall


class Loop(uvloop.Loop):
    """A loop by whose clock the server measures whatever lasts; its timers, as of the system, stay as they are."""

    def time(self) -> float:
        now = read(CLOCKS)
        return now.loop if now.stands else super().time() + now.loop


def network_of(host: str) -> IPv4Address | IPv6Network | None:
    """The address that a client counts as, on this machine with this port or on another."""
    return IPv4Address(host) if host.startswith("127.") and host != OWN else really_network_of(host)


def bend_everywhere(name: str, old: object, new: object) -> None:
    """Give a name of a module, and of all that have imported it from there, another value."""
    for module in [module for key, module in sys.modules.items() if key.startswith("besedka.")]:
        if vars(module).get(name) is old:
            setattr(module, name, new)


def bend(constants: dict[str, Any]) -> None:
    """Bend the constants with these names."""
    for path, value in constants.items():
        module, _, name = path.rpartition(".")
        bend_everywhere(name, getattr(importlib.import_module(module), name), value)


if __name__ == "__main__":
    if "CLOCKS" in os.environ:
        time.time = wall_time
        Clock.__init__.__defaults__ = (wall_time,)  # it was taken before
        uvloop.new_event_loop = Loop
    if "OWN_ADDRESS" in os.environ:
        bend_everywhere("network_of", really_network_of, network_of)
    if keep_alive := os.environ.get("KEEP_ALIVE"):
        uvicorn.Config = partial(uvicorn.Config, timeout_keep_alive=float(keep_alive))  # type: ignore[assignment,misc,arg-type]
    if limit := int(os.environ.get("DESCRIPTORS", "0")):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    bend(json.loads(os.environ.get("CONSTANTS", "{}")))
    main()
