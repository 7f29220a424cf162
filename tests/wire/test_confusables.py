"""The table of look-alike characters."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.wire import confusables
from besedka.wire.confusables import PROTOTYPES
from besedka.wire.skeletons import _ASCII_LOOKS_LIKE, skeletons
from besedka.wire.validation import _OF_THE_SERVER, _looks_of_the_server

TOOL = Path(__file__).parents[2] / "tools" / "make_confusables.py"


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_confusables", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_what_the_tool_makes() -> None:
    assert load_tool().text() == Path(confusables.__file__).read_text("utf-8")


def test_no_character_has_two_prototypes() -> None:
    counts = Counter("".join(PROTOTYPES.values()))
    assert [ascii(character) for character, count in counts.items() if count > 1] == []


def test_no_character_is_its_own_prototype() -> None:
    assert [prototype for prototype, likes in PROTOTYPES.items() if prototype in likes] == []


@pytest.mark.parametrize(
    ("character", "prototype"), [("а", "a"), ("О", "O"), ("I", "l"), ("1", "l"), ("m", "rn"), ("0", "O")]
)
def test_well_known_look_alikes_are_in_the_table(character: str, prototype: str) -> None:
    assert character in PROTOTYPES[prototype]


def test_names_in_ascii_need_no_more_of_the_table_than_validation_has_of_it() -> None:
    """`besedka.wire.skeletons` has that part itself, and the skeletons of the server's names in ASCII are all that there are."""
    table = {
        ord(like): prototype for prototype, likes in PROTOTYPES.items() for like in likes if like.isascii()
    }
    assert {like: to for like, to in table.items() if to.isascii()} == _ASCII_LOOKS_LIKE
    for name in _OF_THE_SERVER:
        found = {look for look in skeletons(name) if look.isascii()}
        assert found <= _looks_of_the_server(in_ascii=True)


PIECES = (*filter(str.isascii, _OF_THE_SERVER), *" cepb1l0OI|m-_.")


@given(st.lists(st.sampled_from(PIECES), max_size=4).map("".join))
def test_a_name_in_ascii_is_compared_with_all_names_of_the_server_that_it_may_look_like(name: str) -> None:
    found = [skeletons(name) & _looks_of_the_server(in_ascii=is_so) for is_so in (True, False)]
    assert bool(found[0]) is bool(found[1])
