"""The steps of ``besedka doctor``, from the address to a room, each with a finding and advice.

A step that cannot be passed ends the examination with a `Trouble`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from besedka.commands import probes
from besedka.commands.access import find_key
from besedka.commands.exit_status import KEY_ADVICE, Status
from besedka.commands.probes import Endpoint, Response
from besedka.remote.address import DEFAULT_GRPC_PORT, DEFAULT_PORT, Address, address
from besedka.remote.errors import InvalidAddress, JoinRefused, RemoteError
from besedka.wire.access import authorization
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import Welcome

CLOCK_SECONDS: Final = 60
"""Smallest difference of two clocks that is reported."""

_PROXY_TROUBLE: Final = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)
_LOGIN: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED})

_HANDSHAKE: Final = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",  # the one of RFC 6455
}

# OpenSSL's numbers (x509_vfy.h), of which Python has no names.
_NOT_YET_VALID, _EXPIRED, _WRONG_NAME, _WRONG_ADDRESS = 9, 10, 62, 64
_UNKNOWN_ISSUER: Final = frozenset({2, 18, 19, 20, 21})


class Mark(StrEnum):
    """The mark before a finding."""

    GOOD = "✓"
    BAD = "✗"
    NOTE = "·"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a step.

    Attributes:
        mark: good, bad, or a note.
        what: a sentence.
        advice: how to mend it.
        status: the command's exit status because of it.
    """

    mark: Mark
    what: str
    advice: str = ""
    status: Status = Status.DONE


class Trouble(Exception):  # noqa: N818 - it is found, not made
    """A step that cannot be passed.

    Attributes:
        finding: the reason.
    """

    def __init__(self, what: str, advice: str = "", status: Status = Status.UNREACHABLE) -> None:
        super().__init__(what)
        self.finding = Finding(Mark.BAD, what, advice, status)


def examine(given: str, room: str | None, origin: str | None, key: str | None = None) -> Iterator[Finding]:
    """All findings, step by step.

    Args:
        given: the address as typed.
        room: the room, if it is not in the address.
        origin: the origin of a web page that wants to connect; None tries the chat's own page.
        key: the access key, if it is given as an option.
    """
    try:
        yield from _examine(given, room, origin, key)
    except Trouble as trouble:
        yield trouble.finding


def _examine(given: str, room: str | None, origin: str | None, key: str | None) -> Iterator[Finding]:
    try:
        there, found = address(given), find_key(given, key)
    except InvalidAddress as error:
        raise Trouble(str(error), status=Status.USED_WRONGLY) from None
    there = replace(there, room=room or there.room, key=found.text)
    yield _good(f"it means {there.url}, room {there.room}")
    if found.text:
        yield _note(f"the access key is {found.source}")
    if there.url.startswith("unix:"):
        yield _socket(there.url)
        yield _grpc(there.url, None)
    else:
        parts = urlsplit(there.url)
        endpoint = Endpoint(parts.hostname or "", parts.port or 0, parts.scheme in {"wss", "grpcs"})
        is_grpc = parts.scheme.startswith("grpc")
        yield from _name(endpoint)
        yield _port(endpoint)
        if endpoint.is_tls:
            yield _certificate(endpoint, is_grpc=is_grpc)
        if is_grpc:
            yield _grpc(there.url, endpoint)
        else:
            yield from _web(endpoint, parts.path, origin)
            yield from _access(endpoint, parts.path, there.key)
    yield _join(there)


def _good(what: str) -> Finding:
    return Finding(Mark.GOOD, what)


def _note(what: str, advice: str = "") -> Finding:
    return Finding(Mark.NOTE, what, advice)


# The way to the port.


def _name(endpoint: Endpoint) -> Iterator[Finding]:
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise Trouble(f"nobody tells what {endpoint.host} is", "Is this machine in a network?") from None
        advice = "Look at the spelling. An address in numbers needs no name."
        raise Trouble(f"there is no machine of the name {endpoint.host}", advice) from None
    except UnicodeError:
        raise Trouble(f"{endpoint.host} cannot be a name", "Look at the spelling.") from None
    numbers = dict.fromkeys(str(entry[4][0]) for entry in found)
    if endpoint.host not in numbers:
        yield _good(f"{endpoint.host} is {', '.join(numbers)}")


def _port(endpoint: Endpoint) -> Finding:
    try:
        with probes.connect(endpoint) as connection:
            return _good(f"port {endpoint.port} answers at {connection.getpeername()[0]}")
    except ConnectionRefusedError:
        raise Trouble(
            f"port {endpoint.port} of {endpoint.host} refuses connections: nobody listens there",
            "Does the server run, is this its port, and does it listen for other machines? "
            "It does with: besedka serve --lan",
        ) from None
    except TimeoutError:
        raise Trouble(
            f"port {endpoint.port} of {endpoint.host} does not answer within {probes.SECONDS:g} seconds",
            "The machine is off, or a firewall on the way drops what is sent to this port.",
        ) from None
    except OSError as error:
        raise Trouble(
            f"there is no way to port {endpoint.port} of {endpoint.host}: {_reason(error)}",
            "A firewall turns it away, or the machines are not in the same network.",
        ) from None


