"""The table of look-alike characters."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from besedka.wire import confusables
from besedka.wire.confusables import PROTOTYPES

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
