"""The limits of a client: messages, connections, and the time for a request."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, suppress

import pytest
from websockets.exceptions import InvalidStatus

from besedka.serve.limits.rate_limits import REQUESTS_BURST_SECONDS, REQUESTS_RATE
from tests import looping
from tests.blackbox.test_how_the_server_is import figures
from tests.clocks import BENT, Clocks
from tests.commanding import wait_until
from tests.conftest import ClientMaker, ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient
from tests.torture.checker import Record, check
from tests.torture.crowd import Person

RATE, MANY = "20", 240
"""Messages a second, and more messages than it allows at once: those of ten seconds. The rest goes at that rate, by the true clock, as the
client that waits is what is proved.
"""


def test_a_client_that_posts_too_much_is_refused_with_a_time_to_wait_and_nobody_else_notices(
    make_server: ServerMaker, clock: Clocks
) -> None:
    clock.stand_still()
    server = make_server("--rate", "0.5", "--lang", "en", module=BENT, **clock.environment).start()
    with WireClient(server) as flood, WireClient(server) as other:
        flood.join("Flood")
        other.join("Other")
        for number in range(15):
            flood.send_frame("chat", text=f"{number}", key=f"k{number}")
        refusals = [flood.receive("error") for _ in range(10)]
        assert {refusal["code"] for refusal in refusals} == {"too_fast"}
        assert [refusal["key"] for refusal in refusals] == [f"k{number}" for number in range(5, 15)]
        assert refusals[0]["retry_after"] == 2
        assert refusals[0]["text"] == "Too fast; try again in 2.0 seconds"
        assert other.receive_to(5)[-1] == 5
        other.send_frame("chat", text="calm", key="c")
        assert other.receive("chat")["id"] == 6
        clock.jump(refusals[0]["retry_after"])
        flood.send_frame("chat", text="6", key="k6")
        assert flood.receive("error")["key"] == "k6"
        flood.send_frame("chat", text="5", key="k5")
        assert other.receive("chat")["text"] == "5"


def test_a_slow_network_does_not_put_what_was_said_too_fast_into_another_order(
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", RATE).start()
    record = Record()

    async def scenario() -> None:
        async with slow_network(server.port, bytes_a_second=20_000) as port:
            person = Person("p", f"ws://127.0.0.1:{port}/ws", record, pause=0.0005, messages=MANY)
            person.start()
            await person.has_said_all()
            await person.finish()

    looping.run(scenario())
    assert figures(server)["besedka_refusals_total:too_fast"] > 0
    assert server.stop() == 0
    assert check(record, server.history) == len(record.attempted) == MANY


@asynccontextmanager
async def slow_network(port: int, bytes_a_second: int) -> AsyncIterator[int]:
    """A port that leads to another one, slowly on the way there."""
    carrying: list[asyncio.Task[None]] = []
    writers: list[asyncio.StreamWriter] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pace: float) -> None:
        with closing(writer), suppress(ConnectionError):
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(len(data) * pace)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        carrying.append(asyncio.create_task(carry(reader, back, 1 / bytes_a_second)))
        carrying.append(asyncio.create_task(carry(there, writer, 0)))
        writers.extend((back, writer))

    server = await asyncio.start_server(connect, "127.0.0.1", 0, limit=4096)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for task in carrying:
        task.cancel()
    await asyncio.gather(*carrying, return_exceptions=True)
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


def test_the_seeds_clients_are_notified_as_well(make_server: ServerMaker, clock: Clocks) -> None:
    clock.stand_still()
    server = make_server("--rate", "0.5", module=BENT, **clock.environment).start()
    with WireClient(server, "/") as seed:
        for _ in range(6):
            seed.send_frame("chat", user="Anna", text="x")
        assert seed.receive("error")["text"] == "Слишком быстро, повторите через 2.0 с"


def test_a_client_that_says_too_much_at_once_loses_nothing_and_keeps_the_order(
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", RATE).start()
    record = Record()

    async def scenario() -> None:
        person = Person("p", server.url(), record, pause=0.0005, messages=MANY)
        person.start()
        await person.has_said_all()
        await person.finish()

    looping.run(scenario())
    assert figures(server)["besedka_refusals_total:too_fast"] > 0
    assert server.stop() == 0
    assert check(record, server.history) == len(record.attempted) == MANY


def test_all_connections_of_an_address_share_a_rate_and_others_have_their_own(
    make_server: ServerMaker, clock: Clocks
) -> None:
    clock.stand_still()
    server = make_server(
        "--rate-address", "1", module=BENT, OWN_ADDRESS="127.0.0.1", **clock.environment
    ).start()
    with ExitStack() as open_ones:

        def come(name: str, address: str) -> WireClient:
            client = open_ones.enter_context(WireClient(server, source_address=(address, 0)))
            client.join(name)
            return client

        first, second = come("One", "127.0.0.2"), come("Two", "127.0.0.2")
        for _ in range(5):
            first.send_frame("chat", text="x")
            second.send_frame("chat", text="x")
        first.receive_to(10)
        first.send_frame("chat", text="x")
        assert first.receive("error")["code"] == "too_fast"
        second.send_frame("chat", text="x")
        assert second.receive("error")["code"] == "too_fast"
        elsewhere = come("Three", "127.0.0.3")
        elsewhere.send_frame("chat", text="y")
        assert elsewhere.receive("chat")["text"] == "y"


def test_an_address_may_have_only_so_many_connections(make_server: ServerMaker) -> None:
    server = make_server(
        "--connections-per-address", "3", "--lang", "en", module=BENT, OWN_ADDRESS="127.0.0.1"
    ).start()
    with ExitStack() as open_ones:

        def come(address: str) -> WireClient:
            return open_ones.enter_context(WireClient(server, source_address=(address, 0)))

        strangers = [come("127.0.0.2") for _ in range(3)]
        with pytest.raises(InvalidStatus) as refusal:
            come("127.0.0.2")
        assert refusal.value.response.status_code == 429
        assert b"at most 3" in refusal.value.response.body
        come("127.0.0.3")
        for _ in range(5):
            come("127.0.0.1")
        strangers[0].close()

        def comes_in() -> bool:
            with suppress(InvalidStatus):
                return bool(come("127.0.0.2"))
            return False

        wait_until(comes_in)


def test_requests_that_write_are_charged_to_the_address_and_others_have_theirs(
    make_server: ServerMaker, clock: Clocks
) -> None:
    clock.stand_still()
    options = ("--rate", "0", "--rate-address", "0")
    server = make_server(*options, module=BENT, OWN_ADDRESS="127.0.0.1", **clock.environment).start()
    with (
        WireClient(server, source_address=("127.0.0.2", 0)) as one,
        WireClient(server, source_address=("127.0.0.3", 0)) as other,
        WireClient(server) as own,
    ):
        for name, client in (("One", one), ("Other", other), ("Own", own)):
            client.join(name)
        for _ in range(int(REQUESTS_RATE * REQUESTS_BURST_SECONDS)):
            one.send_frame("take_device", token="none")
            own.send_frame("take_device", token="none")
            assert one.receive("error")["code"] == own.receive("error")["code"] == "bad_link"
        for client, code in ((one, "too_fast"), (other, "bad_link"), (own, "bad_link")):
            client.send_frame("take_device", token="none", key="k")
            answer = client.receive("error")
            assert (answer["code"], answer["key"]) == (code, "k")


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server that ends an idle HTTP connection soon."""
    return make_server("--lang", "en", module=BENT, KEEP_ALIVE="0.2").start()


