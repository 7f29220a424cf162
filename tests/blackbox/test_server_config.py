"""The server's config file, and ``besedka serve --check``."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from besedka.commands.serve import serve
from besedka.commands.server_config import options_of
from tests.commanding import Person
from tests.conftest import ServerMaker
from tests.proxies.proxying import make_certificate
from tests.talking import WireClient

OPTIONS = options_of(click.Context(serve))


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Person]:
    """Somebody who starts servers in a folder of theirs."""
    with Person(tmp_path) as person:
        yield person


def configure(folder: Path, text: str | bytes, name: str = "besedka.toml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    return path


def in_force(shown: str) -> dict[str, tuple[str, str]]:
    """The values and sources that a check has printed, by key."""
    rows = [re.split(r"  +", line) for line in shown.splitlines()]
    return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}


def test_options_override_the_environment_and_that_the_file(anna: Person, tmp_path: Path) -> None:
    configure(tmp_path, "port = 9001\nrate = 1.5\nclaim-days = 7\nutc = true\n")
    shown = anna.run(
        "serve", "--check", "--port", "9003", BESEDKA_RATE="2.5", BESEDKA_PORT="9002"
    ).assert_well()
    found = in_force(shown)
    assert found["port"] == ("9003", "--port")
    assert found["rate"] == ("2.5", "BESEDKA_RATE")
    assert found["claim-days"] == ("7", "besedka.toml")
    assert found["utc"] == ("yes", "besedka.toml")
    assert found["names"] == ("claimed", "default")
    assert found["base-path"] == ("/", "default")
    assert list(found) == list(OPTIONS)
    assert (
        shown.splitlines()[-1] == f"the server would start with the history {tmp_path / 'chat_history.txt'}"
    )
    assert {path.name for path in tmp_path.iterdir()} <= {"besedka.toml", "config", "state"}


def test_a_server_is_started_as_the_file_says(make_server: ServerMaker, tmp_path: Path) -> None:
    configure(
        tmp_path, 'history = "talk.txt"\nlang = "en"\nbase-path = "/chat"\norigin = ["https://example.org"]\n'
    )
    server = make_server().start()
    with WireClient(server, "/chat/ws", origin="https://example.org") as talker:
        talker.join("Anna")
        talker.send_frame("chat", text="hello")
        talker.receive("chat")
    assert server.stop() == 0
    assert (tmp_path / "talk.txt").read_text().endswith("Anna: hello\n")


def test_another_file_can_be_named_and_none(anna: Person, tmp_path: Path) -> None:
    configure(tmp_path, "nonsense")
    other = configure(tmp_path, "port = 9001", "other.toml")
    for shown in (
        anna.run("serve", "--check", "--config", "other.toml").assert_well(),
        anna.run("serve", "--check", BESEDKA_CONFIG=str(other)).assert_well(),
    ):
        assert in_force(shown)["port"][0] == "9001"
    assert in_force(anna.run("serve", "--check", "--config", "").assert_well())["port"][0] == "8765"
    anna.run("serve", "--check", "--config", "nowhere.toml").assert_one_clear_line(
        2, "nowhere.toml", "no such file"
    )
    anna.run("serve", "--help").assert_well()


@pytest.mark.parametrize("key", [*OPTIONS])
def test_every_option_may_be_in_the_file_and_none_may_be_of_another_kind(
    anna: Person, tmp_path: Path, key: str
) -> None:
    make_certificate(tmp_path)
    (tmp_path / "people").mkdir()
    values: dict[str, object] = {
        "log-level": "error",
        "log-format": "json",
        "host": "127.0.0.2",
        "key-file": "keys.txt",
        "history": "talk.txt",
        "grpc-unix": "grpc.sock",
        "tls-cert": "chat.pem",
        "tls-key": "chat.key",
        "lang": "ru",
        "names": "open",
        "admin-socket": "",
        "people": "people",
        "origin": ["https://example.org", "https://example.com"],
        "public-host": ["example.org"],
        "behind-proxy": ["192.0.2.1", "unix"],
        "base-path": "/chat",
        "cluster": ["nats://10.0.0.1:4222", "tls://10.0.0.2:4222"],
        "rate": 2.5,
    }
    option = OPTIONS[key]
    value = values.get(key, True if option.is_flag else 12)
    beside = {"tls-cert": 'tls-key = "chat.key"\n', "tls-key": 'tls-cert = "chat.pem"\n'}.get(key, "")
    configure(tmp_path, f"{beside}{key} = {json.dumps(value)}\n")
    shown = in_force(anna.run("serve", "--check").assert_well())[key]
    assert shown[1] == "besedka.toml"
    configure(tmp_path, f"{key} = {{}}\n")
    anna.run("serve", "--check").assert_one_clear_line(2, "besedka.toml", f"{key} = {{}} cannot be used")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("port: 5", ["not TOML", "line 1"]),
        ("prot = 5", ["'prot'", "did you mean port?"]),
        ("grpc_port = 5", ["'grpc_port'", "did you mean grpc-port?"]),
        ("zzz = 5", ["'zzz'", "besedka serve --help"]),
        ("check = true", ["'check'"]),
        ("[serve]\nport = 5", ["'serve'"]),
        ("port = 70000", ["port = 70000", "70000 is not in the range"]),
        ('port = "80"', ["port = '80'", "whole number, without quotes"]),
        ("port = true", ["port = True", "whole number"]),
        ("port = 80.5", ["whole number"]),
        ("rate = nan", ["rate = nan", "not a number"]),
        ('utc = "yes"', ["utc = 'yes'", "true or false"]),
        ("names = 'everybody'", ["names = 'everybody'", "claimed"]),
        ('origin = "https://example.org"', ["a list of texts"]),
        ('origin = ["nonsense"]', ["origin = ['nonsense']"]),
        ('tls-cert = "nowhere.pem"', ["nowhere.pem", "does not exist"]),
        (b'host = "\xff"', ["UTF-8"]),
        (b"#" * 70_000, ["65536 bytes"]),
    ],
)
def test_a_fault_in_it_is_one_sentence_with_the_file_and_the_key(
    anna: Person, tmp_path: Path, text: str | bytes, parts: list[str]
) -> None:
    configure(tmp_path, text)
    for options in ([], ["--check"]):
        anna.run("serve", *options).assert_one_clear_line(2, "besedka.toml: ", *parts)


def test_a_file_that_somebody_else_could_have_written_is_refused(anna: Person, tmp_path: Path) -> None:
    path = configure(tmp_path, "open = true\n")
    path.chmod(0o666)
    anna.run("serve").assert_one_clear_line(2, "besedka.toml", "every user of this machine can change it")
    path.unlink()
    path.mkdir()
    anna.run("serve").assert_one_clear_line(2, "besedka.toml", "is a directory")


def test_what_contradicts_itself_is_refused_in_one_place_and_overridden_by_a_higher_one(
    anna: Person, tmp_path: Path
) -> None:
    configure(tmp_path, 'host = "127.0.0.2"\nkey-file = "keys.txt"\n')
    found = anna.run("serve", "--check", "--lan", "--open")
    assert found.status == 0, found.stderr
    configure(tmp_path, "lan = true\nopen = true\n")
    anna.run("serve", "--check", "--host", "127.0.0.3", "--key-file", "keys.txt").assert_well()
    configure(tmp_path, 'lan = true\nhost = "127.0.0.2"\n')
    anna.run("serve", "--check").assert_one_clear_line(2, "--lan", "--host")
    configure(tmp_path, 'open = true\nkey-file = "keys.txt"\n')
    anna.run("serve").assert_one_clear_line(2, "--open", "--key-file")


def test_a_check_says_all_that_keeps_a_server_from_starting(anna: Person, tmp_path: Path) -> None:
    (tmp_path / "chat_history.txt").mkdir()
    (tmp_path / "audit.txt").touch(0o666)
    (tmp_path / "audit.txt").chmod(0o666)
    (tmp_path / "keys.txt").write_text("short\n")
    (tmp_path / "chat.pem").write_text("no certificate\n")
    options = ("--key-file", "keys.txt", "--tls-cert", "chat.pem", "--tls-key", "chat.pem")
    done = anna.run("serve", "--check", *options)
    assert done.status == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    for line, part in zip(
        lines, ("certificate", "chat_history.txt: is a directory", "audit.txt", "keys.txt"), strict=True
    ):
        assert line.startswith("besedka: ")
        assert part in line
    assert in_force(done.stdout)["key-file"] == ("keys.txt", "--key-file")
    assert "would start" not in done.stdout


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--history", "irssi.log"), ("irssi.log", "a log of irssi")),
        (("--history", "nowhere/talk.txt"), ("nowhere/talk.txt", "no such file or directory")),
        (("--key-file", "nowhere/keys.txt"), ("nowhere/keys.txt", "no such file or directory")),
        (("--key-file", "."), ("cannot use the access keys in .: is a directory",)),
    ],
)
def test_a_check_refuses_what_a_start_would_refuse(
    anna: Person, tmp_path: Path, options: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    (tmp_path / "irssi.log").write_text("--- Log opened Wed Nov 19 23:46:30 2014\n", encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    done = anna.run("serve", "--check", *options)
    assert done.status == 1
    (line,) = {*done.stderr.splitlines()}
    assert all(part in line for part in parts), line
    assert sorted(tmp_path.iterdir()) == before
    started = anna.run("serve", "--port", "0", "--grpc-port", "0", *options)
    assert (started.status, [part for part in parts if part not in started.stderr]) == (1, [])


def test_a_check_does_not_mind_a_server_that_runs_and_shows_no_key(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    key = secrets.token_urlsafe(32)
    configure(tmp_path, f"{key}\n", "keys.txt")
    configure(tmp_path, 'key-file = "keys.txt"\n')
    server = make_server().start()
    with Person(tmp_path) as anna:
        shown = anna.run("serve", "--check", "--port", str(server.port)).assert_well()
    assert key not in shown
    assert server.stop() == 0