def _certificate(endpoint: Endpoint, *, is_grpc: bool) -> Finding:
    try:
        with (
            probes.connect(endpoint) as plain,
            probes.secured(plain, endpoint, alpn="h2" if is_grpc else "http/1.1") as sealed,
        ):
            return _good(
                f"it speaks {sealed.version()}, with a certificate for {endpoint.host} that this machine trusts"
            )
    except FileNotFoundError:
        raise Trouble("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH names a file that is not there") from None
    except ssl.SSLCertVerificationError as error:
        raise _bad_certificate(endpoint, error, is_grpc=is_grpc) from None
    except OSError as error:
        raise _no_tls(endpoint, error, is_grpc=is_grpc) from None


def _bad_certificate(endpoint: Endpoint, error: ssl.SSLCertVerificationError, *, is_grpc: bool) -> Trouble:
    variable = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH" if is_grpc else "SSL_CERT_FILE"
    code = error.verify_code
    if code in {_EXPIRED, _NOT_YET_VALID}:
        when = "has expired" if code == _EXPIRED else "is not valid yet"
        return Trouble(
            f"the server's certificate {when}",
            "Renew it and restart the server; or is the clock of this machine wrong?",
        )
    if code in {_WRONG_NAME, _WRONG_ADDRESS}:
        return Trouble(
            f"the server's certificate is not for {endpoint.host}",
            "Use a name that is in it, or have one made for this name.",
        )
    if code in _UNKNOWN_ISSUER:
        return Trouble(
            f"this machine does not trust the server's certificate: {error.verify_message}",
            f"If it is your own, name it in the environment: {variable}=cert.pem",
        )
    return Trouble(f"the server's certificate is no good: {error.verify_message}")


def _no_tls(endpoint: Endpoint, error: OSError, *, is_grpc: bool) -> Trouble:
    is_silent = isinstance(error, TimeoutError)
    plain = (
        Response(b"")
        if is_silent
        else _asked(Endpoint(endpoint.host, endpoint.port, is_tls=False), "/healthz")
    )
    if plain.status or plain.is_http2:
        scheme = "ws" if plain.status else "grpc"
        return Trouble(
            f"port {endpoint.port} speaks {'HTTP' if plain.status else 'gRPC'} without TLS",
            f"Use {scheme}://{endpoint.shown}, or start the server with --tls-cert and --tls-key.",
        )
    return Trouble(
        f"port {endpoint.port} does not speak TLS: {_reason(error)}",
        f"Without TLS it would be {'grpc' if is_grpc else 'ws'}://{endpoint.shown}.",
    )


def _socket(url: str) -> Finding:
    path = Path(url.removeprefix("unix:").removeprefix("//"))
    serve = f"Start the server with --grpc-unix {path}"
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise Trouble(f"{path} is no socket", f"{serve.replace(str(path), 'PATH')} and give that path.")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(probes.SECONDS)
            connection.connect(str(path))
    except FileNotFoundError:
        raise Trouble(f"there is no {path}", f"{serve}; a relative path begins where you are.") from None
    except PermissionError:
        advice = "It is for the user who runs the server only; be that user, or use TCP."
        raise Trouble(f"you may not use {path}", advice) from None
    except ConnectionRefusedError:
        raise Trouble(f"nobody listens at {path}: its server was killed", f"{serve} again.") from None
    except OSError as error:
        raise Trouble(f"{path} cannot be used: {_reason(error)}", f"{serve}.") from None
    return _good(f"{path} is a socket at which somebody listens")


# Over HTTP and WebSocket.


def _web(endpoint: Endpoint, path: str, origin: str | None) -> Iterator[Finding]:
    answer = _asked(endpoint, f"{path.rstrip('/').removesuffix('/ws')}/healthz")
    if not answer.status:
        raise _no_http(endpoint, answer)
    if (
        not endpoint.is_tls
        and answer.status == HTTPStatus.BAD_REQUEST
        and probes.tls_of(endpoint) is not None
    ):
        raise _needs_tls(endpoint)
    if answer.status in _PROXY_TROUBLE:
        raise _no_server_behind(answer.status)
    is_besedka = answer.status == HTTPStatus.OK and answer.body.startswith("alive")
    if is_besedka:
        yield _good("Besedka answers there")
    elif answer.status == HTTPStatus.MISDIRECTED_REQUEST:
        raise _not_its_name(endpoint)
    elif answer.status in {HTTPStatus.TOO_MANY_REQUESTS, *_LOGIN}:
        raise _turned_away(answer)
    else:
        yield _note(
            f"it answers HTTP {answer.status} at /healthz",
            "It is another server, or a proxy that lets only some paths through.",
        )
    yield _upgrade(endpoint, path, is_besedka=is_besedka)
    yield _origin(endpoint, path, origin)
    yield from _clock(answer)


