"""``besedka doctor``: each way in which a chat cannot be reached is told apart, with what to do about it."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from besedka.commands import probes
from tests import bending
from tests.clocks import BENT
from tests.commanding import BESEDKA, Done, Person
from tests.conftest import ServerMaker
from tests.running import ROOT, RunningServer, free_port

NOBODY = 65534


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Person]:
    """Somebody who starts commands."""
    home = tmp_path / "anna"
    home.mkdir()
    with Person(home) as person:
        yield person


def assert_trouble(done: Done, status: int, *parts: str) -> None:
    """The last thing that was looked at is wrong, all before it is not, and what to do stands below it."""
    assert (done.status, done.stderr) == (status, ""), done.stdout + done.stderr
    findings = re.findall(r"^([✓✗·]) (.*(?:\n  .*)?)$", done.stdout, re.MULTILINE)
    assert [mark for mark, _ in findings].index("✗") == len(findings) - 1, done.stdout
    for part in parts:
        assert part in findings[-1][1], done.stdout


def test_all_is_well(make_server: ServerMaker, anna: Person, tmp_path: Path) -> None:
    server = make_server("--lang", "en", "--grpc-unix", str(tmp_path / "s"), grpc=True).start()
    anna.run("send", "--url", server.url(), "hello").assert_well()
    for url in (*server.urls, f"unix:{tmp_path / 's'}", f"localhost:{server.port}", server.page):
        printed = anna.run("doctor", url).assert_well()
        assert "✗" not in printed
        assert printed.endswith("✓ room main is open; messages so far: 1, people there now: 0\n")
    assert "room dev is open; messages so far: 0" in anna.run("doctor", f"{server.url()}#dev").assert_well()
    assert (
        "room dev is open; messages so far: 0"
        in anna.run("doctor", server.url(), "--room", "dev").assert_well()
    )


def test_the_source_of_each_setting_is_shown(server: RunningServer, anna: Person) -> None:
    path = anna.configure(f'url = "{server.url()}"\n')
    printed = anna.run("doctor").assert_well()
    assert f"· config file {path}: url\n" in printed
    assert "from the config file" in printed
    printed = anna.run(
        "doctor", BESEDKA_URL=server.url(), BESEDKA_NAME="Anna", ftp_proxy="x", NO_PROXY="*"
    ).assert_well()
    assert "· in the environment: BESEDKA_NAME=Anna\n" in printed
    assert "NO_PROXY=*" in printed
    assert "from BESEDKA_URL" in printed


def test_passwords_in_addresses_are_not_shown(server: RunningServer, anna: Person) -> None:
    url = server.url().replace("ws://", "ws://anna:secret@")
    done = anna.run("doctor", url, BESEDKA_URL="ws://anna:secret@host", no_proxy="*")
    assert "BESEDKA_URL=ws://…@host" in done.stdout
    assert "the address is ws://…@127.0.0.1" in done.stdout
    assert "secret" not in done.stdout


def test_an_address_that_is_none(anna: Person) -> None:
    assert_trouble(anna.run("doctor", "what is this"), 2, "HOST:PORT")


def test_a_name_that_nobody_has(anna: Person) -> None:
    assert_trouble(anna.run("doctor", "ws://no-such-machine.invalid"), 3, "no-such-machine.invalid")
    assert_trouble(anna.run("doctor", f"ws://{'x' * 64}.example"), 2, "is not an address")


@pytest.mark.parametrize("scheme", ["ws", "wss", "grpc", "grpcs"])
def test_a_port_at_which_nobody_listens(anna: Person, scheme: str) -> None:
    port = free_port()
    assert_trouble(
        anna.run("doctor", f"{scheme}://127.0.0.1:{port}"), 3, f"port {port}", "nobody listens", "--lan"
    )


def impatiently(anna: Person, url: str) -> Done:
    """Have the doctor wait for an answer that does not come, but not for five seconds."""
    return anna.run(
        "doctor", url, module=BENT, CONSTANTS=json.dumps({"besedka.commands.probes.SECONDS": 0.5})
    )


def test_a_port_that_a_firewall_hides(anna: Person) -> None:
    with bending.deaf_port() as port:
        done = impatiently(anna, f"127.0.0.1:{port}")
        assert_trouble(done, 3, "does not answer within 0.5 seconds", "firewall")


def test_a_port_that_says_nothing(anna: Person) -> None:
    with bending.port() as port:
        assert_trouble(impatiently(anna, f"127.0.0.1:{port}"), 3, "says nothing", "Another program")
        assert_trouble(impatiently(anna, f"wss://127.0.0.1:{port}"), 3, "does not speak TLS")
        assert_trouble(impatiently(anna, f"grpc://127.0.0.1:{port}"), 3, "does not speak gRPC")


def test_a_port_of_another_program(anna: Person) -> None:
    with bending.port(greet=b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        assert_trouble(anna.run("doctor", f"127.0.0.1:{port}"), 3, "does not speak HTTP: SSH-2.0-OpenSSH_9.2")
    with bending.port(greet=b"\x1b]0;evil\x07\n") as port:
        assert "\x1b]" not in at_a_terminal(anna, f"127.0.0.1:{port}")[0]


def test_another_web_server(anna: Person) -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnope\n"
    with bending.port(answer=answer) as port:
        assert_trouble(anna.run("doctor", f"127.0.0.1:{port}"), 3, "no Besedka answers", "404", "8765")


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "404 Not Found", "426 Upgrade Required"])
def test_a_proxy_that_does_not_let_a_websocket_through(
    server: RunningServer, anna: Person, status: str
) -> None:
    def refuse(head: bytes) -> bytes:
        if not head.startswith(b"HTTP/1.1 101"):
            return head
        return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()

    with bending.proxy(server.port, response=refuse) as port:
        assert_trouble(
            anna.run("doctor", f"127.0.0.1:{port}"),
            3,
            "proxy",
            f"HTTP {status[:3]}",
            "proxy_set_header Upgrade",
        )


def test_a_proxy_that_drops_the_upgrade(server: RunningServer, anna: Person) -> None:
    def drop(head: bytes) -> bytes:
        return re.sub(rb"(?i)(connection|upgrade): (upgrade|websocket)\r\n", b"", head)

    with bending.proxy(server.port, request=drop) as port:
        assert_trouble(anna.run("doctor", f"127.0.0.1:{port}"), 3, "proxy", "proxy_set_header Upgrade")


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
def test_a_proxy_without_a_server_behind_it(anna: Person, status: str) -> None:
    with bending.port(answer=f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as port:
        assert_trouble(anna.run("doctor", f"127.0.0.1:{port}"), 3, status[:3], "does not reach the server")


@pytest.mark.parametrize("status", ["401 Unauthorized", "429 Too Many Requests"])
def test_a_proxy_that_turns_us_away(anna: Person, status: str) -> None:
    with bending.port(answer=f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as port:
        assert_trouble(anna.run("doctor", f"127.0.0.1:{port}"), 4, status[:3])


def test_a_proxy_that_lets_only_the_websocket_through_is_no_trouble(
    server: RunningServer, anna: Person
) -> None:
    def hide(head: bytes) -> bytes:
        return head.replace(b"GET /healthz", b"GET /hidden")

    with bending.proxy(server.port, request=hide) as port:
        printed = anna.run("doctor", f"127.0.0.1:{port}").assert_well()
    assert "· it answers HTTP 404 at /healthz" in printed
    assert "✓ room main is open" in printed


def test_a_path_that_is_none(server: RunningServer, anna: Person) -> None:
    done = anna.run("doctor", f"ws://127.0.0.1:{server.port}/chat/ws")
    assert_trouble(done, 3, "there is no WebSocket here; try /ws")


def test_pages_of_other_hosts(make_server: ServerMaker, anna: Person) -> None:
    server = make_server("--origin", "https://allowed.example").start()
    well = anna.run("doctor", server.url(), "--origin", "https://allowed.example").assert_well()
    assert "✓ a web page of https://allowed.example may talk" in well
    done = anna.run("doctor", server.url(), "--origin", "https://other.example")
    assert done.status == 4
    assert "✗ a web page of https://other.example may not talk (HTTP 403)" in done.stdout
    assert "--origin https://other.example" in done.stdout
    assert "✓ room main is open" in done.stdout


def test_a_proxy_that_asks_by_a_name_of_its_own(server: RunningServer, anna: Person) -> None:
    def rename(head: bytes) -> bytes:
        return re.sub(rb"Host: [^\r]*", b"Host: inside.example", head)

    def rename_handshake(head: bytes) -> bytes:
        return rename(head) if b"Upgrade" in head else head

    for request in (rename, rename_handshake):
        with bending.proxy(server.port, request=request) as port:
            done = anna.run("doctor", f"127.0.0.1:{port}")
        assert_trouble(done, 4, "HTTP 421", "--public-host 127.0.0.1", "proxy_set_header Host")


def test_a_proxy_that_hides_the_name_from_the_page(server: RunningServer, anna: Person) -> None:
    def rename(head: bytes) -> bytes:
        return re.sub(rb"Host: [^\r]*", b"Host: localhost", head)

    with bending.proxy(server.port, request=rename) as port:
        done = anna.run("doctor", f"127.0.0.1:{port}")
    assert done.status == 4
    assert f"✗ a web page of http://127.0.0.1:{port} may not talk" in done.stdout
    assert "proxy_set_header Host" in done.stdout


@pytest.mark.parametrize(("year", "apart"), [("2001", "behind"), ("2099", "ahead of")])
def test_clocks_that_are_apart(server: RunningServer, anna: Person, year: str, apart: str) -> None:
    def shift(head: bytes) -> bytes:
        return re.sub(rb"(?i)(date: \w+, \d+ \w+) \d+", rf"\1 {year}".encode(), head)

    with bending.proxy(server.port, response=shift) as port:
        assert re.search(
            rf"· its clock is \d+ seconds {apart} ours", anna.run("doctor", f"127.0.0.1:{port}").assert_well()
        )
    assert "its clock" not in anna.run("doctor", server.url()).assert_well()


def test_a_room_that_cannot_be(server: RunningServer, anna: Person) -> None:
    assert_trouble(anna.run("doctor", server.url(), "--room", "a/b"), 4, "does not let us in", "room")


# TLS.


EXPIRED = """
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = DNS:localhost
"""
KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj /CN=localhost"


def openssl(folder: Path, command: str) -> None:
    subprocess.run(["openssl", *command.split()], cwd=folder, capture_output=True, check=True)


@pytest.fixture
def sealed(make_server: ServerMaker, tmp_path: Path) -> RunningServer:
    """A server with TLS, for ``localhost``."""
    openssl(tmp_path, f"req -x509 {KEY} -out cert.pem -days 1 -addext subjectAltName=DNS:localhost")
    return make_server("--lang", "en", "--tls-cert", "cert.pem", "--tls-key", "key.pem", grpc=True).start()


def test_a_certificate_that_is_trusted(sealed: RunningServer, anna: Person) -> None:
    anna.environment |= {
        "SSL_CERT_FILE": str(sealed.directory / "cert.pem"),
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(sealed.directory / "cert.pem"),
    }
    for url in (f"wss://localhost:{sealed.port}", f"grpcs://localhost:{sealed.grpc_port}"):
        printed = anna.run("doctor", url).assert_well()
        assert "✓ it speaks TLSv1" in printed
        assert "✓ room main is open" in printed
    done = anna.run("doctor", f"wss://127.0.0.1:{sealed.port}")
    assert_trouble(done, 3, "not for 127.0.0.1", "name that is in it")


def test_a_certificate_of_its_own(sealed: RunningServer, anna: Person) -> None:
    assert_trouble(
        anna.run("doctor", f"wss://localhost:{sealed.port}"),
        3,
        "does not trust",
        "self-signed",
        "SSL_CERT_FILE",
    )
    done = anna.run("doctor", f"grpcs://localhost:{sealed.grpc_port}")
    assert_trouble(done, 3, "does not trust", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")


def test_a_key_is_sent_to_nobody_whose_certificate_is_not_trusted(sealed: RunningServer) -> None:
    endpoint = probes.Endpoint("localhost", sealed.port, is_tls=True)
    assert probes.ask(endpoint, "/healthz").status == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        probes.ask(endpoint, "/healthz", Authorization="Bearer the-key-of-the-chat")


def test_a_certificate_that_grpc_alone_does_not_trust(sealed: RunningServer, anna: Person) -> None:
    url = f"grpcs://localhost:{sealed.grpc_port}"
    done = anna.run("doctor", url, SSL_CERT_FILE=str(sealed.directory / "cert.pem"))
    assert_trouble(done, 3, "but gRPC does not", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")


def test_a_list_of_certificates_that_is_not_there(sealed: RunningServer, anna: Person) -> None:
    url = f"grpcs://localhost:{sealed.grpc_port}"
    done = anna.run("doctor", url, GRPC_DEFAULT_SSL_ROOTS_FILE_PATH="/no/where.pem")
    assert_trouble(done, 3, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH names a file that is not there")


def test_a_certificate_that_has_expired(make_server: ServerMaker, anna: Person, tmp_path: Path) -> None:
    for name, text in {"ca.cnf": EXPIRED, "index.txt": "", "serial": "01"}.items():
        (tmp_path / name).write_text(text)
    openssl(tmp_path, f"req -new {KEY} -out request.pem")
    sign = "ca -batch -selfsign -notext -config ca.cnf -keyfile key.pem -in request.pem -out cert.pem"
    openssl(tmp_path, f"{sign} -startdate 20200101000000Z -enddate 20210101000000Z")
    server = make_server("--tls-cert", "cert.pem", "--tls-key", "key.pem").start()
    done = anna.run(
        "doctor", f"wss://localhost:{server.port}", SSL_CERT_FILE=str(server.directory / "cert.pem")
    )
    assert_trouble(done, 3, "has expired", "Renew")


def test_schemes_without_tls_at_ports_with_it(sealed: RunningServer, anna: Person) -> None:
    assert_trouble(
        anna.run("doctor", f"ws://localhost:{sealed.port}"), 3, "speaks TLS", "Use wss://localhost"
    )
    done = anna.run("doctor", f"grpc://localhost:{sealed.grpc_port}")
    assert_trouble(done, 3, "speaks TLS", f"Use grpcs://localhost:{sealed.grpc_port}")


def test_schemes_with_tls_at_ports_without_it(make_server: ServerMaker, anna: Person) -> None:
    server = make_server(grpc=True).start()
    done = anna.run("doctor", f"wss://localhost:{server.port}")
    assert_trouble(done, 3, "HTTP without TLS", f"Use ws://localhost:{server.port}")
    done = anna.run("doctor", f"grpcs://localhost:{server.grpc_port}")
    assert_trouble(done, 3, "gRPC without TLS", f"Use grpc://localhost:{server.grpc_port}")


# gRPC.


def test_grpc_at_the_port_for_http_and_the_other_way_round(make_server: ServerMaker, anna: Person) -> None:
    server = make_server(grpc=True).start()
    done = anna.run("doctor", f"grpc://127.0.0.1:{server.port}")
    assert_trouble(done, 3, "speaks HTTP, not gRPC", f"Use ws://127.0.0.1:{server.port}", "50051")
    done = anna.run("doctor", f"127.0.0.1:{server.grpc_port}")
    assert_trouble(done, 3, "speaks gRPC", f"Use grpc://127.0.0.1:{server.grpc_port}")


def test_the_same_with_tls(sealed: RunningServer, anna: Person) -> None:
    anna.environment |= {
        "SSL_CERT_FILE": str(sealed.directory / "cert.pem"),
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(sealed.directory / "cert.pem"),
    }
    done = anna.run("doctor", f"grpcs://localhost:{sealed.port}")
    assert_trouble(done, 3, "speaks HTTP, not gRPC", f"Use wss://localhost:{sealed.port}")
    done = anna.run("doctor", f"wss://localhost:{sealed.grpc_port}")
    assert_trouble(done, 3, "speaks gRPC", f"Use grpcs://localhost:{sealed.grpc_port}")


# Unix sockets.


def test_a_socket_that_is_not_there(anna: Person) -> None:
    assert_trouble(anna.run("doctor", "unix:/no/where"), 3, "there is no /no/where", "--grpc-unix /no/where")


def test_a_socket_that_is_none(anna: Person) -> None:
    (anna.home / "file").touch()
    assert_trouble(anna.run("doctor", "unix:file"), 3, "file is no socket", "--grpc-unix")


def test_a_socket_that_was_left_behind(anna: Person) -> None:
    path = anna.home / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert_trouble(anna.run("doctor", f"unix:{path}"), 3, "nobody listens", "was killed")


def test_a_socket_of_somebody_else(make_server: ServerMaker) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # else it could not even be seen
        make_server("--grpc-unix", f"{directory}/s").start()
        (directory / "s").chmod(0o600 if os.geteuid() == 0 else 0o000)
        # Root may use everything, so root becomes nobody; anybody else is nobody enough. Nobody may not be able to read our
        # files, so all that is needed is loaded before.
        drop = f"os.setuid({NOBODY})" if os.geteuid() == 0 else ""
        program = f"""
