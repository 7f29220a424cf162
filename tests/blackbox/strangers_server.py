"""Runs the server with every loopback address but 127.0.0.1 taken for a stranger's, so that limits for addresses show.

The environment variable OWN_ADDRESS names another one, or none.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Address, IPv6Network

from besedka.cli import main
from besedka.serve import rate_limits

OWN = os.environ.get("OWN_ADDRESS", "127.0.0.1")

really_network_of = rate_limits.network_of


def network_of(host: str) -> IPv4Address | IPv6Network | None:
    return IPv4Address(host) if host.startswith("127.") and host != OWN else really_network_of(host)


if __name__ == "__main__":
    rate_limits.network_of = network_of
    main()
