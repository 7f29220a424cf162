"""The access key in the commands: where it comes from, that it is remembered, and what is told when it is missing or wrong."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka import InvalidAddress, JoinRefused, connect, importing
from tests import looping
from tests.commanding import Person, wait_until
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.terminal.pseudo_terminal import Terminal

PHONE, LAB, WRONG = "the-key-of-the-phone", "the-key-of-the-lab", "wrong-key-of-some-length"
KEYS = (PHONE, LAB, WRONG)
SECRET = "5" * 64


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"{PHONE}\n{LAB}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def server(make_server: ServerMaker, keys: Path) -> RunningServer:
    return make_server("--lang", "en", "--key-file", str(keys), grpc=True).start()


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Person]:
    home = tmp_path / "anna"
    home.mkdir()
    with Person(home) as person:
        yield person


def remembered(person: Person) -> list[str]:
    """The remembered keys, one line a server."""
    path = person.home / "state" / "besedka" / "keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_text(encoding="utf-8").splitlines()


def test_a_key_that_worked_is_remembered_for_that_server_alone(server: RunningServer, anna: Person) -> None:
    (url, grpc_url) = server.urls
    anna.run("send", "--url", f"http://127.0.0.1:{server.port}/#dev;key={PHONE}", "one").assert_well()
    assert remembered(anna) == [f"{PHONE} {url}"]
    assert anna.run("tail", "--url", f"127.0.0.1:{server.port}#dev").assert_well().endswith(": one\n")
    anna.run("tail", "--url", grpc_url).assert_one_clear_line(4, "needs an access key")
    # By gRPC a pipe goes another way.
    sent = anna.run("send", "--lines", "--url", f"{grpc_url}#dev", "--key", LAB, stdin=b"two\nthree\n")
    sent.assert_well()
    assert remembered(anna) == [f"{PHONE} {url}", f"{LAB} {grpc_url}"]
    assert anna.run("tail", "-n", "1", "--url", f"{grpc_url}#dev").assert_well().endswith(": three\n")


def test_what_is_nearer_wins(server: RunningServer, anna: Person) -> None:
    place = f"127.0.0.1:{server.port}"
    anna.configure(f'url = "{place}"\nkey = "{LAB}"\n')
    anna.run("send", "one").assert_well()
    assert remembered(anna) == [f"{LAB} {server.url()}"]
    # The environment before the file, an option before that, the address before all.
    anna.run("send", "two", BESEDKA_KEY=WRONG).assert_one_clear_line(4, "does not accept the access key")
    anna.run("send", "--key", PHONE, "two", BESEDKA_KEY=WRONG).assert_well()
    anna.run("send", "--key", WRONG, "three", BESEDKA_URL=f"{place}#;key={LAB}").assert_well()
    assert [line.rsplit(": ", 1)[1] for line in server.lines] == ["one", "two", "three"]


def test_the_key_in_the_config_file_is_sent_to_no_other_chat(server: RunningServer, anna: Person) -> None:
    anna.configure(f'url = "chat.example.org"\nkey = "{LAB}"\n')
    anna.run("send", "--url", server.url(), "x").assert_one_clear_line(4, "needs an access key")


def test_a_key_that_is_missing_or_wrong_is_reported_in_one_line_that_says_how_to_give_it(
    server: RunningServer, anna: Person
) -> None:
    url, grpc_url = server.urls
    for there, command in (
        (url, ("send", "x", "--url")),
        (url, ("tail", "--url")),
        (grpc_url, ("send", "x", "--url")),
        (grpc_url, ("send", "--lines", "--url")),
    ):
        anna.run(*command, there).assert_one_clear_line(
            4, f"the chat at {there} needs an access key", "#;key=KEY", "BESEDKA_KEY", "--key"
        )
        wrong = anna.run(*command, there, BESEDKA_KEY=WRONG)
        wrong.assert_one_clear_line(4, f"the chat at {there} does not accept the access key", "BESEDKA_KEY")
        assert WRONG not in wrong.stderr
    assert not (anna.home / "state" / "besedka" / "keys").exists()
    assert server.lines == []


@pytest.mark.parametrize(
    "options",
    [
        ("--url", "localhost#;key=half-a-key"),
        ("--url", "localhost", "--key", "half-a-key"),
        ("--url", "no such host?key=half-a-key#;key=half-a-key"),
        ("--url", "localhost:port;key=half-a-key"),
        ("--url", "ftp://anna:half-a-key@localhost"),
    ],
)
def test_a_bad_address_or_key_is_refused_without_repeating_it(anna: Person, options: tuple[str, ...]) -> None:
    done = anna.run("send", *options, "x")
    done.assert_one_clear_line(2, "besedka: ")
    assert "half-a-key" not in done.stderr


def test_a_fault_in_the_config_file_is_reported_without_the_key(anna: Person) -> None:
    for text in ('key = "half-a-key"\n', 'url = "my lab#;key=half-a-key"\n', 'url = "lab#;key=half-a-key"\n'):
        anna.configure(text)
        done = anna.run("tail")
        done.assert_one_clear_line(2, "config.toml: ")
        assert "half-a-key" not in done.stderr


def test_a_follower_is_disconnected_when_the_key_is_withdrawn(
    server: RunningServer, anna: Person, keys: Path
) -> None:
    url, grpc_url = server.urls
    following = [anna.start("tail", "-f", "--url", one, BESEDKA_KEY=PHONE) for one in (url, grpc_url)]
    anna.run("send", "--url", url, "--key", LAB, "hello").assert_well()
    for one in following:
        assert one.line().endswith(": hello")
    keys.write_text(f"{LAB}\n", encoding="utf-8")
    for one in following:
        done = one.end(5)
        assert done.status == 4
        assert "does not accept the access key: it is wrong, or was withdrawn" in done.stderr


def test_doctor_says_whether_a_key_is_asked_for_and_taken_and_never_which(
    server: RunningServer, anna: Person
) -> None:
    for url in (*server.urls, f"http://127.0.0.1:{server.port}/"):
        missing = anna.run("doctor", url)
        assert missing.status == 4
        assert (
            "needs an access key" in missing.stdout
            or "asks for an access key, and there is none" in missing.stdout
        )
        assert "  Give the whole link that the server shows" in missing.stdout
        wrong = anna.run("doctor", f"{url}#;key={WRONG}")
        assert wrong.status == 4
        assert "not accept the access key" in wrong.stdout
        right = anna.run("doctor", f"{url}#dev;key={PHONE}", BESEDKA_KEY=LAB, BESEDKA_URL=f"x#;key={LAB}")
        assert "✓ room dev is open" in right.assert_well()
        assert "· the access key is from the address" in right.stdout
        assert "BESEDKA_KEY=…" in right.stdout
        for done in (missing, wrong, right):
            assert not any(key in done.stdout + done.stderr for key in KEYS), done.stdout
    assert (
        "✓ it asks for an access key, and takes this one"
        in anna.run("doctor", server.url(), "--key", LAB).assert_well()
    )


def test_a_person_comes_in_by_the_link_and_later_without_it(server: RunningServer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for url in (f"http://127.0.0.1:{server.port}/#;key={PHONE}", f"127.0.0.1:{server.port}"):
        with Terminal(url, "--name", "Anna", home=home) as terminal:
            terminal.wait_for("You are in # main as Anna.")
            terminal.type("/join dev\r/join dev\r")  # it asks first
            terminal.wait_for("You are in # dev as Anna.")
            terminal.type("/exit\r")
            assert terminal.exit_status() == 0
            assert PHONE.encode() not in terminal.bytes
    with Terminal(f"localhost:{server.port}", "--name", "Anna", home=home) as terminal:
        terminal.wait_for("needs an access key")
        assert terminal.exit_status() == 4


def test_a_program_brings_the_key_too(server: RunningServer, keys: Path) -> None:
    async def talk(url: str) -> None:
        with pytest.raises(JoinRefused, match="needs an access key") as missing:
            async with connect(url, "Bot"):
                pass
        assert missing.value.code == "no_access"
        with pytest.raises(JoinRefused, match="does not accept the access key"):
            async with connect(url, "Bot", key=WRONG):
                pass
        with pytest.raises(InvalidAddress, match="it has 5 characters"):
            async with connect(url, "Bot", key="short"):
                pass
        async with (
            connect(url, "Bot", key=PHONE, secret=SECRET) as chat,
            connect(f"{url}#;key={LAB}", "Other", key=WRONG, secret=SECRET),
        ):
            await chat.say("hello")
            assert chat.clients_count >= 1

    def write(*valid: str) -> None:
        keys.write_text("".join(f"{key}\n" for key in valid), encoding="utf-8")

    async def withdrawn(url: str) -> None:
        async with connect(url, "Bot", key=PHONE, secret=SECRET) as chat:
            write(LAB)
            with pytest.raises(JoinRefused, match="withdrawn"):
                async for _ in chat.follow():
                    pass
            with pytest.raises(JoinRefused, match="withdrawn"):
                await chat.say("too late")
        write(LAB, PHONE)

    async def pipe(url: str) -> None:
        with pytest.raises(JoinRefused, match="needs an access key"):
            async with importing(url, "Pipe"):
                pass
        async with importing(f"{url}#;key={LAB}", "Pipe") as importer:
            assert [number async for number in importer.say(["a", "b"])] == [3, 4]

    for url in server.urls:
        looping.run(talk(url))
    looping.run(pipe(server.urls[1]))
    looping.run(withdrawn(server.urls[0]))
    wait_until(lambda: "valid from now on: 2" in server.errors)


def test_a_terminal_whose_key_is_withdrawn_keeps_its_screen(
    server: RunningServer, keys: Path, tmp_path: Path
) -> None:
    with Terminal(
        f"http://127.0.0.1:{server.port}/#;key={PHONE}", "--name", "Anna", home=tmp_path
    ) as terminal:
        terminal.wait_for("You are in # main as Anna.")
        terminal.type("/join dev\r/join dev\r")
        terminal.wait_for("You are in # dev as Anna.")
        terminal.type("half a sen")
        terminal.wait_for("> half a sen")
        keys.write_text(f"{LAB}\n")
        terminal.wait_for("An access key is needed")
        terminal.wait_for("Enter in an empty line leaves.")
        terminal.type("tence\r")
        terminal.wait_until(lambda: terminal.input_line == "> half a sentence", "the text is not given back")
        terminal.type("/exit\r")
        terminal.wait_until(lambda: terminal.exit_status() == 4, "it does not end")
