"""The lines that the user types: text is posted in the current room, commands are run one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from prompt_toolkit.application import get_app

from besedka.remote.errors import RemoteError, SayRefused
from besedka.terminal.commands import Command, InvalidCommand, Text, parse
from besedka.terminal.room_view import ConnectionState
from besedka.terminal.session.rooms import RoomNotConnected, Rooms
from besedka.terminal.ui.emoji import with_emoji
from besedka.terminal.ui.formatting import excerpt
from besedka.terminal.ui.input_line import InputLine, end_input, redraw
from besedka.terminal.ui.notifier import Notifier
from besedka.terminal.ui.room_keys import RoomKey
from besedka.wire.errors import Refused
from besedka.wire.message import MessageId
from besedka.wire.validation import clean_text

ANSWER_SECONDS: Final = 30.0
"""How long a command waits for the server's response."""

LAST_POSTS_SECONDS: Final = 1.0
"""How long leaving waits for the last posts to be stored."""

TYPING_SENT_SECONDS: Final = 2.0
"""Least interval between two typing frames."""


class TypedLines:
    """Handles the typed lines of one session.

    Args:
        input_line: has the lines, and takes refused ones back.
        rooms: the rooms of the session.
        notifier: shows problems.
        run_action: runs the action of a command.
        switch_room: switches to the room of a key.

    Attributes:
        has_ended: whether the server has ended the session; then lines are given back, and an empty one leaves.
        refusal: why something that was typed was refused; empty if nothing was, the next line was taken, or the user has emptied the line.
        running_command: the command that waits for the server's response, with its slash; empty if none does.
    """

    def __init__(
        self,
        input_line: InputLine,
        rooms: Rooms,
        notifier: Notifier,
        run_action: Callable[[Command], Awaitable[None]],
        switch_room: Callable[[RoomKey], None],
    ) -> None:
        self.has_ended = False
        self.refusal = ""
        self.running_command = ""
        self._input_line = input_line
        self._rooms = rooms
        self._notifier = notifier
        self._phrases = notifier.phrases
        self._run_action = run_action
        self._switch_room = switch_room
        self._queries: asyncio.Queue[Command] = asyncio.Queue()
        self._pending_posts: set[asyncio.Future[MessageId]] = set()
        self._typing_sent_at = 0.0

    async def take(self) -> None:
        """Handle one line after the other until cancelled."""
        while True:
            typed = await self._input_line.typed.get()
            if isinstance(typed, RoomKey):
                self._switch_room(typed)
                continue
            line = typed.rstrip()
            if line:
                self.refusal = ""
            if self.has_ended:
                self._take_after_end(line)
                continue
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

    async def run_queries(self) -> None:
        """Run queries one after the other until cancelled; text typed meanwhile is posted without waiting for them."""
        while True:
            await self._run_command(await self._queries.get())

    async def finish(self) -> None:
        """Post text typed after a command that was still running, too, and wait for the last posts to be stored."""
        while self._rooms.views and not (self.has_ended or self._input_line.typed.empty()):
            typed = self._input_line.typed.get_nowait()
            if isinstance(typed, RoomKey):
                self._switch_room(typed)
            elif isinstance(meaning := parse(line := typed.rstrip()), Text):
                self.post(meaning.text, line)
        if self._pending_posts and self._rooms.current.state is ConnectionState.CONNECTED:
            await asyncio.wait(self._pending_posts, timeout=LAST_POSTS_SECONDS)

    def post(self, text: str, typed: str) -> None:
        """Post text in the current room, with emoji for their names.

        Args:
            text: the message.
            typed: the line as typed; it is put back into the input line if the text is refused.
        """
        if self._rooms.current.state is ConnectionState.ENDED:
            self._notifier.show_problem(self._phrases.not_connected)
            self._restore_line(typed)
            return
        try:
            posted = self._rooms.current.membership.say(clean_text(with_emoji(text)))
        except Refused as refusal:
            self._notifier.show_refusal(refusal)
            self.refuse(self._notifier.refusal_sentence(refusal))
            self._restore_line(typed)
        else:
            self._pending_posts.add(posted)
            posted.add_done_callback(lambda posted: self._settled(posted, typed))
            redraw()

    def refuse(self, why: str) -> None:
        """Have the status bar say why something that was typed is refused, until the next line is taken."""
        self.refusal = why
        redraw()

    def end(self) -> None:
        """Take no more lines: the server has ended the session."""
        self.has_ended = True
        self._notifier.notify(self._phrases.session_ended)

    def _take_after_end(self, line: str) -> None:
        """Give a line back that was typed after the end. Only an empty line leaves: whoever types on has not seen the end yet."""
        meaning = parse(line)
        is_exit = isinstance(meaning, Command) and meaning.spec.name == "exit"
        if is_exit or (meaning is None and self._input_line.is_empty):
            end_input()
        elif meaning is not None:
            self._notifier.show_problem(self._phrases.session_ended)
            self._restore_line(line)

    def send_typing(self, text: str) -> None:
        """Tell the current room that the user is typing, unless the input line is empty or has a command."""
        if not text:
            self.refusal = ""
        now = asyncio.get_running_loop().time()
        if (
            self.has_ended
            or not text
            or text.startswith("/")
            or now - self._typing_sent_at < TYPING_SENT_SECONDS
        ):
            return
        self._typing_sent_at = now
        get_app().create_background_task(self._rooms.current.membership.typing())

    async def _run_command(self, command: Command) -> None:
        self.running_command = f"/{command.spec.name}"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._run_action(command)
        except TimeoutError:
            self._notifier.show_problem(self._phrases.no_answer.format(command=self.running_command))
        except RoomNotConnected:
            self._notifier.show_problem(self._phrases.not_connected)
        except Refused as refusal:
            self._notifier.show_refusal(refusal)
        except RemoteError as error:
            self._notifier.show_error(error)
        except Exception as error:  # noqa: BLE001 - an error of one command does not end the session
            what = f"{type(error).__name__}: {error}"
            self._notifier.show_problem(self._phrases.internal_error.format(what=what))
        finally:
            self.running_command = ""
            redraw()

    def _explain(self, invalid: InvalidCommand) -> None:
        phrases, spec = self._phrases, invalid.spec
        if spec is None:
            phrase = phrases.similar_command if invalid.near else phrases.unknown_command
            self._notifier.show_problem(phrase.format(command=invalid.typed, near=invalid.near))
        else:
            phrase = phrases.missing_argument if spec.usage else phrases.extra_argument
            self._notifier.show_problem(phrase.format(command=spec.name, usage=phrases.usage_of(spec)))

    def _settled(self, posted: asyncio.Future[MessageId], typed: str) -> None:
        self._pending_posts.discard(posted)
        error = None if posted.cancelled() else posted.exception()
        if isinstance(error, SayRefused):
            self.refuse(self._notifier.sentence(error.code, error.text))
            self._restore_line(typed)

    def _restore_line(self, typed: str) -> None:
        """Put a refused line back into the input line; if that is not empty, show the line above it."""
        if not self._input_line.restore(typed):
            self._notifier.show_problem(self._phrases.not_sent.format(text=excerpt(typed)))
