"""``--identity FILE``: a job that is somebody else than the user whose machine it runs on."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from besedka import home
from tests.commanding import BESEDKA, TIMEOUT_SECONDS, Person, people_at_home
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient


@pytest.fixture
def people(tmp_path: Path) -> Iterator[list[Person]]:
    """Anna and Boris, who start commands, each at home."""
    with people_at_home(tmp_path, "anna", "boris") as people:
        yield people


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server with gRPC."""
    return make_server("--lang", "en", grpc=True).start()


def test_an_identity_is_made_at_its_first_use_and_is_not_its_user(
    server: RunningServer, people: list[Person], tmp_path: Path
) -> None:
    anna, boris = people
    build = ("--name", "build", "--identity", str(tmp_path / "build.identity"))
    for url in server.urls:
        anna.run("send", "--url", url, *build, "green").assert_well()
        anna.run("send", "--url", url, *build, "--lines", stdin=b"one\ntwo\n").assert_well()
        refused = anna.run("send", "--url", url, "--name", "build", "I am it")
        refused.assert_one_clear_line(4, "The name build", "belongs to somebody else")
        # Whoever has the file is that person.
        boris.run("send", "--url", url, "--name", "build", "red", BESEDKA_IDENTITY=build[-1]).assert_well()
    assert [line[22:] for line in server.lines] == [
        f"build: {text}" for text in ("green", "one", "two", "red")
    ] * 2
    path = tmp_path / "build.identity"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server.stop()
    # The server knows what is derived for its host, not the secret itself.
    known = (server.directory / "known_names.txt").read_text(encoding="utf-8")
    secrets = (path.read_text().strip(), home.identity_secret(path, server.url()))
    assert [hashlib.sha256(one.encode()).hexdigest() in known for one in secrets] == [False, True]
    # A job needs no secret at home.
    assert not (boris.home / "state" / "besedka" / "secret").exists()


def test_an_identity_does_not_come_under_its_users_login_name(
    server: RunningServer, people: list[Person], tmp_path: Path
) -> None:
    anna, _ = people
    path = tmp_path / "build.identity"
    identity = ("--url", server.url(), "--identity", str(path))
    anna.run("send", "--url", server.url(), "I am here").assert_well()
    refused = anna.run("send", *identity, "green")
    refused.assert_one_clear_line(2, "--identity is somebody else than you", "--name")
    assert not path.exists()
    anna.run("send", *identity, "green", BESEDKA_NAME="build").assert_well()
    named = (*identity[2:], "--url", f"{server.url()}#;name=build")
    anna.run("send", *named, "red").assert_well()
    assert [line[22:] for line in server.lines][1:] == ["build: green", "build: red"]


def test_a_private_room_is_read_and_searched_by_the_identity_that_is_in_it(
    server: RunningServer, people: list[Person], tmp_path: Path
) -> None:
    anna, _ = people
    path = tmp_path / "build.identity"
    anna.run("send", "--url", server.url(), "--name", "build", "--identity", str(path), "hi").assert_well()
    with WireClient(server) as client:
        secret = home.identity_secret(path, server.url())
        client.join("build", secret=secret)
        client.ask("private", room="plans")
    there = ("--url", server.url(), "--room", "plans")
    anna.run("send", *there, "--name", "build", "--identity", str(path), "a cake").assert_well()
    for command in (("tail",), ("search", "cake")):
        shown = anna.run(*command, *there, "--identity", str(path)).assert_well()
        assert shown.endswith("] build: a cake\n")
        anna.run(*command, *there).assert_one_clear_line(4, "private")


def test_at_a_terminal_one_is_the_person_of_the_file(
    server: RunningServer, people: list[Person], tmp_path: Path
) -> None:
    anna, _ = people
    build = ("--name", "build", "--identity", str(tmp_path / "build.identity"))
    anna.run("send", "--url", server.url(), *build, "green").assert_well()
    command = [*BESEDKA[1:], "chat", server.url(), *build]
    chat = pexpect.spawn(BESEDKA[0], command, env=anna.environment, timeout=TIMEOUT_SECONDS)
    chat.expect_exact("as build")
    chat.sendline("/exit")
    chat.expect(pexpect.EOF)
    chat.close()
    assert chat.exitstatus == 0


@pytest.mark.parametrize(
    ("content", "mode", "part"),
    [
        (b"a" * 64, 0o644, "chmod 600"),
        (b"a" * 64, 0o640, "chmod 600"),
        (b"a" * 63, 0o600, "64 hexadecimal digits"),
        # Nobody is advised to change the mode of another program's file.
        (b"root:x:0:0:root:/root:/bin/bash\n", 0o644, "64 hexadecimal digits"),
        (b"\xff" * 64, 0o600, "64 hexadecimal digits"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\n" * 99, 0o600, "64 hexadecimal digits"),
    ],
)
def test_a_file_that_is_no_secret_is_refused_and_stays_as_it_is(
    people: list[Person], tmp_path: Path, content: bytes, mode: int, part: str
) -> None:
    anna, _ = people
    path = tmp_path / "given"
    path.write_bytes(content)
    path.chmod(mode)
    for command in (("send", "--name", "build", "hello"), ("tail",), ("search", "hello")):
        done = anna.run(*command, "--url", "localhost:1", "--identity", str(path))
        done.assert_one_clear_line(1, f"the identity {path} cannot be used", part)
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_made_or_read_is_refused(people: list[Person], tmp_path: Path) -> None:
    anna, _ = people
    for path in (tmp_path, tmp_path / "no" / "where"):
        done = anna.run("send", "--url", "localhost:1", "--name", "build", "--identity", str(path), "hello")
        done.assert_one_clear_line(1, f"the identity {path} cannot be used")


def test_an_empty_file_becomes_an_identity(
    server: RunningServer, people: list[Person], tmp_path: Path
) -> None:
    """As `mktemp` makes one."""
    path = tmp_path / "new"
    path.touch(mode=0o600)
    people[0].run(
        "send", "--url", server.url(), "--name", "build", "--identity", str(path), "hello"
    ).assert_well()
    assert len(bytes.fromhex(path.read_text())) == 32


def test_an_add_a_device_link_does_not_go_with_an_identity(people: list[Person], tmp_path: Path) -> None:
    command = ("chat", "http://localhost:1/#;device=x;name=Anna", "--identity", str(tmp_path / "one"))
    people[0].run(*command).assert_one_clear_line(2, "--identity")
