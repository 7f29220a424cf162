"""Write the manual pages in ``data/share/man/man1`` from the commands and their options: ``make man``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from click_man.core import generate_man_page

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from besedka import __version__  # noqa: E402 - found through the line above
from besedka.cli import besedka  # noqa: E402
from besedka.commands.exit_status import MEANINGS  # noqa: E402

FOLDER = ROOT / "data" / "share" / "man" / "man1"
AS_IT_IS = "\b"
"""Begins a paragraph of a command's help whose lines are not filled."""

OTHER_PAGE = re.compile(r"(?<=\\fB)besedka [^(]*(?=\(1\))")
"""The page of a command in a list, with the spaces of the command."""

NO_DATE = " "
"""Pages are the same whenever they are made."""


def pages() -> dict[str, str]:
    """All pages, by the names of their files."""
    root = besedka.make_context("besedka", [], resilient_parsing=True)
    return {f"{name_of(context)}.1": page(context) for context in commands(root)}


def commands(context: click.Context) -> Iterator[click.Context]:
    """A command and those below it, with the contexts in which they are called."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from commands(click.Context(command, info_name=name, parent=context))


def name_of(context: click.Context) -> str:
    """The name of a command's page."""
    return context.command_path.replace(" ", "-")


def page(context: click.Context) -> str:
    """The page of a command."""
    sections = [shielded(generate_man_page(context, __version__, NO_DATE)).rstrip()]
    sections += epilog(context.command.epilog or "")
    if not any(section.startswith(".SH EXIT STATUS") for section in sections):
        sections.append(
            section("EXIT STATUS", [f"{status:<4} {meaning}" for status, meaning in MEANINGS.items()])
        )
    if context.parent:
        sections.append(f".SH SEE ALSO\n\\fB{hyphens(name_of(context.parent))}\\fP(1)")
    return "\n".join(sections) + "\n"


def epilog(text: str) -> Iterator[str]:
    """The text below the options in the help, examples and the like, as sections of a page."""
    for paragraph in text.split("\n\n"):
        first, *lines = paragraph.removeprefix(f"{AS_IT_IS}\n").splitlines() or [""]
        if paragraph.startswith(AS_IT_IS):
            yield section(first.removesuffix(":").upper(), [line.removeprefix("  ") for line in lines])
        elif first:
            yield ".PP\n" + "\n".join(map(escaped, (first, *lines)))


def section(title: str, lines: list[str]) -> str:
    """A section whose lines are not filled."""
    return "\n".join((f".SH {title}", ".nf", *map(escaped, lines), ".fi"))


def escaped(line: str) -> str:
    """A line of text in which nothing is a request of roff."""
    return ("\\&" if line.startswith((".", "'")) else "") + hyphens(line.replace("\\", "\\e"))


def hyphens(line: str) -> str:
    """A line whose hyphens can be copied: in UTF-8, roff makes others of them."""
    return line.replace("-", "\\-")


def shielded(made: str) -> str:
    """A page of click-man without what roff would take for requests: marks of paragraphs, and lines of text that begin like one."""
    lines = (line.replace(AS_IT_IS, "") for line in made.splitlines())
    lines = (OTHER_PAGE.sub(lambda match: match[0].replace(" ", "-"), line) for line in lines)
    return "\n".join(f"\\&{line}" if line.startswith("'") else line for line in lines)


def main() -> None:
    """Write all pages, and remove those of commands that are gone."""
    made = pages()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.1"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(made)} pages in {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
