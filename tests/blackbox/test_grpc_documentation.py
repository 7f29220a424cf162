"""docs/grpc.md, line by line: what it shows is done to a started server.

`grpcurl` itself is not to be had everywhere; its lines are done here as it does them, by reflection and JSON.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.doors.grpc import connections, door, status
from besedka.serve.doors.grpc.requests import FIELDS_AT_MOST, REQUEST_BYTES, SHORT_REQUEST_BYTES
from besedka.serve.limits.held_bytes import HELD_BYTES
from besedka.wire.validation import FRAME_BYTES_AT_MOST, IMPORT_MESSAGES_AT_MOST
from tests.conftest import ServerMaker
from tests.running import ROOT, RunningServer, free_port

LIBRARY = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "grpc.md").read_text(encoding="utf-8")
LINES = re.search(r"```\n(grpcurl .*?)```", PAGE, re.DOTALL)
assert LINES
COMMANDS = LINES[1].replace("\\\n", "").strip().split("\n")
TIMEOUT_SECONDS = 60
ANSWERS_AT_MOST = 3


@pytest.fixture
def address(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A server, and where its two gRPC doors are."""
    port, path = free_port(), tmp_path / "socket"
    server = RunningServer(tmp_path, "--grpc-port", str(port), "--grpc-unix", str(path))
    server.start()
    yield {"localhost:50051": f"127.0.0.1:{port}", "/path/to/socket": f"unix:{path}"}
    server.close()


def grpcurl(arguments: list[str], where: dict[str, str]) -> list[Any]:
    """The output of grpcurl, as objects; of an endless one the first few."""
    data = arguments[arguments.index("-d") + 1] if "-d" in arguments else "{}"
    target, *symbol = [one for one in arguments if one not in {"-plaintext", "-unix", "-d", data}]
    with grpc.insecure_channel(where[target]) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        if symbol == ["list"]:
            return list(database.get_services())
        pool = DescriptorPool(database)
        if symbol[0] == "describe":
            return [method.name for method in pool.FindServiceByName(symbol[1]).methods]
        service, _, name = symbol[0].partition("/")
        method = pool.FindServiceByName(service).methods_by_name[name]
        requests = [ParseDict(one, GetMessageClass(method.input_type)()) for one in objects(data)]
        kinds = {
            False: {False: "unary_unary", True: "unary_stream"},
            True: {False: "stream_unary", True: "stream_stream"},
        }
        call = getattr(channel, kinds[method.client_streaming][method.server_streaming])(
            f"/{service}/{name}",
            GetMessageClass(method.input_type).SerializeToString,
            GetMessageClass(method.output_type).FromString,
        )
        answer = call(iter(requests) if method.client_streaming else requests[0], timeout=TIMEOUT_SECONDS)
        answers = islice(answer, ANSWERS_AT_MOST) if method.server_streaming else [answer]
        return [MessageToDict(one) for one in answers]


def objects(data: str) -> Iterator[Any]:
    """JSON objects, one behind the other."""
    while data := data.strip():
        one, end = json.JSONDecoder().raw_decode(data)
        yield one
        data = data[end:]


EXPECTED = {
    "list": "besedka.v1.Chat",
    "describe": "Converse",
    "Send": '"id"',
    "ListMessages": "hello",
    "Follow": "started",
    "Import": '"count": "2"',
    "Converse": "welcome",
    "Check": "SERVING",
    "ListRooms": "main",
    "Search": "hello",
}


def test_the_lines_for_grpcurl_do_what_they_say_one_after_the_other(address: dict[str, str]) -> None:
    for command in COMMANDS:
        _, *arguments = shlex.split(command)
        answers = grpcurl(arguments, address)
        assert answers, command
        end = command.rsplit("localhost", maxsplit=1)[-1]
        expected = EXPECTED[next(key for key in reversed(EXPECTED) if key in end)]
        assert expected in json.dumps(answers), command


def test_the_program_runs_as_it_stands(make_server: ServerMaker) -> None:
    port = free_port()
    make_server("--grpc-port", str(port)).start()
    program = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert program
    code = program[1].replace("localhost:50051", f"127.0.0.1:{port}")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:2] == ["stored as 1", "imported 1000 [(2, 1001)]"]
    assert lines[2:-1] == [f"{number + 2} Gleb line {number}" for number in range(1_000)]
    assert lines[-1] == "acknowledged"


def test_every_status_stands_beside_its_codes() -> None:
    for code, found in status.STATUS.items():
        assert re.search(rf"^\| `{found.name}` \|.*`{code}`", PAGE, re.MULTILINE), code


def test_every_call_and_limit_is_documented() -> None:
    for method in pb.DESCRIPTOR.services_by_name["Chat"].methods:
        assert f"`{method.name}`" in PAGE
    for limit in (
        f"a request | {REQUEST_BYTES} bytes of `Import`, {FRAME_BYTES_AT_MOST} of the other calls, {SHORT_REQUEST_BYTES} of",
        f"messages in a request of `Import` | {IMPORT_MESSAGES_AT_MOST}",
        f"those of the message in it among them | {FIELDS_AT_MOST}",
        f"that wait to be posted | {HELD_BYTES} bytes",
        f"metadata of a call | {door.METADATA_BYTES} bytes",
        f"calls at once on one connection | {connections.STREAMS_AT_MOST}",
        f"pings of a client | one in {door.PING_SECONDS_AT_LEAST} seconds",
    ):
        assert limit in PAGE


@pytest.mark.parametrize("step", [1, -1], ids=["in their order", "the other way round"])
def test_the_examples_run_in_any_order_after_the_tutorial(
    address: dict[str, str], tmp_path: Path, step: int
) -> None:
    """Nobody in them has a name of the tutorial, or of another example."""
    target = address["localhost:50051"]
    url = f"grpc://{target}"
    for name in ("Anna", "Boris", "Eve"):
        claim = {"user": name, "text": "hello", "secret": name * 16}
        grpcurl(["-d", json.dumps(claim), "localhost:50051", "besedka.v1.Chat/Send"], address)
    (library,) = re.findall(r"```python\n(.*?)```", LIBRARY, re.DOTALL)
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    def by_grpcurl() -> None:
        for command in COMMANDS:
            assert grpcurl(shlex.split(command)[1:], address), command

    def by_stubs() -> None:
        with running(program.replace("localhost:50051", target), tmp_path) as process:
            stdout, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        assert stdout.splitlines()[-1] == "acknowledged"

    def by_library() -> None:
        with running(library.replace("ws://localhost:8765", url), tmp_path) as process:
            assert process.stdout
            assert any(line.endswith(" Vera hello\n") for line in process.stdout)

    for act in (by_grpcurl, by_stubs, by_library)[::step]:
        act()


@contextmanager
def running(code: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """A program, run by somebody who has a home of their own, and ended."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(home / "state")}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