def _no_http(endpoint: Endpoint, answer: Response) -> Trouble:
    # A server that expects TLS may answer an HTTP request with silence.
    tls = None if answer.is_http2 or answer.is_cut else probes.tls_of(endpoint)
    if not endpoint.is_tls and tls is not None:
        return _needs_tls(endpoint, is_grpc=tls == "h2")
    if answer.is_http2 or tls == "h2":
        scheme = "grpcs" if endpoint.is_tls else "grpc"
        return Trouble(
            f"port {endpoint.port} speaks gRPC",
            f"Use {scheme}://{endpoint.shown}, or the port of the web page.",
        )
    advice = "Another program listens there. Look at the port that the server names when it starts."
    if not answer.data:
        return Trouble(f"port {endpoint.port} takes connections, and then says nothing", advice)
    begin = answer.data[:40].decode("utf-8", "replace").split("\n")[0].strip()
    return Trouble(f"what answers at port {endpoint.port} does not speak HTTP: {begin}", advice)


def _needs_tls(endpoint: Endpoint, *, is_grpc: bool = False) -> Trouble:
    return Trouble(
        f"port {endpoint.port} speaks TLS", f"Use {'grpcs' if is_grpc else 'wss'}://{endpoint.shown}."
    )


def _no_server_behind(status: int) -> Trouble:
    return Trouble(
        f"a proxy answers, and says HTTP {status}: it does not reach the server behind it",
        "Does the server run, and does the proxy look for it at the right port?",
    )


def _not_its_name(endpoint: Endpoint) -> Trouble:
    return Trouble(
        "the chat is not known by the host name it is asked for (HTTP 421)",
        f"Start the server with --public-host {endpoint.host}, and have the proxy, if there is one, hand on the name: "
        "in nginx, proxy_set_header Host $host;",
        Status.REFUSED,
    )


def _turned_away(answer: Response) -> Trouble:
    if answer.status in _LOGIN:
        advice = "Besedka itself asks for none: it is a proxy on the way."
        return Trouble(f"it wants a login (HTTP {answer.status})", advice, Status.REFUSED)
    return Trouble(f"it turns us away (HTTP {answer.status}): {answer.body[:200]}", status=Status.REFUSED)


def _upgrade(endpoint: Endpoint, path: str, *, is_besedka: bool) -> Finding:
    answer = _asked(endpoint, path, **_HANDSHAKE)
    if answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return _good("the way is open for a WebSocket")
    if answer.status in _PROXY_TROUBLE:
        raise _no_server_behind(answer.status)
    if answer.status == HTTPStatus.MISDIRECTED_REQUEST:
        raise _not_its_name(endpoint)
    if answer.status in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, *_LOGIN}:
        raise _turned_away(answer)
    if answer.status == HTTPStatus.NOT_FOUND and answer.body.startswith("there is no WebSocket"):
        raise Trouble(answer.body, "Use the address that a browser shows.")
    if not is_besedka:
        raise Trouble(
            f"no Besedka answers there (HTTP {answer.status} instead of 101)",
            f"Look at the port: it is {DEFAULT_PORT} if the server was not told another one.",
        )
    what = f"HTTP {answer.status} instead of 101" if answer.status else "no answer"
    raise Trouble(
        f"a proxy on the way does not let a WebSocket through ({what})",
        "In nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
        'proxy_set_header Connection "upgrade";',
    )


def _origin(endpoint: Endpoint, path: str, origin: str | None) -> Finding:
    own = f"{'https' if endpoint.is_tls else 'http'}://{endpoint.shown}"
    tried = origin or own
    answer = _asked(endpoint, path, **_HANDSHAKE, Origin=tried)
    if answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return _good(f"a web page of {tried} may talk")
    advice = f"Start the server with --origin {tried}"
    if not origin:
        advice += ", or have the proxy hand on the name: in nginx, proxy_set_header Host $host;"
    return Finding(
        Mark.BAD, f"a web page of {tried} may not talk (HTTP {answer.status})", advice, Status.REFUSED
    )


