"""``besedka completion``: in real shells, as far as they are installed, and by what the scripts say."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commanding import Person

# What fish shows when the TAB key is pressed behind these words: a completion, a TAB, and its description in a line.
SHOW_DESCRIPTIONS = """
besedka completion fish | source
complete --do-complete "$argv"
"""

# What bash does when the TAB key is pressed behind these words.
PRESS_TAB = """
eval "$(besedka completion bash)"
compopt() { :; }  # only allowed while bash itself completes
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
function=$(complete -p besedka | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function" besedka
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Person]:
    """Somebody who starts commands."""
    with Person(tmp_path) as person:
        yield person


def run(anna: Person, *command: str, stdin: str = "") -> str:
    done = subprocess.run(
        command, env=anna.environment, cwd=anna.home, input=stdin, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def completed(anna: Person, *words: str) -> list[str]:
    return run(anna, "bash", "-c", PRESS_TAB, "bash", "besedka", *words).splitlines()


def test_bash_completes_commands_options_and_values(anna: Person) -> None:
    assert completed(anna, "") == sorted(
        [
            *("serve", "chat", "send", "tail", "search", "history", "verify", "import"),
            *("doctor", "admin", "cluster", "completion"),
        ]
    )
    assert completed(anna, "s") == ["search", "send", "serve"]
    assert "--lines" in completed(anna, "send", "--")
    assert completed(anna, "tail", "--fo") == ["--follow"]
    assert completed(anna, "chat", "--bell", "") == ["off", "on", "all"]
    assert completed(anna, "completion", "z") == ["zsh"]


def test_fish_shows_whole_descriptions(anna: Person) -> None:
    assert 'string split --max 1 ","' in anna.run("completion", "fish").assert_well()
    if not shutil.which("fish"):
        return
    shown = run(anna, "fish", "--no-config", "-c", SHOW_DESCRIPTIONS, "besedka ").splitlines()
    assert "send\tSay something, from a script or a pipe." in shown
    assert "chat\tChat in the terminal." in shown


def test_a_wrong_config_file_does_not_hinder_it(anna: Person) -> None:
    anna.configure("what is this")
    assert completed(anna, "send", "--li") == ["--lines"]


@pytest.mark.parametrize(
    ("shell", "parts"),
    [
        ("bash", ["_besedka_completion()", "_BESEDKA_COMPLETE=bash_complete", "complete -o nosort -F"]),
        (
            "zsh",
            ["#compdef besedka", "_BESEDKA_COMPLETE=zsh_complete", "compdef _besedka_completion besedka"],
        ),
        ("fish", ["_BESEDKA_COMPLETE=fish_complete", "complete --no-files --command besedka"]),
    ],
)
def test_the_scripts_are_for_their_shells(anna: Person, shell: str, parts: list[str]) -> None:
    script = anna.run("completion", shell).assert_well()
    assert all(part in script for part in parts)
    if shutil.which(shell):
        run(anna, shell, "-n", stdin=script)


def test_an_unknown_shell_is_reported(anna: Person) -> None:
    anna.run("completion", "csh").assert_one_clear_line(2, "bash", "zsh", "fish")
