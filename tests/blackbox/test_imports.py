"""The modules that a command imports: what it does not need costs each start of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests import prefork
from tests.conftest import ServerMaker

PROBE: Final = """
import sys
from besedka.cli import main
sys.argv[0] = "besedka"
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""

OF_A_SERVER: Final = frozenset({"besedka.serve", "starlette", "uvicorn", "uvloop", "prometheus_client"})
OF_GRPC: Final = frozenset({"grpc", "google.protobuf", "besedka.proto", "besedka.serve.doors.grpc"})
OF_A_TERMINAL: Final = frozenset({"prompt_toolkit", "segno", "besedka.terminal"})
OF_A_CLUSTER: Final = frozenset({"nats", "besedka.serve.cluster"})
SELDOM: Final = frozenset({"besedka.wire.confusables", "idna", "tomllib"})


def imported(home: Path, *arguments: str) -> set[str]:
    """The modules of a command at its end, in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        cwd=home,
        env=prefork.environment(XDG_CONFIG_HOME=str(home), XDG_STATE_HOME=str(home)),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("name", [["--name", "Anna"], []])
def test_send_imports_nothing_of_a_server_or_a_terminal(
    make_server: ServerMaker, tmp_path: Path, name: list[str]
) -> None:
    server = make_server().start()
    modules = imported(tmp_path, "send", "--url", f"localhost:{server.port}", *name, "hi")
    assert server.lines[-1].endswith(": hi")
    assert modules.isdisjoint(OF_A_SERVER | OF_GRPC | OF_A_TERMINAL | SELDOM)
    assert {name for name in modules if name.startswith("besedka.commands.")}.isdisjoint(
        {"besedka.commands.serve", "besedka.commands.admin", "besedka.commands.tail"}
    )


def test_the_help_of_all_commands_imports_what_none_of_them_needs_to_be_described(tmp_path: Path) -> None:
    modules = imported(tmp_path, "--help")
    assert modules.isdisjoint(OF_A_SERVER | OF_GRPC | OF_A_TERMINAL | SELDOM)


def test_a_server_without_grpc_imports_nothing_of_it_nor_what_it_is_never_asked_for(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROBE, "serve", "--port", "0", "--grpc-port", "0"],
        cwd=tmp_path,
        env=prefork.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert any(line.startswith("stop") for line in process.stdout)
    process.terminate()
    _, errors = process.communicate()
    modules = set(errors.splitlines()[-1].split())
    assert "uvicorn" in modules
    assert modules.isdisjoint(OF_GRPC | OF_A_TERMINAL | OF_A_CLUSTER | {"prometheus_client"})
