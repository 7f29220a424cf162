"""A session at a terminal, from the first join to the last leave: reads typed lines, posts text and runs commands."""

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
from besedka.remote.room.events import Event
from besedka.terminal.commands import Command, InvalidCommand, Text, parse
from besedka.terminal.direct_messages import DirectMessages
from besedka.terminal.events import EventHandler
from besedka.terminal.room_view import RoomView, State
from besedka.terminal.rooms import NotConnected, Rooms
from besedka.terminal.storage import Storage
from besedka.terminal.ui import formatting
from besedka.terminal.ui.completion import LineCompleter
from besedka.terminal.ui.input_line import InputLine, end_input, redraw
from besedka.terminal.ui.keyboard import LINE_CHARACTERS
from besedka.terminal.ui.notifier import Bell, Notifier
from besedka.terminal.ui.output import TerminalOutput
from besedka.terminal.ui.phrases import Phrases
from besedka.terminal.ui.status_bar import status_bar
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.message import MessageId
from besedka.wire.validation import clean_text

SAVE_SECONDS: Final = 1.0
"""Interval in which unsent messages and read positions are stored."""

ANSWER_SECONDS: Final = 30.0
"""How long a command waits for the server's response."""

LAST_POSTS_SECONDS: Final = 1.0
"""How long leaving waits for the last posts to be stored."""

TYPING_SENT_SECONDS: Final = 2.0
"""Least interval between two typing frames."""

TRY_ANOTHER_NAME: Final = frozenset(
    {ErrorCode.NAME_TAKEN, ErrorCode.NAME_CLAIMED, ErrorCode.NAME_RESERVED, ErrorCode.BAD_NAME}
)
"""Refusals that another name may avoid."""

Action = Callable[["TerminalSession", str], Awaitable[None]]
"""The implementation of a command; it takes the session and the argument."""


