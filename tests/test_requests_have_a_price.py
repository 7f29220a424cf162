"""docs/security.md has a row for every request of every door, with its price and its bound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, get_args

import msgspec
from starlette.routing import Mount, Route

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.authentication.keys import Authenticator
from besedka.serve.doors.grpc.door import OTHER_SERVICES
from besedka.serve.doors.http.authentication import KeyGuard
from besedka.serve.doors.http.pages import routes
from besedka.serve.metrics import Metrics
from besedka.wire.errors import Language
from besedka.wire.frames import Act, ClientFrame, Moderate, SeedSay
from besedka.wire.operator_frames import OPERATOR_REQUESTS

ROOT: Final = Path(__file__).parent.parent
HEADING: Final = "## Every request, its price and its bound"
BESIDE: Final = {("/ws", "`chat` with `after`"), ("/ws", "`join` with `since`"), ("HTTP", "an upgrade")}
"""Rows about requests that are no frame and no path of their own."""


def rows() -> Iterator[list[str]]:
    table = (ROOT / "docs" / "security.md").read_text(encoding="utf-8").split(HEADING)[1].split("\n## ")[0]
    for line in re.findall(r"^\| (.+) \|$", table, re.MULTILINE)[1:]:
        yield [cell.strip() for cell in f"{line} ".split(" | ")]


def requests() -> set[tuple[str, str]]:
    """All requests that there are."""
    frames = {("/ws", f"`{tag(frame)}`") for frame in get_args(ClientFrame)}
    calls = {("gRPC", f"`{name}`") for name in pb.DESCRIPTOR.services_by_name["Chat"].methods_by_name}
    services = {("gRPC", f"`{name}`") for name in OTHER_SERVICES}
    acts = {("admin socket", f"`{act}`") for act in Act}
    questions = {("admin socket", f"`{tag(frame)}`") for frame in OPERATOR_REQUESTS if frame is not Moderate}
    return {*frames, ("/", f"`{tag(SeedSay)}`"), *paths(), *calls, *services, *acts, *questions}


def tag(frame: type[msgspec.Struct]) -> str:
    return str(frame.__struct_config__.tag)


def paths() -> Iterator[tuple[str, str]]:
    """The paths of the HTTP application."""
    metrics = Metrics()
    guard = KeyGuard(Authenticator(), metrics, Language.EN)
    download: Any = SimpleNamespace(answer=None)
    for route in routes(download, metrics, _unready, guard, metrics_open=False):
        if isinstance(route, Mount):
            yield "HTTP", f"`GET {route.path or '/'}` and the page's files"
        else:
            assert isinstance(route, Route)
            yield "HTTP", f"`GET {route.path}`"


async def _unready() -> str:
    return ""


def test_every_request_of_every_door_has_a_row_and_every_row_a_request() -> None:
    found = [(cells[0].strip("`"), cells[1]) for cells in rows()]
    assert len(found) == len({*found})
    assert {*found} - BESIDE == requests()


def test_every_request_has_a_price() -> None:
    assert [cells for cells in rows() if not cells[2]] == []
