"""All doors of a chat, tried through a proxy."""

from __future__ import annotations

import http.client
from contextlib import ExitStack, closing

import grpc
import pytest
from websockets.exceptions import InvalidStatus

from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests.calling import TIMEOUT_SECONDS, Caller, Following, refusal
from tests.proxies.proxying import HOST, Certificate, Proxy
from tests.running import RunningServer
from tests.talking import WireClient


def get(
    proxy: Proxy,
    certificate: Certificate,
    path: str,
    client: str = "127.0.0.1",
    host: str = HOST,
    **headers: str,
) -> http.client.HTTPResponse:
    """Ask for something, as a browser does; the answer is read."""
    connection = http.client.HTTPConnection(HOST, proxy.port)
    with closing(certificate.trusting.wrap_socket(proxy.socket(client), server_hostname=HOST)) as sealed:
        connection.sock = sealed
        connection.request("GET", path, headers={"Host": host, **headers})
        response = connection.getresponse()
        response.read()
        return response


def make_client(
    proxy: Proxy, certificate: Certificate, path: str = "/ws", client: str = "127.0.0.1", **headers: str
) -> WireClient:
    """A WebSocket through the proxy, from this address."""
    seal = (proxy.socket(client), certificate.trusting, HOST)
    return WireClient(proxy, path, seal=seal, additional_headers=headers, proxy=None)


def caller(server: RunningServer, proxy: Proxy, certificate: Certificate) -> Caller:
    """A gRPC client through the proxy."""
    trusted = grpc.ssl_channel_credentials(certificate.path.read_bytes())
    return Caller(server, f"127.0.0.1:{proxy.port}", trusted, HOST)


def all_open(server: RunningServer, proxy: Proxy, certificate: Certificate) -> None:
    """Try each of them."""
    base = proxy.base_path
    for path in ("/", "/chat.js", "/healthz", "/readyz", "/history.txt"):
        response = get(proxy, certificate, f"{base}{path}")
        assert response.status == 200, path
        assert "frame-ancestors 'none'" in (response.headers["content-security-policy"] or "")
    page = {"Origin": f"https://{HOST}"}
    with (
        make_client(proxy, certificate, **page) as anna,
        make_client(proxy, certificate, "/", **page) as seed,
        caller(server, proxy, certificate) as program,
        program.follow(since=0) as reader,
    ):
        anna.join("Anna")
        anna.send_frame("chat", text="through the proxy", key="k")
        first = anna.receive("chat")["id"]
        assert seed.receive("chat")["text"] == "through the proxy"
        reader.started()
        assert reader.receive_to(first)[-1].text == "through the proxy"
        assert program.send("Boris", "by gRPC").id == first + 1
        assert anna.receive("chat")["text"] == "by gRPC"
    with pytest.raises(InvalidStatus) as refused:
        make_client(proxy, certificate, Origin="https://evil.example")
    assert refused.value.response.status_code == 403


def addresses_counted(server: RunningServer, proxy: Proxy, certificate: Certificate) -> None:
    """Nobody can choose the address that they count as; the server admits two connections of an address."""
    lies = (
        {"X-Forwarded-For": "203.0.113.1", "Forwarded": "for=203.0.113.2", "X-Real-IP": "203.0.113.3"},
        {"Forwarded": 'for="203.0.113.4'},
        {"X-Forwarded-For": "nonsense, 127.0.0.1,"},
    )
    with ExitStack() as held:
        for lie in lies[:2]:
            held.enter_context(make_client(proxy, certificate, client="127.0.0.2", **lie))
        for lie in lies:
            with pytest.raises(InvalidStatus) as refused:
                make_client(proxy, certificate, client="127.0.0.2", **lie)
            assert refused.value.response.status_code == 429
            assert get(proxy, certificate, "/healthz", client="127.0.0.2", **lie).status == 429
        for _ in range(5):
            assert get(proxy, certificate, "/healthz", client="127.0.0.3").status == 200
        # The caller's own address is 127.0.0.1, and for whom a proxy speaks that is no exemption.
        with caller(server, proxy, certificate) as program:
            for name, value in (("x-forwarded-for", "203.0.113.1"), ("forwarded", "for=203.0.113.2")):
                following = held.enter_context(_follow(program, name, value))
                following.started()
            refused_call = refusal(lambda: _follow(program, "x-forwarded-for", "203.0.113.3").receive())
            assert refused_call.reason == "too_many_connections"


def _follow(program: Caller, name: str, lie: str) -> Following:
    return Following(
        program.stub.Follow(pb.FollowRequest(), metadata=((name, lie),), timeout=TIMEOUT_SECONDS)
    )
