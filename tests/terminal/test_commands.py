"""The meaning of typed lines."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.terminal.actions import ACTIONS
from besedka.terminal.commands import (
    COMMANDS,
    Command,
    CommandSpec,
    InvalidCommand,
    Text,
    mistyped_duration,
    nearest,
    parse,
    quote_name,
    split_duration,
    split_name,
)
from besedka.terminal.ui.phrases import ENGLISH, RUSSIAN
from besedka.wire.durations import UNIT_SECONDS, format_duration, parse_duration
from tests.running import ROOT

NEAR = json.loads((ROOT / "tests" / "vectors" / "near.json").read_text(encoding="utf-8"))
VECTORS = json.loads((ROOT / "tests" / "vectors" / "commands.json").read_text(encoding="utf-8"))

BY_NAME = {command.name: command for command in COMMANDS}


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("hello", Text("hello")),
        ("//hello", Text("/hello")),
        ("///", Text("//")),
        (" /who", Text(" /who")),
        ("a /who", Text("a /who")),
        ("/who", Command(BY_NAME["who"], "")),
        ("/who else", InvalidCommand("/who", BY_NAME["who"])),
        ("/exit now?", InvalidCommand("/exit", BY_NAME["exit"])),
        ("/leave dev", Command(BY_NAME["leave"], "dev")),
        (":q!", Command(BY_NAME["exit"], "")),
        ("/WHO ", Command(BY_NAME["who"], "")),
        ("/history  20 ", Command(BY_NAME["history"], "20")),
        ("/me waves", Text("/me waves")),
        ("/me", InvalidCommand("/me", BY_NAME["me"])),
        ("/join", InvalidCommand("/join", BY_NAME["join"])),
        ("/quit", Command(BY_NAME["exit"], "")),
        (":q", Command(BY_NAME["exit"], "")),
        (":q is how one leaves vi", Text(":q is how one leaves vi")),
        ("/usr/bin/env", InvalidCommand("/usr/bin/env")),
        ("/hlep", InvalidCommand("/hlep", near="/help")),
        ("   ", None),
        ("", None),
    ],
)
def test_a_line_is_text_a_command_or_an_invalid_command(line: str, meaning: object) -> None:
    assert parse(line) == meaning


@given(st.text())
def test_every_text_can_be_posted(text: str) -> None:
    line = f"/{text}" if text.startswith("/") else text
    if parse(text) is None or text.strip().casefold() == ":q":
        return
    assert parse(line) == Text(text)


def test_every_command_has_a_description_in_both_languages_and_an_action() -> None:
    names = set(BY_NAME)
    assert set(ENGLISH.commands) == set(RUSSIAN.commands) == names
    assert set(ACTIONS) == names - {"me"}


def test_the_tables_in_the_documents_list_every_command() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    chapter = page.partition("## besedka chat")[2].partition("\n## ")[0]
    everybody, moderators = chapter.split("| command | |")[1:]
    for table, right in ((everybody, ""), (moderators, "moderate")):
        commands = [
            row.split(" | ")[0].removeprefix("| ") for row in table.split("\n") if row.startswith("| `/")
        ]
        assert commands == [as_documented(spec) for spec in COMMANDS if spec.requires == right]


def as_documented(spec: CommandSpec) -> str:
    usage = f"/{spec.name} {spec.usage}".strip().replace("|", r"\|")
    aliases = ", ".join(f"`{alias}`" for alias in spec.aliases)
    return f"`{usage}`" + (f" ({aliases})" if aliases else "")


def test_both_languages_have_the_same_phrases() -> None:
    assert set(ENGLISH.refusals) == set(RUSSIAN.refusals)
    assert set(ENGLISH.bell_kinds) == set(RUSSIAN.bell_kinds) == {"on", "off", "all"}
    assert len(ENGLISH.keys) == len(RUSSIAN.keys)


def test_a_leading_name_is_split_off_as_on_the_page() -> None:
    for vector in VECTORS["names"]:
        assert split_name(vector["argument"]) == (vector["name"], vector["rest"]), vector


def test_a_duration_is_parsed_as_on_the_page() -> None:
    assert {word: parse_duration(word) for word in VECTORS["times"]} == VECTORS["times"]


def test_a_mistyped_duration_is_recognized_as_on_the_page() -> None:
    assert {rest: mistyped_duration(rest) for rest in VECTORS["mistyped"]} == VECTORS["mistyped"]


@given(st.from_regex(r"[0-9]\S*( .*)?", fullmatch=True))
def test_a_word_that_begins_with_a_digit_is_a_duration_or_an_error(argument: str) -> None:
    seconds, _ = split_duration(argument)
    assert bool(seconds) != bool(mistyped_duration(argument))


@given(st.text(st.characters(exclude_characters='"', exclude_categories=["C", "Z"]), min_size=1), st.text())
def test_a_quoted_name_is_split_off_again(name: str, rest: str) -> None:
    for one in (name, f"{name} {name}"):
        assert split_name(f"{quote_name(one)} {rest}") == (one, rest.strip())


@given(st.integers(1, 999_999), st.sampled_from([*UNIT_SECONDS]), st.text())
def test_a_formatted_duration_is_parsed_again(count: int, unit: str, rest: str) -> None:
    seconds = count * UNIT_SECONDS[unit]
    assert split_duration(f"{count}{unit} {rest}") == (seconds, rest.strip())
    assert parse_duration(format_duration(seconds)) == seconds or len(format_duration(seconds)) > 7


@pytest.mark.parametrize("argument", ["", "10", "soon 10m", "because"])
def test_without_a_leading_duration_the_whole_argument_is_the_rest(argument: str) -> None:
    assert split_duration(argument) == (0, argument)


@pytest.mark.parametrize("case", NEAR["cases"], ids=lambda case: case["typed"])
def test_only_a_near_command_is_suggested(case: dict[str, str]) -> None:
    assert nearest(case["typed"], NEAR["words"]) == case["near"]
