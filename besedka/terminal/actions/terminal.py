"""Commands on the terminal client itself: help, editor, bell, screen, exit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from besedka.terminal.commands import COMMANDS
from besedka.terminal.session import Action, TerminalSession
from besedka.terminal.ui import formatting
from besedka.terminal.ui.input_line import clear_screen, end_input
from besedka.terminal.ui.notifier import Bell


async def _help(session: TerminalSession, _: str) -> None:
    phrases = session.phrases
    rows = [
        (
            " ".join(filter(None, (f"/{spec.name}", phrases.usage_of(spec), *spec.aliases))),
            phrases.commands[spec.name],
        )
        for spec in COMMANDS
        if spec.requires in {"", *session.rooms.current.may}
    ]
    session.notifier.show(*formatting.table([*rows, *phrases.keys.items()]))


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
