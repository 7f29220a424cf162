"""Behind a real nginx, with what ``docs/deploy.md`` shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from besedka.serve.doors.timeouts import PING_SECONDS
from tests import prefork
from tests.clocks import BENT
from tests.conftest import ServerMaker
from tests.proxies.doors import addresses_counted, all_open, caller, get, make_client
from tests.proxies.proxying import HOST, PROXY, Certificate, Proxy, filled, nginx, snippets

SNIPPET, SEALED, BELOW = snippets("nginx")
KNOWN = ("--lang", "en", "--public-host", HOST, "--behind-proxy", PROXY)
OPEN = (*KNOWN, "--open")
KEY = "k" * 43
TARGET = "proxy_pass http://127.0.0.1:8765;\n"


def test_all_doors_are_open_where_nginx_does_tls(
    make_server: ServerMaker, certificate: Certificate, tmp_path: Path
) -> None:
    server = make_server(*OPEN, grpc=True).start()
    with nginx(tmp_path, server, certificate, SNIPPET) as proxy:
        all_open(server, proxy, certificate)
        # The name is the one that the browser asks for, not what nginx calls the chat.
        assert get(proxy, certificate, "/healthz", host="evil.example").status == 421
        with pytest.raises(InvalidStatus) as refused:
            make_client(proxy, certificate, "/elsewhere")
        assert refused.value.response.status_code == 404


def test_all_doors_are_open_where_the_chat_has_tls_of_its_own_as_well(
    make_server: ServerMaker, certificate: Certificate, tmp_path: Path
) -> None:
    tls = ("--tls-cert", str(certificate.path), "--tls-key", str(certificate.key))
    server = make_server(*OPEN, *tls, grpc=True).start()
    snippet = filled(SNIPPET, {TARGET: SEALED.lstrip(), "grpc://": "grpcs://"})
    with nginx(tmp_path, server, certificate, snippet) as proxy:
        all_open(server, proxy, certificate)


@pytest.mark.parametrize("keeps", [True, False], ids=["keeps the path", "takes it away"])
def test_all_doors_are_open_below_a_path(
    keeps: bool, make_server: ServerMaker, certificate: Certificate, tmp_path: Path
) -> None:
    server = make_server(*OPEN, *(("--base-path", "/chat") if keeps else ()), grpc=True).start()
    snippet = filled(SNIPPET, {f"    location / {{\n        {TARGET}": BELOW})
    if not keeps:
        snippet = filled(snippet, {TARGET: TARGET.replace(";", "/;")})
    with nginx(tmp_path, server, certificate, snippet) as proxy:
        below = Proxy(proxy.port, "/chat")
        all_open(server, below, certificate)
        inside = get(proxy, certificate, "/chat")
        assert inside.status in {301, 308}
        assert (inside.headers["location"] or "").endswith("/chat/")
        for path in ("/", "/healthz", "/chatter", "/chat/../healthz"):
            assert get(proxy, certificate, path).status == 404, path


def test_everybody_counts_by_his_own_address(
    make_server: ServerMaker, certificate: Certificate, tmp_path: Path
) -> None:
    server = make_server(
        *OPEN, "--connections-per-address", "2", module=BENT, OWN_ADDRESS="127.0.0.1", grpc=True
    ).start()
    with nginx(tmp_path, server, certificate, SNIPPET) as proxy:
        addresses_counted(server, proxy, certificate)


@pytest.mark.parametrize("declared", [True, False], ids=["known", "unknown"])
def test_nobody_is_a_program_of_this_machine_because_the_proxy_is_there(
    declared: bool, make_server: ServerMaker, certificate: Certificate, tmp_path: Path
) -> None:
    (tmp_path / "keys.txt").write_text(f"{KEY}\n")
    options = ("--key-file", "keys.txt", "--base-path", "/chat")
    server = make_server(*(KNOWN if declared else KNOWN[:4]), *options, grpc=True).start()
    assert f"open      http://localhost:{server.port}/chat/" in server.greeting
    snippet = filled(SNIPPET, {f"    location / {{\n        {TARGET}": BELOW})
    with nginx(tmp_path, server, certificate, snippet) as proxy:
        key = {"Authorization": f"Bearer {KEY}"}
        for path, without, having in (("metrics", 401, 403), ("readyz", 401, 200), ("healthz", 200, 200)):
            assert get(proxy, certificate, f"/chat/{path}").status == without, path
            assert get(proxy, certificate, f"/chat/{path}", **key).status == having, path
        below = Proxy(proxy.port, "/chat")
        with make_client(below, certificate) as stranger:
            assert stranger.ending()[0] == 4003
        with make_client(below, certificate, **key) as anna:
            anna.join("Anna")


def test_a_ban_shuts_out_an_address_and_not_all_who_come_through_the_proxy(
    make_server: ServerMaker, certificate: Certificate, tmp_path: Path
) -> None:
    server = make_server(*OPEN, module=BENT, OWN_ADDRESS="127.0.0.1", grpc=True).start()
    with nginx(tmp_path, server, certificate, SNIPPET) as proxy:
        done = prefork.run_as_text(["admin", "ban", "127.0.0.2"], cwd=tmp_path, env=server.environment)
        assert done.returncode == 0, done.stderr
        lie = {"X-Forwarded-For": "203.0.113.1", "Forwarded": "for=203.0.113.2"}
        for path in ("/ws", "/"):
            with make_client(proxy, certificate, path, "127.0.0.2", **lie) as banned:
                assert banned.ending()[0] == 4005
        assert get(proxy, certificate, "/history.txt", client="127.0.0.2", **lie).status == 403
        assert get(proxy, certificate, "/history.txt", client="127.0.0.3").status == 200
        with (
            make_client(proxy, certificate, client="127.0.0.3") as boris,
            caller(server, proxy, certificate) as program,
        ):
            boris.join("Boris")
            assert program.send("Anna", "still here").id == 1


def test_pings_keep_the_way_open() -> None:
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", SNIPPET)
    assert int(seconds) > 2 * PING_SECONDS
