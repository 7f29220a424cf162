"""Commands on the terminal client itself: help, editor, bell, screen, exit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from besedka.terminal.commands import COMMANDS
from besedka.terminal.session import Action, TerminalSession
from besedka.terminal.ui import formatting
from besedka.terminal.ui.input_line import clear_screen, end_input
from besedka.terminal.ui.notifier import Bell

DIGITS_AT_MOST: Final = 3
"""Longer numbers of pages are not even parsed."""


async def _help(session: TerminalSession, argument: str) -> None:
    phrases = session.phrases
    rows = [
        (
            " ".join(filter(None, (f"/{spec.name}", phrases.usage_of(spec), *spec.aliases))),
            phrases.commands[spec.name],
        )
        for spec in COMMANDS
        if spec.requires in {"", *session.rooms.current.may}
    ]
    pages = session.notifier.pages_of(formatting.table([*rows, *phrases.keys.items()]))
    number = _page_number(argument, len(pages))
    if number is None:
        session.notifier.show_invalid(phrases.invalid_page, argument)
        return
    session.notifier.show(*pages[number - 1])
    if number < len(pages):
        session.notifier.notify(phrases.help_next.format(n=number, count=len(pages), next=number + 1))
    elif number > 1:
        session.notifier.notify(phrases.help_page.format(n=number, count=len(pages)))


def _page_number(argument: str, count: int) -> int | None:
    """The number of a page; None if there is no such page."""
    is_number = argument.isdecimal() and len(argument) <= DIGITS_AT_MOST
    number = int(argument) if is_number else 0 if argument else 1
    return number if 1 <= number <= count else None


async def _edit(session: TerminalSession, argument: str) -> None:
    session.input_line.edit(argument)


async def _bell(session: TerminalSession, argument: str) -> None:
    choices = {bell.value: bell for bell in Bell}
    if argument and argument not in choices:
        session.notifier.show_invalid(
            session.phrases.unknown_choice, argument, command="bell", usage="[on|off|all]"
        )
        return
    session.notifier.bell = choices.get(argument, session.notifier.bell)
    kind = session.phrases.bell_kinds[session.notifier.bell.value]
    session.notifier.notify(session.phrases.bell.format(kind=kind))


async def _clear(_: TerminalSession, __: str) -> None:
    clear_screen()


async def _exit(_: TerminalSession, __: str) -> None:
    end_input()


ACTIONS: Final[Mapping[str, Action]] = {
    "help": _help,
    "edit": _edit,
    "bell": _bell,
    "clear": _clear,
    "exit": _exit,
}
