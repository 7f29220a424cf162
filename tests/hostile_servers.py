"""Servers that send what no Besedka sends, for the tests of clients."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Final

import grpc
import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.proto.besedka.v1 import chat_pb2_grpc
from besedka.wire.frames import Limits, ServerFrame, Welcome, decode_client, encode

MEBIBYTE: Final = 1024 * 1024

LIMITS: Final = Limits(32, 32, 5000, 65536)

WELCOME: Final = Welcome("main", "Anna", 0, "epoch", 1, ["Anna"], LIMITS, 0)

Exchange = Callable[[ServerConnection], None]


@contextmanager
def websocket_server(talk: Exchange, **options: Any) -> Iterator[str]:
    """A server of WebSockets that says what a test says; its host and port."""

    def until_closed(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            talk(connection)
            while True:
                connection.recv()

    with serve(until_closed, "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def http_server(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """A server of HTTP that answers each request with the bytes that a test says, and closes the connection; its host and port."""

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return  # it was shut down
            with connection, suppress(OSError):
                if request := connection.recv(65536):
                    connection.sendall(answer(request))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def answering(*frames: ServerFrame | bytes) -> Exchange:
    """Answer the first frame of a client with these; each has the key of that frame, where it has none of its own."""

    def talk(connection: ServerConnection) -> None:
        asked = decode_client(connection.recv())
        for frame in frames:
            connection.send((frame if isinstance(frame, bytes) else encode(_with_key(frame, asked))).decode())

    return talk


def _with_key(frame: ServerFrame, asked: object) -> ServerFrame:
    if getattr(frame, "key", None) == "":
        return msgspec.structs.replace(frame, key=getattr(asked, "key", ""))
    return frame


class _Converse(chat_pb2_grpc.ChatServicer):
    def __init__(self, answers: Iterable[pb.ConverseResponse], compression: grpc.Compression) -> None:
        self._answers = answers
        self._compression = compression

    def Converse(self, requests: Iterator[pb.ConverseRequest], context: Any) -> Iterator[pb.ConverseResponse]:  # noqa: N802 - gRPC's
        context.set_compression(self._compression)
        next(requests)
        yield from self._answers
        for _ in requests:
            pass


@contextmanager
def grpc_server(
    *answers: pb.ConverseResponse, compression: grpc.Compression = grpc.Compression.NoCompression
) -> Iterator[str]:
    """A server of gRPC that answers the first request of each call of `Converse` with these; its URL."""
    with chat_service(_Converse(answers, compression)) as url:
        yield url


@contextmanager
def chat_service(servicer: chat_pb2_grpc.ChatServicer) -> Iterator[str]:
    """A server of gRPC whose calls a test has written; its URL."""
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_send_message_length", -1)])
    add: Any = chat_pb2_grpc.add_ChatServicer_to_server
    add(servicer, server)
    with _started(server) as url:
        yield url


@contextmanager
def raw_grpc_server(**answers: bytes) -> Iterator[str]:
    """A server of gRPC that answers calls, by the names of their methods, with bytes that may be no messages; its URL."""

    def stream(answer: bytes) -> grpc.RpcMethodHandler[Any, Any]:
        def converse(requests: Iterator[bytes], _: Any) -> Iterator[bytes]:
            next(requests)
            yield answer
            for _ in requests:
                pass

        return grpc.stream_stream_rpc_method_handler(converse)

    def upload(answer: bytes) -> grpc.RpcMethodHandler[Any, Any]:
        def take(requests: Iterator[bytes], _: Any) -> bytes:
            for _ in requests:
                pass
            return answer

        return grpc.stream_unary_rpc_method_handler(take)

    def call(answer: bytes) -> grpc.RpcMethodHandler[Any, Any]:
        return grpc.unary_unary_rpc_method_handler(lambda *_: answer)

    kinds = {"Converse": stream, "Import": upload}
    handlers = {method: kinds.get(method, call)(answer) for method, answer in answers.items()}
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_send_message_length", -1)])
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("besedka.v1.Chat", handlers)])
    with _started(server) as url:
        yield url


@contextmanager
def _started(server: grpc.Server) -> Iterator[str]:
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


class Refusing(chat_pb2_grpc.ChatServicer):
    """Refuses each call with the same status.

    Args:
        code: of the status.
        details: a serialized `google.rpc.Status`, or what a test has instead.
        allowed: the methods that are answered with an empty message.
    """

    def __init__(self, code: grpc.StatusCode, details: bytes, allowed: Collection[str] = ()) -> None:
        self._code = code
        self._details = details
        self._allowed = allowed

    def Converse(self, requests: Iterator[pb.ConverseRequest], context: Any) -> Iterator[pb.ConverseResponse]:  # noqa: N802 - gRPC's
        next(requests)
        yield from ()
        self._refuse("Converse", context)

    def ListMessages(self, _: pb.ListMessagesRequest, context: Any) -> pb.ListMessagesResponse:  # noqa: N802
        self._refuse("ListMessages", context)
        return pb.ListMessagesResponse()

    def Import(self, requests: Iterator[pb.ImportRequest], context: Any) -> pb.ImportResponse:  # noqa: N802
        for _ in requests:
            pass
        self._refuse("Import", context)
        return pb.ImportResponse()

    def Send(self, _: pb.SendRequest, context: Any) -> pb.SendResponse:  # noqa: N802
        self._refuse("Send", context)
        return pb.SendResponse()

    def _refuse(self, method: str, context: Any) -> None:
        if method not in self._allowed:
            context.set_trailing_metadata((("grpc-status-details-bin", self._details),))
            context.abort(self._code, "no")
