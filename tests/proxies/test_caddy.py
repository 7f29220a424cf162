"""Behind a real Caddy, with what ``docs/deploy.md`` shows."""

from __future__ import annotations

from pathlib import Path

from tests.clocks import BENT
from tests.conftest import ServerMaker
from tests.proxies.doors import addresses_counted, all_open
from tests.proxies.proxying import HOST, Certificate, caddy, snippets

(SNIPPET,) = snippets("caddyfile")
KNOWN = ("--open", "--lang", "en", "--public-host", HOST, "--behind-proxy", "127.0.0.1")


def test_all_doors_are_open(make_server: ServerMaker, certificate: Certificate, tmp_path: Path) -> None:
    server = make_server(*KNOWN, grpc=True).start()
    with caddy(tmp_path, server, certificate, SNIPPET) as proxy:
        all_open(server, proxy, certificate)


def test_everybody_counts_by_his_own_address(
    make_server: ServerMaker, certificate: Certificate, tmp_path: Path
) -> None:
    server = make_server(
        *KNOWN, "--connections-per-address", "2", module=BENT, OWN_ADDRESS="127.0.0.1", grpc=True
    ).start()
    with caddy(tmp_path, server, certificate, SNIPPET) as proxy:
        addresses_counted(server, proxy, certificate)