class TerminalSession:
    """One session.

    Args:
        address: the chat's address, with the first room.
        secret: returns the secret that proves a name.
        bell: when to ring.
        color_depth: the number of colours; None: as many as the terminal has.
        phrases: the user's language.
        actions: the implementations of the commands, by name.

    Attributes:
        address: the chat's address.
        phrases: the user's language.
        notifier: shows notices, problems and messages.
        input_line: the input line.
        rooms: the joined rooms.
        direct_messages: watches direct rooms that are not joined.
    """

    def __init__(
        self,
        address: Address,
        *,
        secret: Callable[[str], str],
        bell: Bell,
        color_depth: ColorDepth | None,
        phrases: Phrases,
        actions: Mapping[str, Action],
    ) -> None:
        self.address = address
        self.phrases = phrases
        self._actions = actions
        self._typing_sent_at = 0.0
        self._pending_posts: set[asyncio.Future[MessageId]] = set()
        self._queries: asyncio.Queue[Command] = asyncio.Queue()
        self._running_command = ""
        style = Style.from_dict(formatting.STYLES)
        is_dumb = is_dumb_terminal()
        self._output = TerminalOutput(
            get_app_session().output, style, color_depth, (lambda: self.input_line.shown) if is_dumb else None
        )
        is_coloured = not is_dumb and color_depth is not ColorDepth.DEPTH_1_BIT
        self.notifier = Notifier(self._output, phrases, bell, is_coloured=is_coloured)
        storage = Storage(
            address.url, lambda why: self.notifier.show_problem(phrases.not_stored.format(why=why))
        )
        self.rooms = Rooms(
            address,
            secret,
            self.notifier,
            storage,
            receive=self._receive,
            until_printable=self._output.until_printable,
            redraw=redraw,
            end=end_input,
        )
        self.direct_messages = DirectMessages(self.rooms, self.notifier, storage)
        self._events = EventHandler(
            self.rooms,
            self.notifier,
            self.direct_messages,
            # A dumb terminal has no status bar.
            announces_disconnects=is_dumb,
        )
        overflow = phrases.line_overflow.format(limit=LINE_CHARACTERS)
        self.input_line = InputLine(
            status_bar=self._status_bar,
            completer=LineCompleter(
                self._events.names, self.rooms.destinations, lambda: self.rooms.current.may
            ),
            history=storage.typed_lines(),
            style=style,
            color_depth=color_depth,
            changed=self._input_changed,
            focus_changed=self._focus_changed,
            overflowed=lambda: self.notifier.show_problem(overflow),
        )
        self._storage = storage

    # Life cycle.

    async def run(self, name: str | None) -> None:
        """Run the session: join, take lines, leave.

        Args:
            name: the user's name; None asks for it.

        Raises:
            ConnectionFailed: if the chat cannot be reached, or ends the session.
            JoinRefused: if the server refuses the room or the name.
        """
        asyncio.get_running_loop().set_exception_handler(self._show_internal_error)
        printing = asyncio.ensure_future(self._output.run())
        try:
            self.rooms.switch_to(await self._join(name))
            self.direct_messages.start()
            await self._take_input()
        except EOFError:
            pass  # Ctrl-D at the question for the name
        finally:
            printing.cancel()
            await asyncio.gather(printing, return_exceptions=True)
            await self._leave()
        if self.rooms.failure:
            raise self.rooms.failure

    async def _take_input(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._hang_up)
        parts = (self.input_line.run(), self._take_lines(), self._run_queries(), self._save_regularly())
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _join(self, name: str | None) -> RoomView:
        while True:
            name = name or await self._ask_name()
            try:
                view = await self.rooms.join(self.address.room, name, invite=self.address.invite)
            except JoinRefused as refusal:
                if refusal.code not in TRY_ANOTHER_NAME:
                    raise
                self.notifier.show_error(refusal)
                await self._output.flush()
                name = None
            else:
                if self.address.key:
                    remember_key(self.address.url, self.address.key)
                return view

    async def _ask_name(self) -> str:
        while True:
            if name := await self.input_line.ask(self.phrases.your_name, _login()):
                return name

    async def _leave(self) -> None:
        # Text typed after a command that was still running is posted, too.
        while self.rooms.views and not self.input_line.typed.empty():
            line = self.input_line.typed.get_nowait().rstrip()
            if isinstance(meaning := parse(line), Text):
                self.post(meaning.text, line)
        if self._pending_posts and self.rooms.current.state is State.CONNECTED:
            await asyncio.wait(self._pending_posts, timeout=LAST_POSTS_SECONDS)
        await self.direct_messages.stop()
        self.rooms.save()
        await self.rooms.leave_all()
        if (count := self.rooms.unsent_count) and self._storage.works:
            self.notifier.notify(self.phrases.unsent_on_exit.format(n=count))
        await self._output.flush()

    def _hang_up(self) -> None:
        """End the session on SIGHUP or SIGTERM: the window was closed, or the machine is shutting down."""
        self.rooms.save()
        end_input()

    async def _save_regularly(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            self.rooms.save()

    def _show_internal_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Show an uncaught error in one line; the session goes on."""
        error = context.get("exception")
        what = f"{type(error).__name__}: {error}" if error else context["message"]
        self.notifier.show_problem(self.phrases.internal_error.format(what=what))

    # Typed lines.

    async def _take_lines(self) -> None:
        while True:
            line = (await self.input_line.typed.get()).rstrip()
            match parse(line):
                case Text(text):
                    self.post(text, line)
                case Command(spec) as command if spec.is_query:
                    self._queries.put_nowait(command)
                case Command() as command:
                    await self._run_command(command)
                case InvalidCommand() as invalid:
                    self._explain(invalid)
                case None:
                    pass

    async def _run_queries(self) -> None:
        """Run queries one after the other; text typed meanwhile is posted without waiting for them."""
        while True:
            await self._run_command(await self._queries.get())

    async def _run_command(self, command: Command) -> None:
        self._running_command = f"/{command.spec.name}"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._actions[command.spec.name](self, command.argument)
        except TimeoutError:
            self.notifier.show_problem(self.phrases.no_answer.format(command=self._running_command))
        except NotConnected:
            self.notifier.show_problem(self.phrases.not_connected)
        except Refused as refusal:
            self.notifier.show_refusal(refusal)
        except RemoteError as error:
            self.notifier.show_error(error)
        finally:
            self._running_command = ""
            redraw()

    def _explain(self, invalid: InvalidCommand) -> None:
        phrases, spec = self.phrases, invalid.spec
        if spec is None:
            phrase = phrases.similar_command if invalid.near else phrases.unknown_command
            self.notifier.show_problem(phrase.format(command=invalid.typed, near=invalid.near))
        else:
            phrase = phrases.missing_argument if spec.usage else phrases.extra_argument
            self.notifier.show_problem(phrase.format(command=spec.name, usage=phrases.usage_of(spec)))

    def post(self, text: str, typed: str) -> None:
        """Post text in the current room.

        Args:
            text: the message.
            typed: the line as typed; it is put back into the input line if the text is refused.
        """
        try:
            posted = self.rooms.current.membership.say(clean_text(text))
        except Refused as refusal:
            self.notifier.show_refusal(refusal)
            self._restore_line(typed)
        else:
            self._pending_posts.add(posted)
            posted.add_done_callback(lambda posted: self._settled(posted, typed))
            redraw()

    def _settled(self, posted: asyncio.Future[MessageId], typed: str) -> None:
        self._pending_posts.discard(posted)
        if not posted.cancelled() and isinstance(posted.exception(), SayRefused):
            self._restore_line(typed)

    def _restore_line(self, typed: str) -> None:
        """Put a refused line back into the input line; if that is not empty, show the line above it."""
        if not self.input_line.restore(typed):
            self.notifier.show_problem(self.phrases.not_sent.format(text=typed))

    def _input_changed(self, text: str) -> None:
        now = asyncio.get_running_loop().time()
        if not text or text.startswith("/") or now - self._typing_sent_at < TYPING_SENT_SECONDS:
            return
        self._typing_sent_at = now
        get_app().create_background_task(self.rooms.current.membership.typing())

    # The screen.

    def _receive(self, view: RoomView, event: Event) -> None:
        self._events.handle(view, event)
        redraw()

    def _focus_changed(self, has_focus: bool) -> None:
        self.rooms.is_unread_rule_due = not has_focus

    def _status_bar(self) -> formatting.Fragments:
        return status_bar(
            self.rooms.current,
            self.rooms.others,
            self.phrases,
            unsent_count=self.rooms.unsent_count,
            command=self._running_command,
            now=asyncio.get_running_loop().time(),
        )


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
