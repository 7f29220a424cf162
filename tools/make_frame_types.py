"""Write ``types/frames.d.ts``, the TypeScript types of all frames, from ``besedka/wire/frames.py``: ``make frames``."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterable
from enum import Enum
from pathlib import Path

import msgspec

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from besedka.wire import frames  # noqa: E402 - found through the line above

TARGET = ROOT / "types" / "frames.d.ts"
HEAD = """\
// The frames of the protocol by their tag, made from besedka/wire/frames.py by `make frames`. Do not edit.

"""
PRIMITIVES = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def declarations() -> str:
    """The whole file."""
    tables = (
        table("ClientFrames", frames.ClientFrame.__args__),
        table("ServerFrames", frames.ServerFrame.__args__),
    )
    return HEAD + "\n".join(tables)


def table(name: str, structs: Iterable[type[frames.Frame]]) -> str:
    """An interface that maps each tag to the fields of its frame."""
    rows = (f"  {struct.__struct_config__.tag}: {fields(struct)};\n" for struct in structs)
    return f"interface {name} {{\n{''.join(rows)}}}\n"


def fields(struct: type[msgspec.Struct]) -> str:
    """The fields of a struct. One that may be left out on the wire is optional."""
    hints = typing.get_type_hints(struct)
    parts = (
        f"{field.name}{'?' if is_optional(struct, field) else ''}: {type_of(hints[field.name])}"
        for field in msgspec.structs.fields(struct)
    )
    return f"{{ {'; '.join(parts)} }}" if struct.__struct_fields__ else "{}"


def is_optional(struct: type[msgspec.Struct], field: msgspec.structs.FieldInfo) -> bool:
    """Whether the field may be absent."""
    if field.default is msgspec.UNSET:
        return True
    return not field.required and struct.__struct_config__.omit_defaults


def type_of(hint: typing.Any) -> str:
    """The TypeScript type of a Python one."""
    if hint in PRIMITIVES:
        return PRIMITIVES[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " | ".join(f'"{member.value}"' for member in hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return fields(hint)
    return type_of_generic(typing.get_origin(hint), typing.get_args(hint))


def type_of_generic(origin: typing.Any, arguments: tuple[typing.Any, ...]) -> str:
    """The type of a list, a dictionary, a union or an annotated type."""
    if origin is typing.Annotated:
        return type_of(arguments[0])
    if origin is list:
        return f"{type_of(arguments[0])}[]"
    if origin is dict:
        return f"Record<{type_of(arguments[0])}, {type_of(arguments[1])}>"
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_of(one) for one in arguments if one not in (msgspec.UnsetType, type(None)))
    raise TypeError(origin)


if __name__ == "__main__":
    TARGET.write_text(declarations(), encoding="utf-8")
