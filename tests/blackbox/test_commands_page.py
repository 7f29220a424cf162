"""``docs/commands.md`` tells the truth: its tables are held against the code, its pipes run in a real bash."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import pexpect
import pytest

from besedka import cli
from besedka.commands.admin import admin
from besedka.commands.exit_status import MEANINGS
from besedka.commands.options import ClientCommand
from besedka.commands.preferences import BELLS, COLOURS, KEYS
from besedka.wire.frames import Act
from tests.commanding import ASK_SECONDS, TIMEOUT_SECONDS, Person, wait_until
from tests.conftest import ServerMaker
from tests.running import ROOT, RunningServer

PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
COMMANDS = sorted(cli.besedka.commands)


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(text: str) -> list[list[str]]:
    """The cells of the tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("|---")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_every_command_is_there_and_no_other() -> None:
    assert sorted(re.findall(r"^## besedka (\w+)$", PAGE, re.MULTILINE)) == COMMANDS
    assert sorted(row[0] for row in rows(PAGE.partition("## ")[0])[1:]) == [
        f"`besedka {name}`" for name in COMMANDS
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_there_and_no_other(name: str) -> None:
    command = cli.besedka.commands[name]
    head, *table = [row for row in rows(section(f"besedka {name}")) if len(row) == 5]
    assert head == ["option", "environment", "config", "default", ""]
    expected = []
    # A group without options of its own has those of its commands.
    others = command.commands.values() if isinstance(command, click.Group) else ()
    for parameter in command.params or [parameter for other in others for parameter in other.params]:
        is_option = isinstance(parameter, click.Option)
        names = parameter.opts if is_option else [str(parameter.name).upper()]
        is_preferred = isinstance(command, ClientCommand) and parameter.name in KEYS
        expected.append(
            [
                ", ".join(f"`{name}`" for name in names),
                f"`{parameter.envvar}`" if parameter.envvar else "",
                f"`{parameter.name}`" if is_preferred else "",
            ]
        )
    assert sorted(row[:3] for row in table) == sorted(expected)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_default_is_the_one_that_help_shows(name: str, tmp_path: Path) -> None:
    with Person(tmp_path) as anna:
        shown = " ".join(anna.run(name, "--help", COLUMNS="200").assert_well().split())
    defaults = {row[0]: row[3] for row in rows(section(f"besedka {name}")) if len(row) == 5}
    for parameter in cli.besedka.commands[name].params:
        if isinstance(parameter, click.Option) and parameter.show_default:
            found = re.search(rf"{parameter.opts[0]} .*?default: \(?(.*?)[;\])]", shown)
            assert found, parameter.opts
            assert defaults[f"`{parameter.opts[0]}`"].strip("`") == found[1].removesuffix(".0")


def test_every_act_of_the_operator_is_there_with_its_options() -> None:
    _, *table = [row for row in rows(section("besedka admin")) if len(row) == 3]
    expected = []
    for name, command in admin.commands.items():
        arguments = [
            one.make_metavar(click.Context(command))
            for one in command.params
            if isinstance(one, click.Argument)
        ]
        options = sorted(one.opts[0] for one in command.params if isinstance(one, click.Option))
        expected.append([f"`{' '.join((name, *arguments))}`", ", ".join(f"`{option}`" for option in options)])
    assert sorted([row[0], ", ".join(sorted(row[1].split(", ")))] for row in table) == sorted(expected)
    assert sorted(admin.commands) == sorted([*Act, "who", "sessions", "limits", "link"])


def test_the_exit_statuses_are_those_of_the_code_and_of_help(tmp_path: Path) -> None:
    _, *table = rows(section("Exit status"))
    assert table == [[str(int(status)), meaning] for status, meaning in MEANINGS.items()]
    with Person(tmp_path) as anna:
        shown = anna.run("--help").assert_well()
    for status, meaning in MEANINGS.items():
        assert f"    {int(status):<4} {meaning}\n" in shown


def test_the_config_keys_are_those_of_the_code() -> None:
    _, *table = rows(section("The config file"))
    assert sorted(key for row in table for key in re.findall(r"`(\w+)`", row[0])) == sorted(KEYS)
    allowed = {row[0]: re.findall(r'`"(\w+)"`', row[1]) for row in table}
    assert allowed["`color`, `colour`"] == list(COLOURS)
    assert allowed["`bell`"] == list(BELLS)


def test_its_config_file_can_be_used(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", section("The config file"), re.DOTALL)
    with Person(tmp_path) as anna:
        anna.configure(example)
        anna.run("chat").assert_one_clear_line(2, "terminal")


def test_its_config_file_for_the_server_can_be_used(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", section("besedka serve"), re.DOTALL)
    (tmp_path / "besedka.toml").write_text(example)
    with Person(tmp_path) as anna:
        shown = anna.run("serve", "--check", "--port", "9000").assert_well()
    assert shown.count(" besedka.toml\n") == example.count(" = ")
    for line in ("log-level  warning  besedka.toml", "port  9000  --port"):
        assert line in re.sub(r"  +", "  ", shown)


def test_the_lines_for_shells_are_those_of_help(tmp_path: Path) -> None:
    with Person(tmp_path) as anna:
        shown = " ".join(anna.run("completion", "--help").assert_well().split())
    assert 'eval "$(besedka completion bash)" in ~/.bashrc' in shown
    assert "besedka completion fish | source in ~/.config/fish/config.fish" in shown
    assert 'eval "$(besedka completion bash)"' in section("besedka completion")


# The pipes.


@dataclass
class PageShell:
    """Where a line of the page is run."""

    server: RunningServer
    anna: Person
    tools: Path

    def tool(self, name: str, script: str) -> None:
        """Put a small stand-in for a program on the path."""
        path = self.tools / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, line: str) -> str:
        """Run it to its end, which must be a good one; what it prints."""
        with self.running(line) as running:
            stdout, stderr = running.communicate(timeout=TIMEOUT_SECONDS)
        assert (running.returncode, stderr) == (0, "")
        return stdout

    @contextmanager
    def running(self, line: str) -> Iterator[subprocess.Popen[str]]:
        """Run it meanwhile, in a group of its own."""
        running = subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=self.anna.home,
            env=self.anna.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield running
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
                running.communicate()

    def send(self, text: str) -> None:
        """Say something meanwhile."""
        self.anna.run("send", text).assert_well()

    def said(self, room: str = "") -> list[str]:
        """The log's messages, without their times."""
        path = self.server.history.with_name(f"chat_history.{room}.txt") if room else self.server.history
        return [line[22:] for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def place(make_server: ServerMaker, tmp_path: Path) -> Iterator[PageShell]:
    """A server, and somebody with tools of their own."""
    server = make_server("--lang", "en").start()
    home, tools = tmp_path / "anna", tmp_path / "tools"
    home.mkdir()
    tools.mkdir()
    with Person(home, BESEDKA_URL=server.url()) as anna:
        anna.environment["PATH"] = f"{tools}{os.pathsep}{anna.environment['PATH']}"
        yield PageShell(server, anna, tools)


def _make(place: PageShell, line: str) -> None:
    (place.anna.home / "Makefile").write_text("all:\n\t@echo compiling\n\t@echo a warning >&2\n")
    place.run(line)
    assert place.said() == ["anna: compiling", "anna: a warning"]


def _minutes(place: PageShell, line: str) -> None:
    (place.anna.home / "minutes.txt").write_text("We met.\nWe ate cake.\n")
    place.run(line)
    assert (
        place.server.history.with_name("chat_history.notes.txt")
        .read_text()
        .endswith("anna: We met.\n\tWe ate cake.\n")
    )


def _jq(place: PageShell, line: str) -> None:
    place.send("before")
    # In a terminal: jq keeps what it writes to a pipe until it is a lot.
    shown = pexpect.spawn(
        "bash", ["-c", line], cwd=place.anna.home, env=place.anna.environment, timeout=TIMEOUT_SECONDS
    )
    shown.expect_exact("before\r\n")
    place.send("two\nlines")
    shown.expect_exact("two\r\nlines\r\n")
    shown.sendintr()
    shown.expect(pexpect.EOF)
    shown.close()


def _grep(place: PageShell, line: str) -> None:
    place.send("Deployed.")
    place.send("Hungry.")
    assert place.run(line) == place.server.lines[0] + "\n"


def _search(place: PageShell, line: str) -> None:
    for name, text in (("Anna", "Deployed."), ("Boris", "I deploy."), ("Anna", "Hungry.")):
        place.anna.run("send", "--name", name, text).assert_well()
    assert place.run(line) == place.server.lines[0][1:20] + "\n"


def _notify(place: PageShell, line: str) -> None:
    place.tool("notify-send", 'printf "%s|%s\\n" "$2" "$3" >> notified.part && mv notified.part notified')
    notified = place.anna.home / "notified"

    def is_notified() -> bool:
        place.send('it\'s $(me); "quoted"')
        return notified.exists()

    with place.running(line):
        wait_until(is_notified, ASK_SECONDS)
    assert notified.read_text().splitlines()[0] == 'anna|it\'s $(me); "quoted"'


def _git(place: PageShell, line: str) -> None:
    who = "-c user.name=Anna -c user.email=anna@example.org -c core.hooksPath=.git/hooks"
    place.run("git init --quiet && mkdir -p .git/hooks && echo '#!/bin/sh' > .git/hooks/post-commit")
    place.run(line)
    # Another shell knows less of where programs are.
    place.run(f"PATH=/usr/bin:/bin git {who} commit --quiet --allow-empty --message 'Mend the roof'")
    assert place.said("dev") == ["anna: Anna: Mend the roof"]


def _cron(place: PageShell, line: str) -> None:
    place.tool("crontab", 'test "$1" = -l && exec cat table; cat > table.new && mv table.new table')
    (place.anna.home / "table").write_text("# mine\n")
    place.run(line)
    mine, entry = (place.anna.home / "table").read_text().splitlines()
    assert mine == "# mine"
    assert entry.startswith("0 9 * * 1-5 ")
    place.anna.configure_at_home(f'url = "{place.server.url()}"\nname = "Anna"\n')
    # As cron runs it (crontab(5)): by sh, with this little in its environment, and nothing on stdin.
    done = subprocess.run(
        ["/bin/sh", "-c", entry.split(maxsplit=5)[5]],
        cwd=place.anna.home,
        env={"HOME": str(place.anna.home), "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert place.said("standup") == ["Anna: Good morning, what is in the way?"]


PIPES: dict[str, Callable[[PageShell, str], None]] = {
    "make ": _make,
    "besedka send --room notes <": _minutes,
    "besedka tail -f --json | jq": _jq,
    "besedka tail --since": _grep,
    "besedka search": _search,
    "besedka tail -n 0 -f --exec": _notify,
    'echo "git log': _git,
    "(crontab -l;": _cron,
}


def _lines() -> list[str]:
    (block,) = re.findall(r"```bash\n(.*?)```", section("Pipes"), re.DOTALL)
    return str(block).splitlines()


def test_every_pipe_is_run_and_no_other() -> None:
    assert len(_lines()) == len(PIPES)


@pytest.mark.parametrize("begin", PIPES, ids=lambda begin: begin.strip("( ;<"))
def test_a_pipe_does_what_it_says(place: PageShell, begin: str) -> None:
    (line,) = (line for line in _lines() if line.startswith(begin))
    PIPES[begin](place, line)
