"""Reverse proxies, started with what ``docs/deploy.md`` shows, as processes of their own on loopback."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.commanding import TIMEOUT_SECONDS, wait_until
from tests.running import ROOT, RunningServer, free_port

HOST = "chat.example.org"
"""The name that the document gives the chat."""

PROXY = "127.0.0.9"
"""From where the proxy comes to the chat; so nobody else on loopback is one."""

DOCUMENT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Certificate:
    """A certificate that signs itself, and its key."""

    path: Path
    key: Path

    @property
    def trusting(self) -> ssl.SSLContext:
        """A TLS context that trusts it and nothing else."""
        return ssl.create_default_context(cafile=str(self.path))


@dataclass(frozen=True)
class Proxy:
    """A proxy that listens."""

    port: int
    base_path: str = ""

    def url(self, path: str = "/ws") -> str:
        """The address of a WebSocket behind it, for one for whom TLS is spoken."""
        return f"ws://{HOST}:{self.port}{self.base_path}{path}"

    def socket(self, client: str = "127.0.0.1") -> socket.socket:
        """A connection from this address, before anything is said."""
        return socket.create_connection(("127.0.0.1", self.port), TIMEOUT_SECONDS, source_address=(client, 0))


def snippets(language: str) -> list[str]:
    """The document's examples in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def filled(text: str, changes: dict[str, str]) -> str:
    """A snippet with other ports and files; each of the changes must be one."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def make_certificate(folder: Path) -> Certificate:
    """A certificate for the chat's name, and for this machine."""
    made = Certificate(folder / "chat.pem", folder / "chat.key")
    names = f"subjectAltName=DNS:{HOST},DNS:localhost,IP:127.0.0.1"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=chat -addext"
    )
    subprocess.run(
        [*command.split(), names, "-out", str(made.path), "-keyout", str(made.key)],
        check=True,
        capture_output=True,
    )
    return made


@contextmanager
def nginx(folder: Path, server: RunningServer, certificate: Certificate, snippet: str) -> Iterator[Proxy]:
    """nginx, with what the document shows, before a server."""
    port = free_port()
    changes = {
        "listen 443": f"listen 127.0.0.1:{port}",
        "127.0.0.1:8765": f"127.0.0.1:{server.port}",
        "127.0.0.1:50051": f"127.0.0.1:{server.grpc_port}",
        "/etc/ssl/chat.pem": str(certificate.path),
        "/etc/ssl/chat.key": str(certificate.key),
    }
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        "events {}\n"
        f"http {{ access_log off; proxy_bind {PROXY}; grpc_bind {PROXY};\n"
        f"{places}{filled(snippet, changes)}}}\n",
        encoding="utf-8",
    )
    with _running([found("nginx"), "-p", str(folder), "-c", str(config)], port, folder):
        yield Proxy(port)


@contextmanager
def caddy(folder: Path, server: RunningServer, certificate: Certificate, snippet: str) -> Iterator[Proxy]:
    """Caddy, with what the document shows, before a server."""
    port = free_port()
    changes = {
        f"{HOST} {{": f"{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate.path} {certificate.key}",
        "127.0.0.1:8765": f"127.0.0.1:{server.port}",
        "127.0.0.1:50051": f"127.0.0.1:{server.grpc_port}",
    }
    config = folder / "Caddyfile"
    config.write_text(
        f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{filled(snippet, changes)}", encoding="utf-8"
    )
    command = [found("caddy"), "run", "--config", str(config), "--adapter", "caddyfile"]
    with _running(command, port, folder):
        yield Proxy(port)


def found(name: str) -> str:
    """Where a proxy is."""
    path = subprocess.run(
        ["sh", str(ROOT / "tools" / "find_proxy.sh"), name], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert path, f"{name} is not there; `make test` leaves out what needs it"
    return path


@contextmanager
def _running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    with (folder / "proxy.txt").open("w", encoding="utf-8") as output:
        environment = {"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/bin"}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: process.poll() is not None or _listens(port))
        assert process.poll() is None, (folder / "proxy.txt").read_text(encoding="utf-8")
        yield
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
