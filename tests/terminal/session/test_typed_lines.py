"""The lines that a user types, whatever becomes of them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from besedka.terminal.commands import Command
from besedka.terminal.session.typed_lines import TypedLines
from besedka.terminal.ui.phrases import ENGLISH
from tests import looping
from tests.looping import until


class Problems:
    """A notifier that notes the problems."""

    phrases = ENGLISH

    def __init__(self) -> None:
        self.shown: list[str] = []

    def show_problem(self, text: str) -> None:
        self.shown.append(text)


def test_an_error_in_a_command_is_shown_and_the_next_line_is_taken() -> None:
    problems, run = Problems(), list[str]()

    async def run_action(command: Command) -> None:
        run.append(command.spec.name)
        if command.spec.name == "who":
            raise KeyError("a mistake")

    async def take() -> None:
        typed = asyncio.Queue[str]()
        lines = TypedLines(
            cast("Any", SimpleNamespace(typed=typed)),
            cast("Any", None),
            cast("Any", problems),
            run_action,
            lambda _: None,
        )
        taking = asyncio.ensure_future(lines.take())
        typed.put_nowait("/who")
        typed.put_nowait("/help")
        await until(lambda: len(run) == 2)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)

    looping.run(take())
    assert problems.shown == ["Internal error: KeyError: 'a mistake'"]
