"""Puts a session together and runs it, from the first join to the last leave."""

from __future__ import annotations

import asyncio
import getpass
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prompt_toolkit.application import get_app_session
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import is_dumb_terminal

from besedka.home import remember_key, remember_name
from besedka.remote.address import Address
from besedka.remote.errors import JoinRefused, sentence_of
from besedka.remote.room.events import Event
from besedka.terminal.room_view import RoomView
from besedka.terminal.search_terms import SearchTerms
from besedka.terminal.session.direct_room_watcher import DirectRoomWatcher
from besedka.terminal.session.event_handler import EventHandler
from besedka.terminal.session.room_switching import RoomSwitching
from besedka.terminal.session.rooms import Rooms
from besedka.terminal.session.typed_lines import TypedLines
from besedka.terminal.storage import Storage
from besedka.terminal.ui import formatting
from besedka.terminal.ui.completion import LineCompleter
from besedka.terminal.ui.fragments import Fragments
from besedka.terminal.ui.input_line import InputLine, end_input, redraw
from besedka.terminal.ui.keyboard import LINE_CHARACTERS
from besedka.terminal.ui.name_colours import COLOURS_OF_256, TRUE_COLOURS, NameColours
from besedka.terminal.ui.notifier import Bell, Notifier
from besedka.terminal.ui.output import TerminalOutput
from besedka.terminal.ui.phrases import Phrases
from besedka.terminal.ui.room_keys import RoomKey
from besedka.terminal.ui.status_bar import status_bar
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import Say

SAVE_SECONDS: Final = 1.0
"""Interval in which unsent messages and read positions are stored."""

TRY_ANOTHER_NAME: Final = frozenset(
    {ErrorCode.NAME_TAKEN, ErrorCode.NAME_CLAIMED, ErrorCode.NAME_RESERVED, ErrorCode.BAD_NAME}
)
"""Refusals that another name may avoid."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search that has not reached the beginning of the log.

    Attributes:
        view: the room.
        terms: the terms.
        before: search messages older than this id.
    """

    view: RoomView
    terms: SearchTerms
    before: int


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
        room_switching: switches rooms by keys, and keeps their drafts.
        typed_lines: posts what is typed there, and runs commands.
        rooms: the joined rooms.
        direct_room_watcher: watches direct rooms that are not joined.
        listed_waiting: the messages that the user has seen in the last list of those that wait, each with its room.
        search: the search that can be continued; None if there is none.
        missing_room: the room that the user has tried to join last and that is not there; empty if the last one was.
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
        style = Style.from_dict(formatting.STYLES)
        is_dumb = is_dumb_terminal()
        self._output = TerminalOutput(
            get_app_session().output, style, color_depth, (lambda: self.input_line.shown) if is_dumb else None
        )
        storage = Storage(
            address.url,
            lambda why: self._output.print(formatting.problem(phrases.not_stored.format(why=why))),
        )
        is_coloured = not is_dumb and color_depth is not ColorDepth.DEPTH_1_BIT
        has_true_colours = color_depth is ColorDepth.DEPTH_24_BIT
        self.notifier = Notifier(
            self._output,
            phrases,
            bell,
            is_coloured=is_coloured,
            name_colours=NameColours(TRUE_COLOURS if has_true_colours else COLOURS_OF_256),
            ignored=storage.ignored_names(),
        )
        self.missing_room = ""
        self.listed_waiting: list[tuple[RoomView, Say]] = []
        self.search: Search | None = None
        self.rooms = Rooms(
            address,
            secret,
            self.notifier,
            storage,
            receive=self._receive,
            until_printable=self._output.until_printable,
            switched=self._room_shown,
            redraw=redraw,
            ended=self._ended_by_server,
        )
        self.direct_room_watcher = DirectRoomWatcher(self.rooms, self.notifier, storage)
        self._events = EventHandler(
            self.rooms,
            self.notifier,
            self.direct_room_watcher,
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
            overflowed=lambda: self._overflowed(overflow),
            leads_to_room=self._leads_to_room,
        )
        self.room_switching = RoomSwitching(self.rooms, self.input_line, self.notifier, storage)
        self.typed_lines = TypedLines(
            self.input_line,
            self.rooms,
            self.notifier,
            lambda command: actions[command.spec.name](self, command.argument),
            self.room_switching.switch,
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
            self.direct_room_watcher.start()
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
        parts = (
            self.input_line.run(),
            self.typed_lines.take(),
            self.typed_lines.run_queries(),
            self._save_regularly(),
        )
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
                remember_name(self.address.url, view.me)
                return view

    async def _ask_name(self) -> str:
        while True:
            if name := await self.input_line.ask(self.phrases.your_name, _login()):
                return name

    async def _leave(self) -> None:
        await self.typed_lines.finish()
        await self.direct_room_watcher.stop()
        self.rooms.save()
        self.room_switching.save_drafts()
        await self.rooms.leave_all()
        if (count := self.rooms.unsent_count) and self._storage.works:
            self.notifier.notify(self.phrases.unsent_on_exit.format(n=count))
        await self._output.flush()

    def _ended_by_server(self, error: BaseException) -> None:
        """Keep the screen after the last room: the user reads why it ended, and what they are typing goes to no shell."""
        why = self.notifier.sentence(getattr(error, "code", ""), sentence_of(error))
        self.notifier.show_problem(why)
        self.typed_lines.end()

    def _hang_up(self) -> None:
        """End the session on SIGHUP or SIGTERM: the window was closed, or the machine is shutting down."""
        self.rooms.save()
        self.room_switching.save_drafts()
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

    # The screen.

    def _receive(self, view: RoomView, event: Event) -> None:
        self._events.handle(view, event)
        redraw()

    def _input_changed(self, text: str) -> None:
        # At the question for the name there is no room yet.
        if self.rooms.views:
            self.rooms.mark_read()
        if not self.room_switching.is_offering:
            self.typed_lines.send_typing(text)

    def _room_shown(self, view: RoomView) -> None:
        self.room_switching.offer_draft(view)

    def _leads_to_room(self, key: RoomKey) -> bool:
        return self.room_switching.leads_to_room(key)

    def _overflowed(self, why: str) -> None:
        self.notifier.show_problem(why)
        self.typed_lines.refuse(why)

    def _focus_changed(self, has_focus: bool) -> None:
        self.rooms.is_unread_rule_due = not has_focus
        self.rooms.is_in_sight = has_focus
        if has_focus and self.rooms.views:
            self.rooms.mark_read()

    def _status_bar(self) -> Fragments:
        return status_bar(
            self.rooms.current,
            self.rooms.others,
            self.phrases,
            unsent_count=self.rooms.unsent_count,
            command=self.typed_lines.running_command,
            refusal=self.phrases.session_ended if self.typed_lines.has_ended else self.typed_lines.refusal,
            line_count=self.input_line.hidden_from,
            now=asyncio.get_running_loop().time(),
            columns=get_app_session().output.get_size().columns,
            ignored=self.notifier.ignored,
        )


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