import contextlib, os, sys, besedka.cli
sys.argv = ["besedka", *sys.argv[1:]]
with contextlib.suppress(SystemExit), open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
    besedka.cli.main()
{drop}
besedka.cli.main()
"""
        done = subprocess.run(
            [sys.executable, "-c", program, "doctor", f"unix:{directory}/s"],
            cwd=directory,
            env={"PYTHONPATH": str(ROOT), "HOME": name, "LANG": "C.UTF-8"},
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert_trouble(
            Done(done.returncode, done.stdout, done.stderr), 3, "you may not use", "user who runs the server"
        )


# Colours.


def at_a_terminal(anna: Person, *arguments: str, **environment: str) -> tuple[str, int]:
    """The output, and the exit status."""
    shown, status = pexpect.run(
        " ".join([*BESEDKA, "doctor", *arguments]),
        env={**anna.environment, "TERM": "xterm", **environment},
        withexitstatus=True,
    )
    return shown.decode(), status


def test_marks_are_coloured_at_a_terminal_unless_somebody_minds(anna: Person) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    red = "\x1b[31m✗\x1b[0m port"
    assert red in at_a_terminal(anna, nowhere)[0]
    assert red in at_a_terminal(anna, nowhere, "--color", "always", NO_COLOR="1")[0]
    assert red in anna.run("doctor", nowhere, "--color", "always").stdout
    assert red in anna.run("doctor", nowhere, BESEDKA_COLOR="always").stdout
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"BESEDKA_COLOR": "never"}):
        shown, status = at_a_terminal(anna, nowhere, **environment)
        assert status == 3
        assert "✗ port" in shown
        assert "\x1b" not in shown
    anna.configure('colour = "always"\n')
    assert red in anna.run("doctor", nowhere).stdout
