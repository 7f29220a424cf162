"""Words with a wrong value in each of their fields, in turn.

The fields are read from the types of `besedka.wire.frames`: whatever a client may say some day is covered by itself. `make test` says a
third of those for `/ws`, in which each field and each value is; `make torture` says all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import msgspec
import pytest

from besedka.wire.frames import ClientFrame, Frame, SeedSay
from besedka.wire.log_line import read_line
from besedka.wire.validation import FRAME_BYTES_AT_MOST
from tests.attacks.raw import LAST, TEXT, frame, opened
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.running import RunningServer
from tests.talking import WireClient

ONE_OF: Final = 3
"""Which of the attacks `make test` takes; it divides neither the number of values nor that of attacks on a field, so each field gets other values."""

DOORS: Final = [("/", [SeedSay]), ("/ws", list(ClientFrame.__args__))]

VALUES: Final = {
    "null": "null",
    "true": "true",
    "zero": "0",
    "minus zero": "-0",
    "one": "1",
    "minus one": "-1",
    "fraction": "0.5",
    "whole fraction": "1.0",
    "minus zero, as a fraction": "-0.0",
    "2 to the power of 63": str(2**63),
    "2 to the power of 64": str(2**64),
    "beyond all integers": "1" + "0" * 400,
    "beyond all floats": "1e999",
    "below all floats": "-1e999",
    "next to nothing": "1e-999",
    "a huge exponent": "1e999999999999999999999",
    "not a number": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "empty string": '""',
    "string": '"x"',
    "number in a string": '"1"',
    "long string": '"' + "x" * 60_000 + '"',
    "long string of escapes": '"' + "\\u0001" * 10_000 + '"',
    "half a surrogate pair": r'"\ud800"',
    "the other half": r'"\udfff"',
    "a surrogate pair the wrong way round": r'"\udc00\ud800"',
    "half a pair and a letter": r'"a\ud83db"',
    "NUL": r'"\u0000"',
    "a raw NUL": '"\0"',
    "array": "[]",
    "array of strings": '["x"]',
    "object": "{}",
    "object with a type": '{"type":"leave"}',
    "deep array": "[" * 20_000 + "]" * 20_000,
    "deep object": '{"a":' * 8_000 + "1" + "}" * 8_000,
    "open array": "[" * 40_000,
    "nothing": "",
}


SOUND: Final[dict[type[msgspec.inspect.Type], str]] = {
    msgspec.inspect.StrType: '"nowhere"',
    msgspec.inspect.IntType: "1",
    msgspec.inspect.FloatType: "1.5",
    msgspec.inspect.BoolType: "false",
    msgspec.inspect.NoneType: "null",
    msgspec.inspect.ListType: "[]",
    msgspec.inspect.DictType: "{}",
}
"""A value of each type."""


def fields(word: type[Frame]) -> dict[str, msgspec.inspect.Type]:
    info = msgspec.inspect.type_info(word)
    assert isinstance(info, msgspec.inspect.StructType)
    return {field.encode_name: field.type for field in info.fields}


def tag(word: type[Frame]) -> str:
    return str(word.__struct_config__.tag)


def made(kind: str, given: dict[str, str]) -> str:
    return "{" + ",".join([f'"type":{kind}', *(f'"{name}":{value}' for name, value in given.items())]) + "}"


def sound(word: type[Frame]) -> dict[str, str]:
    """A value for each field, of its type."""
    return {name: sound_value(type_) for name, type_ in fields(word).items()}


def sound_value(type_: msgspec.inspect.Type) -> str:
    if isinstance(type_, msgspec.inspect.UnionType):
        return sound_value(type_.types[0])
    return SOUND.get(type(type_), "null")


def texts(word: type[Frame]) -> set[str]:
    """The fields that take a string."""
    return {name for name, value in sound(word).items() if value == SOUND[msgspec.inspect.StrType]}


def is_refusal_of(kind: str, answer: dict[str, Any]) -> bool:
    return answer["type"] == "error" and kind in answer["text"]


def attacks(words: list[type[Frame]]) -> Iterator[tuple[str, str]]:
    """Each field of each word with each value, each field twice, and each value in place of the type."""
    for word in words:
        kind = f'"{tag(word)}"'
        whole = sound(word)
        for name in whole:
            for what, value in VALUES.items():
                yield f"{kind}.{name}: {what}", made(kind, whole | {name: value})
            yield f"{kind}.{name} twice", made(kind, whole)[:-1] + f',"{name}":[]' + "}"
            yield f"{kind}.{name} is missing", made(kind, {key: whole[key] for key in whole if key != name})
        yield f"{kind} and a deep field", made(kind, whole | {"more": VALUES["deep array"]})
        yield f"{kind} and another type", made(kind, whole)[:-1] + ',"type":"leave"}'
        yield f"{kind} and many fields", made(kind, whole | {f"f{n}": "1" for n in range(4_000)})
        yield f"{kind} and a long field", made(kind, whole | {"f" * 60_000: "1"})
    for what, value in VALUES.items():
        yield f"type: {what}", made(value, {"user": '"x"', "text": '"x"', "room": '"nowhere"'})
        yield what, value


@pytest.mark.parametrize(("path", "words"), DOORS, ids=["/", "/ws"])
def test_no_value_of_any_field_harms_anybody(
    make_server: ServerMaker, path: str, words: list[type[Frame]]
) -> None:
    """Each is refused with a reason, or means what it says; the connection goes on, and nobody else hears of it."""
    server = make_server("--lang", "en", "--rate", "0").start()
    asked = dict(attacks(words))
    assert len(asked) > 50 * len(words)
    with WireClient(server) as bystander, WireClient(server, path) as eve:
        bystander.join("Bystander", "quiet")
        bystander.receive("system")
        step = 1 if LONG or len(words) == 1 else ONE_OF
        for number, (what, data) in enumerate([*asked.items()][::step]):
            assert len(data.encode()) <= FRAME_BYTES_AT_MOST, what
            if not what.startswith('"join"'):
                eve.send_frame("join", user="Eve", room="nowhere")
            eve.send(data)
            eve.send_frame(f"the end of {number}")
            eve.receive_until(partial(is_refusal_of, f"the end of {number}"))
            eve.send_frame("leave", room="nowhere")
        bystander.send_frame("chat", room="quiet", text="all is well")
        assert bystander.receive()["text"] == "all is well"
    for line in server.lines:
        assert read_line(line).user in {"nowhere", "x", "1"}


def test_half_a_surrogate_pair_in_any_text_never_reaches_the_log(server: RunningServer) -> None:
    """As bytes it ends the connection, as an escape it is no JSON; in no way does it become a name, a room or a text."""
    for path, words in DOORS:
        for word in words:
            for name in texts(word):
                for half in (b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80"):
                    data = made(f'"{tag(word)}"', sound(word) | {name: '"HALF"'}).encode()
                    with opened(server, path.encode()) as raw:
                        raw.say(frame(LAST | TEXT, data.replace(b"HALF", half)))
                        assert raw.closing() == 1007, (word, name)
    assert server.lines == []