def _access(endpoint: Endpoint, path: str, key: str) -> Iterator[Finding]:
    """Check whether the chat needs an access key and accepts this one, and whether it can store messages."""
    ready = f"{path.rstrip('/').removesuffix('/ws')}/readyz"
    answer = _asked(endpoint, ready)
    if _wants_key(answer):
        if not key:
            raise Trouble("it asks for an access key, and there is none", _advice(), Status.REFUSED)
        answer = _asked(endpoint, ready, Authorization=authorization(key))
        if _wants_key(answer):
            what = "it does not accept the access key: that is wrong, or was withdrawn"
            raise Trouble(what, _advice(), Status.REFUSED)
        yield _good("it asks for an access key, and takes this one")
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        yield _note(
            f"it stores nothing just now: {answer.body[:200]}", "Look at the server's disk and its log."
        )


def _wants_key(answer: Response) -> bool:
    asks = answer.headers.get("WWW-Authenticate", "")
    return answer.status == HTTPStatus.UNAUTHORIZED and asks.startswith("Bearer")


def _advice() -> str:
    return f"{KEY_ADVICE[0].upper()}{KEY_ADVICE[1:]}."


def _clock(answer: Response) -> Iterator[Finding]:
    try:
        there = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return  # it tells no time
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    apart = round((there - datetime.now(UTC)).total_seconds())
    if abs(apart) > CLOCK_SECONDS:
        yield _note(
            f"its clock is {abs(apart)} seconds {'ahead of' if apart > 0 else 'behind'} ours",
            "Times of messages are the server's. Have both machines set their clocks by NTP.",
        )


def _asked(endpoint: Endpoint, path: str, **headers: str) -> Response:
    try:
        return probes.ask(endpoint, path, **headers)
    except OSError as error:
        raise Trouble(
            f"port {endpoint.port} has answered before, and does not now: {_reason(error)}"
        ) from None


# Over gRPC.


def _grpc(url: str, endpoint: Endpoint | None) -> Finding:
    # gRPC's core logs errors to stderr by default.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from besedka.proto.besedka.v1 import chat_pb2
    from besedka.remote.transport.grpc import target_of

    service = chat_pb2.DESCRIPTOR.services_by_name["Chat"].full_name
    if endpoint is None:
        channel = grpc.insecure_channel(url)
    elif endpoint.is_tls:
        channel = grpc.secure_channel(target_of(endpoint.shown), grpc.ssl_channel_credentials())
    else:
        channel = grpc.insecure_channel(target_of(endpoint.shown))
    with channel:
        try:
            health = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=service), timeout=probes.SECONDS
            )
        except grpc.RpcError as error:
            if error.code() in {grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.NOT_FOUND}:
                raise Trouble("what answers speaks gRPC, but is no Besedka") from None
            is_silent = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            raise _no_grpc(None if is_silent else endpoint, error.details() or error.code().name) from None
    if health.status != health_pb2.HealthCheckResponse.SERVING:
        raise Trouble("Besedka answers, and is going down", "Try again in a moment.")
    return _good("Besedka answers there, over gRPC")


def _no_grpc(endpoint: Endpoint | None, why: str) -> Trouble:
    if endpoint:
        plain = Endpoint(endpoint.host, endpoint.port, is_tls=False)
        tls = probes.tls_of(endpoint)
        if not endpoint.is_tls and tls is not None:
            return _needs_tls(endpoint, is_grpc=tls == "h2")
        if endpoint.is_tls and tls == "h2":
            advice = "It looks in a list of its own: GRPC_DEFAULT_SSL_ROOTS_FILE_PATH names another one."
            return Trouble(f"this machine trusts the server's certificate, but gRPC does not: {why}", advice)
        if _asked(plain if not endpoint.is_tls else endpoint, "/healthz").status:
            scheme = "wss" if endpoint.is_tls else "ws"
            return Trouble(
                f"port {endpoint.port} speaks HTTP, not gRPC",
                f"Use {scheme}://{endpoint.shown}, or the port for gRPC: it is {DEFAULT_GRPC_PORT} if the server was not "
                "told another one.",
            )
    return Trouble(f"what answers does not speak gRPC: {why}", "Another program listens there.")


# In the room.


def _join(there: Address) -> Finding:
    try:
        welcome = asyncio.run(_welcome(there))
    except JoinRefused as refusal:
        advice = _advice() if refusal.code == ErrorCode.NO_ACCESS else ""
        raise Trouble(f"the chat does not let us in: {refusal.text}", advice, Status.REFUSED) from None
    except RemoteError as error:
        raise Trouble(str(error)) from None
    return _good(
        f"room {welcome.room} is open; messages so far: {welcome.head}, people there now: {welcome.clients_count}"
    )


async def _welcome(there: Address) -> Welcome:
    from besedka.remote.chat_connection import ChatConnection

    async with ChatConnection(there.url, key=there.key) as connection:
        async for event in connection.join(there.room).events():
            if isinstance(event, Welcome):
                return event
    raise RemoteError("the chat has said nothing")


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)
