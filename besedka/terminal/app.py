"""``besedka chat``: an input line that stays whole, whatever arrives above it."""

from __future__ import annotations

import asyncio
import os
import sys

from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style

from besedka.remote.address import Address, address
from besedka.remote.connection import (
    Away,
    Connection,
    Event,
    Heard,
    Reset,
)
from besedka.remote.errors import AddressBad, ConnectionFailed, JoinRefused
from besedka.terminal import screen
from besedka.terminal.phrases import Phrases, phrases
from besedka.wire.names import clean_text
from besedka.wire.refusals import Refused
from besedka.wire.words import Error, System, Typing, Welcome


def run(given: str, name: str | None) -> None:
    """Talk until ``/exit``, Ctrl-D or Ctrl-C.

    Raises:
        ConnectionFailed: if there is no chat at the address, or no terminal here.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConnectionFailed("besedka chat talks with a person: run it in a terminal")
    try:
        there = address(given)
    except AddressBad as error:
        raise ConnectionFailed(str(error)) from None
    asyncio.run(_App(there, phrases(os.environ)).run(name))


class _App:
    def __init__(self, there: Address, words: Phrases) -> None:
        self._there = there
        self._words = words
        self._session: PromptSession[str] = PromptSession(
            erase_when_done=True, style=Style.from_dict(screen.STYLES), bottom_toolbar=self._toolbar
        )
        self._connection: Connection | None = None
        self._me = ""
        self._day = ""
        self._is_away = False

    async def run(self, name: str | None) -> None:
        while True:
            name = name or await self._ask_name()
            if not name:
                return
            try:
                await self._talk(name)
            except JoinRefused as refusal:
                self._refuse(refusal.code, str(refusal))
                name = None
            else:
                return

    async def _ask_name(self) -> str | None:
        asking: PromptSession[str] = PromptSession()
        try:
            return (await asking.prompt_async(self._words.your_name)).strip()
        except (EOFError, KeyboardInterrupt):
            return None

    async def _talk(self, name: str) -> None:
        connection = self._connection = Connection(self._there.url, name, self._there.room)
        with patch_stdout(raw=True):
            listening = asyncio.create_task(self._listen(connection))
            writing = asyncio.create_task(self._write(connection))
            done, others = await asyncio.wait({listening, writing}, return_when=asyncio.FIRST_COMPLETED)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await connection.leave()
        for task in done:
            task.result()

    async def _listen(self, connection: Connection) -> None:
        async for event in connection.events():
            self._tell(event)
            self._session.app.invalidate()

    async def _write(self, connection: Connection) -> None:
        while True:
            try:
                text = await self._session.prompt_async("> ")
            except (EOFError, KeyboardInterrupt):
                return
            command = text.strip().lower()
            if command == "/exit":
                return
            if command.startswith("/") and not command.startswith("//"):
                self._show(
                    screen.remark(self._words.unknown_command.format(command=text.split()[0]), problem=True)
                )
            elif command:
                await self._say(connection, text.removeprefix("/") if command.startswith("//") else text)

    async def _say(self, connection: Connection, text: str) -> None:
        try:
            connection.say(clean_text(text))
        except Refused as refusal:
            self._show(screen.remark(refusal.sentence(self._words.language), problem=True))

    def _tell(self, event: Event) -> None:
        match event:
            case Welcome():
                self._welcome(event)
            case Heard():
                self._hear(event)
            case System():
                notice = screen.notice(event, self._me, self._words)
                if notice:
                    self._show(notice)
            case Error():
                self._refuse(event.code, event.text)
            case Away():
                if not self._is_away:
                    self._show(screen.remark(self._words.away))
                self._is_away = True
            case Reset():
                self._show(screen.remark(self._words.reset))
            case Typing():
                pass

    def _welcome(self, welcome: Welcome) -> None:
        self._me = welcome.user
        if self._is_away:
            self._is_away = False
            self._show(screen.remark(self._words.back))
        else:
            greeting = self._words.welcome.format(room=welcome.room, user=welcome.user)
            self._show(screen.remark(f"{greeting} {self._words.how}"))

    def _hear(self, heard: Heard) -> None:
        if len(heard.stamp) > len("HH:MM:SS") and heard.stamp[:10] != self._day:
            self._day = heard.stamp[:10]
            self._show(screen.day(heard.stamp))
        self._show(screen.message(heard, self._me))

    def _refuse(self, code: str, sentence: str) -> None:
        """Tell a refusal in our language, or else in the server's."""
        self._show(screen.remark(self._words.refusals.get(code, sentence), problem=True))

    def _toolbar(self) -> str:
        if self._connection and self._connection.waiting:
            return self._words.waiting.format(n=self._connection.waiting)
        return self._words.away if self._is_away else f"{self._me} · # {self._there.room} · {self._there.url}"

    def _show(self, fragments: screen.Fragments) -> None:
        print_formatted_text(FormattedText(fragments), style=Style.from_dict(screen.STYLES))
