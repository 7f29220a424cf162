"""A talk at a terminal, from coming to leaving: what is typed in an input line that stays whole, and what becomes of it."""

from __future__ import annotations

import asyncio
import getpass
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from prompt_toolkit.application import get_app, get_app_session
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import is_dumb_terminal

from besedka.home import remember_key
from besedka.remote.address import Address
from besedka.remote.errors import JoinRefused, RemoteError, SayRefused
from besedka.remote.events import Event
from besedka.terminal.commands import Mistake, Order, Words, read
from besedka.terminal.direct_messages import Aside
from besedka.terminal.events import Hearing
from besedka.terminal.room_view import RoomView, State
from besedka.terminal.rooms import Rooms
from besedka.terminal.storage.storage import Keeping
from besedka.terminal.ui import formatting, status_bar
from besedka.terminal.ui.completion import Endings
from besedka.terminal.ui.input_line import InputLine
from besedka.terminal.ui.keyboard import LINE_CHARACTERS
from besedka.terminal.ui.notifier import Bell, Telling
from besedka.terminal.ui.output import Paper
from besedka.terminal.ui.phrases import Phrases
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.message import MessageId
from besedka.wire.validation import clean_text

KEEP_SECONDS: Final = 1.0
"""What waits for longer than this is on disk."""

ANSWER_SECONDS: Final = 30.0
"""How long a command waits for the server."""

LAST_WORDS_SECONDS: Final = 1.0
"""How long one who leaves waits for what was said last to be stored."""

TYPING_SECONDS: Final = 2.0
"""The others are told so often that one types."""

ANOTHER_NAME: Final = frozenset(
    {ErrorCode.NAME_TAKEN, ErrorCode.NAME_CLAIMED, ErrorCode.NAME_RESERVED, ErrorCode.BAD_NAME}
)
"""Refusals that another name helps against."""

Act = Callable[["Talk", str], Awaitable[None]]
"""What a command does; it is given what was typed behind it."""


