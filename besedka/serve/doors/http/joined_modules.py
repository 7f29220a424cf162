"""The page's modules, joined: one request brings a module with all that it imports. Pure.

A browser asks for every module by itself, and knows the next ones only when it has read the one before: sixty requests, five deep. Joined,
the page is three: what logging in and posting need, the rules of the features, and the views that are there with the chat. Each module
keeps a scope of its own, in a function; what it exports is in a table, `$modules`, from which the others take what they import. A module
that has come with another is also served at its own path, as a stub with the same exports: whoever imports it gets the same objects.

The page runs from its folder without this, behind any file server. A few patterns can read the modules, since all are written in one way, which
`parse` holds them to: imports name what they import; exports are functions, classes and constants. The first entry may wait at its top level,
but only for modules that import nothing from it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

ENTRIES: Final = ("chat.js", "chat/features.js", "chat/view/catalog.js")
"""The modules that come with all that they import, in the order in which a page asks for them."""

_IMPORT: Final = re.compile(r'^(import|export) \{([^}]+)\} from "(\.[^"]+)";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_LATER: Final = re.compile(r"\bimport\(([\"`])(\.[^\"`$]*/)")
_COMMENT: Final = re.compile(r"^ *(?://.*|/\*\*.*\*/)\n", re.MULTILINE)
_OTHER: Final = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class UnreadableModuleError(ValueError):
    """A module imports or exports in a way that cannot be joined."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the page.

    Attributes:
        path: where it is, from the page's folder.
        imports: the paths of the modules that it imports at once.
        exports: the names that it exports.
        body: its text without the comments that have lines of their own; what is imported comes from `$modules`, and nothing is exported.
    """

    path: str
    imports: tuple[str, ...]
    exports: tuple[str, ...]
    body: str


def join(read: Callable[[str], str]) -> dict[str, str]:
    """The texts to be served of all modules that come with an entry, by their paths: entries and stubs.

    Args:
        read: reads a module by its path.

    Raises:
        UnreadableModuleError: if one is not written as all are.
    """
    served: dict[str, str] = {}
    found: set[str] = set()
    for before, entry in pairwise(("", *ENTRIES)):
        members = [*_with_imports(entry, read, found)]
        served |= {module.path: _stub(module, entry) for module in members}
        served[entry] = _joined(entry, before, members)
    return served


def parse(path: str, text: str) -> Module:
    """Read a module.

    Raises:
        UnreadableModuleError: if it is not written as all are.
    """
    found = [(kind, names, _resolved(path, other)) for kind, names, other in _IMPORT.findall(text)]
    passed_on = [
        name.rpartition(" as ")[2] for kind, names, _ in found if kind == "export" for name in _split(names)
    ]
    body = _IMPORT.sub(lambda match: _taken(match[2], _resolved(path, match[3])), _COMMENT.sub("", text))
    exports = (*_EXPORT.findall(body), *passed_on)
    body = _EXPORT.sub("", body)
    if other := _OTHER.search(body):
        raise UnreadableModuleError(f"{path}: {other[0]!r} cannot be joined")
    return Module(path, tuple(other for _, _, other in found), exports, body)


def _with_imports(path: str, read: Callable[[str], str], found: set[str]) -> Iterator[Module]:
    """A module behind all that it imports, except for those that were found before."""
    if path not in found:
        found.add(path)
        module = parse(path, read(path))
        for other in module.imports:
            yield from _with_imports(other, read, found)
        yield module


def _joined(entry: str, before: str, members: list[Module]) -> str:
    """An entry with what comes with it; it needs all that came with the entries before."""
    *others, itself = (_at(entry, module) for module in members)
    if before:
        head = f"{_import(entry, before)}\nexport {{ $modules }};"
        tail = f"{_scoped(itself)}\n{_exports(itself)}"
    else:  # it exports nothing, and waits for its strings
        head, tail = "export const $modules = {};", itself.body
    return "\n".join([head, *map(_scoped, others), tail])


def _scoped(module: Module) -> str:
    names = ", ".join(module.exports)
    return f'$modules["{module.path}"] = (() => {{\n{module.body}return {{ {names} }};\n}})();'


def _stub(module: Module, entry: str) -> str:
    return f"{_import(module.path, entry)}\n{_exports(module)}\n"


def _exports(module: Module) -> str:
    return f'export const {{ {", ".join(module.exports)} }} = $modules["{module.path}"];'


def _import(path: str, entry: str) -> str:
    return f'import {{ $modules }} from "{_relative(path, entry)}";'


def _taken(names: str, path: str) -> str:
    taken = ", ".join(name.replace(" as ", ": ") for name in _split(names))
    return f'const {{ {taken} }} = $modules["{path}"];'


def _split(names: str) -> list[str]:
    return [name for part in names.split(",") if (name := " ".join(part.split()))]


def _at(entry: str, module: Module) -> Module:
    """A module whose later imports lead where they did, though it is read from the place of an entry."""

    def moved(match: re.Match[str]) -> str:
        folder = posixpath.normpath(posixpath.join(posixpath.dirname(module.path), match[2]))
        return f"import({match[1]}{_relative(entry, folder)}/"

    return replace(module, body=_LATER.sub(moved, module.body))


def _resolved(path: str, other: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), other))


def _relative(path: str, other: str) -> str:
    found = posixpath.relpath(other, posixpath.dirname(path) or ".")
    return found if found.startswith(".") else f"./{found}"