@pytest.fixture
def http(server: RunningServer) -> Iterator[Callable[[bytes], socket.socket]]:
    """Opens plain connections and says something on them."""
    with ExitStack() as open_ones:

        def open_(data: bytes) -> socket.socket:
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", server.port), 30))
            connection.sendall(data)
            return connection

        yield open_


def answer(connection: socket.socket) -> bytes:
    """All that the server says until it ends the connection."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


Http = Callable[[bytes], socket.socket]


def test_headers_of_an_ordinary_length_pass(http: Http) -> None:
    connection = http(
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + b"x" * 15_000 + b"\r\n\r\n"
    )
    assert answer(connection).endswith(b"alive\n")


def test_a_request_with_a_body_is_refused(http: Http) -> None:
    for header in (b"Content-Length: 5", b"Transfer-Encoding: chunked"):
        connection = http(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 413 ")


def test_a_request_that_is_refused_may_be_followed_by_anything(http: Http, make_client: ClientMaker) -> None:
    for request in (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello\0\1garbage",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ):
        assert answer(http(request)).startswith(b"HTTP/1.1 413 ")
    assert answer(http(b"\0\1garbage\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    make_client().join("Anna")


UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def test_a_websocket_cannot_begin_behind_a_request_that_is_being_answered(http: Http) -> None:
    data = b""
    with suppress(ConnectionResetError):
        data = answer(http(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n" + UPGRADE))
    assert b" 101 " not in data


def test_a_websocket_may_begin_behind_one_that_was_answered_and_stays(http: Http) -> None:
    connection = http(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    data = b""
    while not data.endswith(b"alive\n"):
        data += connection.recv(65536)
    connection.sendall(UPGRADE)
    assert b" 101 " in connection.recv(65536)
    # uvicorn ends an idle HTTP connection.
    assert answer(http(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")).endswith(b"alive\n")
    connection.sendall(b"\x89\x80\0\0\0\0")
    data = connection.recv(65536)
    if data == b"\x89\x00":  # the server's own first ping has come meanwhile
        data = connection.recv(65536)
    assert data.removeprefix(b"\x89\x00") == b"\x8a\x00"


def test_a_frame_that_comes_along_with_the_handshake_is_heard(http: Http) -> None:
    connection = http(UPGRADE + b"\x89\x80\0\0\0\0")
    data = b""
    while not data.endswith(b"\x8a\x00"):
        data += connection.recv(65536)
    assert b" 101 " in data


def test_who_says_no_more_still_gets_his_answer(http: Http) -> None:
    connection = http(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connection.shutdown(socket.SHUT_WR)
    assert answer(connection).endswith(b"ready\n")


def test_a_flood_of_requests_on_one_connection_is_cut(http: Http, make_client: ClientMaker) -> None:
    connection = http(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1_000)
    with suppress(ConnectionResetError):
        assert answer(connection).count(b"HTTP/1.1 200") <= 18
    make_client().join("Anna")


def test_a_script_of_this_machine_says_as_much_as_it_likes_but_not_for_somebody_else(
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", "0.5", "--lang", "en").start()
    with WireClient(server) as script:
        script.join("script", quiet=True)
        assert len(script.say_many([f"{number}" for number in range(100)])) == 100
    person = {"origin": f"http://127.0.0.1:{server.port}"}
    for headers in (person, {"additional_headers": {"X-Forwarded-For": "203.0.113.7"}}):
        with WireClient(server, **headers) as other:
            other.join("other", quiet=True)
            for number in range(10):
                other.send_frame("chat", text=f"{number}")
            assert other.receive("error")["code"] == "too_fast"
    with WireClient(server) as seen:
        seen.join("seen")
        for number in range(10):
            seen.send_frame("chat", text=f"{number}")
        assert seen.receive("error")["code"] == "too_fast"