class Talk:
    """One terminal.

    Args:
        there: the chat, and the room to begin in.
        secret: shows that several programs are the same person; for each name.
        bell: when to ring.
        color_depth: how many colours there may be; None: as many as the terminal has.
        words: the language.
        acts: what the commands do, by their names.

    Attributes:
        there: the chat.
        words: as they were given.
        rooms: the rooms that one is in.
        aside: the talks of two that one is not in.
        tell: tells one what happens.
        line: where one types.
        paper: what is printed on.
    """

    def __init__(
        self,
        there: Address,
        *,
        secret: Callable[[str], str],
        bell: Bell,
        color_depth: ColorDepth | None,
        words: Phrases,
        acts: Mapping[str, Act],
    ) -> None:
        self.there = there
        self.words = words
        self._acts = acts
        self._typing_told_at = 0.0
        self._unsettled: set[asyncio.Future[MessageId]] = set()
        self._questions: asyncio.Queue[Order] = asyncio.Queue()
        self._asking = ""
        style = Style.from_dict(formatting.STYLES)
        is_dumb = is_dumb_terminal()
        self.paper = Paper(
            get_app_session().output, style, color_depth, (lambda: self.line.shown) if is_dumb else None
        )
        is_coloured = not is_dumb and color_depth is not ColorDepth.DEPTH_1_BIT
        self.tell = Telling(self.paper, words, bell, is_coloured=is_coloured)
        self._keeping = Keeping(there.url, lambda why: self.tell.problem(words.not_kept.format(why=why)))
        self.rooms = Rooms(
            there,
            secret,
            self.tell,
            self._keeping,
            listen=self._listen,
            pause=self.paper.room,
            changed=self._draw,
            end=self._end,
        )
        self.aside = Aside(self.rooms, self.tell, self._keeping)
        self._hearing = Hearing(self.rooms, self.tell, self.aside, away=lambda: self.line.is_dumb)
        self.line = InputLine(
            bar=self._bar,
            completer=Endings(self._hearing.names, self.rooms.names, lambda: self.rooms.current.may),
            history=self._keeping.history(),
            style=style,
            color_depth=color_depth,
            changed=self._tell_typing,
            look=self._look,
            refuse=lambda: self.tell.problem(words.line_full.format(limit=LINE_CHARACTERS)),
        )

    # From coming to leaving.

    async def run(self, name: str | None) -> None:
        """Come in, talk, leave."""
        asyncio.get_running_loop().set_exception_handler(self._went_wrong)
        printing = asyncio.ensure_future(self.paper.run())
        try:
            self.rooms.go(await self._come(name))
            self.aside.start()
            await self._talk()
        except EOFError:
            pass  # no name was given
        finally:
            printing.cancel()
            await asyncio.gather(printing, return_exceptions=True)
            await self._leave()
        if self.rooms.failure:
            raise self.rooms.failure

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._hang_up)
        parts = (self.line.run(), self._obey(), self._ask(), self._keep())
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _come(self, name: str | None) -> RoomView:
        while True:
            name = name or await self._ask_name()
            try:
                place = await self.rooms.enter(self.there.room, name, invite=self.there.invite)
            except JoinRefused as refusal:
                if refusal.code not in ANOTHER_NAME:
                    raise
                self.tell.refused(refusal)
                await self.paper.print_all()
                name = None
            else:
                if self.there.key:
                    remember_key(self.there.url, self.there.key)
                return place

    async def _ask_name(self) -> str:
        while True:
            if name := await self.line.ask(self.words.your_name, _login()):
                return name

    async def _leave(self) -> None:
        # What was typed behind a command that was still at work is said, too.
        while self.rooms.places and not self.line.typed.empty():
            line = self.line.typed.get_nowait().rstrip()
            if isinstance(words := read(line), Words):
                self.say(words.text, line)
        if self._unsettled and self.rooms.current.state is State.IN:
            await asyncio.wait(self._unsettled, timeout=LAST_WORDS_SECONDS)
        await self.aside.end()
        self._keeping.keep(self.rooms.places.values())
        await self.rooms.leave()
        if (count := self.rooms.waiting) and self._keeping.can_keep:
            self.tell.remark(self.words.waits.format(n=count))
        await self.paper.print_all()

    def _hang_up(self) -> None:
        """The window is closed, or the machine goes down."""
        self._keeping.keep(self.rooms.places.values())
        self.line.end()

    def _end(self) -> None:
        self.line.end()

    def _went_wrong(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error of ours, which nobody else has caught: it is told in one line, and one talks on."""
        error = context.get("exception")
        what = f"{type(error).__name__}: {error}" if error else context["message"]
        self.tell.problem(self.words.went_wrong.format(what=what))

    # What is typed.

    async def _obey(self) -> None:
        while True:
            line = (await self.line.typed.get()).rstrip()
            match read(line):
                case Words(text):
                    self.say(text, line)
                case Order(command) as order if command.asks:
                    self._questions.put_nowait(order)
                case Order() as order:
                    await self._carry_out(order)
                case Mistake() as mistake:
                    self._explain(mistake)
                case None:
                    pass

    async def _ask(self) -> None:
        """Questions are asked one behind the other; what is said meanwhile does not wait for answers."""
        while True:
            await self._carry_out(await self._questions.get())

    async def _carry_out(self, order: Order) -> None:
        self._asking = f"/{order.command.name}"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._acts[order.command.name](self, order.argument)
        except TimeoutError:
            self.tell.problem(self.words.no_answer.format(command=self._asking))
        except RemoteError as error:
            self.tell.refused(error)
        finally:
            self._asking = ""
            self.line.refresh()

    def _explain(self, mistake: Mistake) -> None:
        command = mistake.command
        if command is None:
            phrase = self.words.near_command if mistake.near else self.words.unknown_command
            self.tell.problem(phrase.format(command=mistake.word, near=mistake.near))
        else:
            phrase = self.words.lacks if command.usage else self.words.too_much
            self.tell.problem(phrase.format(command=command.name, usage=self.words.behind(command)))

    def say(self, text: str, typed: str) -> None:
        """Say something in the room that is looked at; what was typed is given back if it is not taken."""
        place = self.rooms.current
        try:
            said = place.connection.say(clean_text(text))
        except Refused as refusal:
            self.tell.refuse(refusal)
            self._give_back(typed)
        else:
            self._unsettled.add(said)
            said.add_done_callback(lambda said: self._said(said, typed))
            self.line.refresh()

    def _said(self, said: asyncio.Future[MessageId], typed: str) -> None:
        self._unsettled.discard(said)
        if not said.cancelled() and isinstance(said.exception(), SayRefused):
            self._give_back(typed)

    def _give_back(self, typed: str) -> None:
        """What was not taken is not lost: it is in the line again, or, if something else is, above it."""
        if not self.line.give_back(typed):
            self.tell.problem(self.words.not_sent.format(text=typed))

    def _tell_typing(self, text: str) -> None:
        now = asyncio.get_running_loop().time()
        if not text or text.startswith("/") or now - self._typing_told_at < TYPING_SECONDS:
            return
        self._typing_told_at = now
        get_app().create_background_task(self.rooms.current.connection.typing())

    # What is shown.

    def _listen(self, place: RoomView, event: Event) -> None:
        self._hearing.happen(place, event)
        self._draw()

    def _draw(self) -> None:
        self.line.refresh()

    def _look(self, is_here: bool) -> None:
        self.rooms.unread_is_due = not is_here

    def _bar(self) -> formatting.Fragments:
        now, rooms = asyncio.get_running_loop().time(), self.rooms
        return status_bar.bar(
            rooms.current, rooms.others, self.words, waiting=rooms.waiting, asking=self._asking, now=now
        )

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            self._keeping.keep(self.rooms.places.values())


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
