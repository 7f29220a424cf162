"""The config file: a few defaults, below the environment, below options; what is wrong in it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commanding import Person
from tests.running import RunningServer


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Person]:
    """Somebody who starts commands."""
    home = tmp_path / "anna"
    home.mkdir()
    with Person(home) as person:
        yield person


def test_options_win_over_the_environment_and_that_over_the_file(server: RunningServer, anna: Person) -> None:
    anna.configure(f'url = "{server.url()}#dev"\nname = "From File"\n')
    anna.run("send", "one").assert_well()
    anna.run("send", "two", BESEDKA_NAME="From Environment").assert_well()
    anna.run("send", "--name", "From Option", "three", BESEDKA_NAME="From Environment").assert_well()
    anna.run("send", "--room", "main", "elsewhere").assert_well()
    printed = anna.run("tail").assert_well()
    assert [line[22:] for line in printed.splitlines()] == [
        "From File: one",
        "From Environment: two",
        "From Option: three",
    ]
    assert anna.run("tail", BESEDKA_URL=server.url()).assert_well().endswith("From File: elsewhere\n")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('name: "Anna"', ["not TOML", "line 1"]),
        ('nmae = "Anna"', ["'nmae'", "url, name, color, colour, bell"]),
        ("name = 5", ["name = 5", "quotes"]),
        ('name = "a:b"', ["name", "colon"]),
        ('url = "not an address"', ["url", "HOST:PORT"]),
        ("url = ['x']", ["url", "quotes"]),
        ('bell = "loud"', ["bell = 'loud'", '"off", "on", "all"']),
        ("bell = true", ["bell = True", '"off", "on", "all"']),
        ('colour = "green"', ["colour = 'green'", '"auto", "always", "never"']),
        ('color = "auto"\ncolour = "auto"', ["color and colour"]),
        ("[chat]\nname = 'Anna'", ["'chat'", "allowed"]),
    ],
)
@pytest.mark.parametrize("command", [["chat"], ["send", "hi"], ["tail", "--url", "localhost:1"], ["doctor"]])
def test_a_fault_in_it_is_reported_with_the_file_and_the_key(
    anna: Person, command: list[str], text: str, parts: list[str]
) -> None:
    path = anna.configure(text)
    anna.run(*command).assert_one_clear_line(2, str(path), *parts)


def test_a_file_that_cannot_be_read_is_reported(anna: Person) -> None:
    path = anna.configure("")
    path.write_bytes(b'name = "\xff"\n')
    anna.run("send", "hi").assert_one_clear_line(2, str(path), "UTF-8")
    path.unlink()
    path.mkdir()
    anna.run("send", "hi").assert_one_clear_line(2, str(path), "is a directory")


def test_help_and_what_works_on_files_do_not_ask_for_it(anna: Person) -> None:
    anna.configure("what is this")
    (anna.home / "chat_history.txt").touch()
    anna.run("send", "--help").assert_well()
    anna.run("history").assert_well()
    anna.run("completion", "zsh").assert_well()


def test_it_may_have_been_written_by_windows(anna: Person) -> None:
    anna.configure('\ufeffcolour = "never"\r\nbell = "off"\r\n')
    anna.run("chat").assert_one_clear_line(2, "terminal")
