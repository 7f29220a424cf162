"""Shows messages, notices, problems, links and QR codes to the user, and rings the bell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from prompt_toolkit.application import get_app_session

from besedka.qr import qr_lines
from besedka.remote.errors import RemoteError, sentence_of
from besedka.remote.room.events import ReceivedMessage
from besedka.terminal.room_view import RoomView
from besedka.terminal.storage import IgnoredNames
from besedka.terminal.ui import formatting
from besedka.terminal.ui.name_colours import NameColours
from besedka.terminal.ui.output import TerminalOutput
from besedka.terminal.ui.paging import pages_of
from besedka.terminal.ui.phrases import Phrases
from besedka.wire.errors import Refused
from besedka.wire.frames import Done
from besedka.wire.sanitize import sanitize_line

SENTENCE_CHARACTERS: Final = 1_000
"""How much of a server's sentence is shown."""

ROWS_BELOW_A_PAGE: Final = 3
"""A notice, the input line and the status bar."""

THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that lead every device to itself."""


class Bell(Enum):
    """When the bell rings."""

    OFF = "off"
    ON = "on"
    ALL = "all"


class Notifier:
    """Shows things above the input line.

    Args:
        output: prints the lines.
        phrases: the user's language.
        bell: when to ring.
        is_coloured: whether the terminal shows colours.
        name_colours: gives each name a colour.
        ignored: the people whose messages are not shown.

    Attributes:
        phrases: the user's language.
        bell: when to ring; may be changed.
        ignored: the people whose messages are not shown.
    """

    def __init__(
        self,
        output: TerminalOutput,
        phrases: Phrases,
        bell: Bell,
        *,
        is_coloured: bool,
        name_colours: NameColours,
        ignored: IgnoredNames,
    ) -> None:
        self.phrases = phrases
        self.bell = bell
        self._output = output
        self._is_coloured = is_coloured
        self._colours = name_colours
        self.ignored = ignored

    def show(self, *lines: formatting.Line) -> None:
        """Show lines as they are."""
        for line in lines:
            self._output.print(line)

    def show_messages(self, view: RoomView, messages: Sequence[ReceivedMessage]) -> None:
        """Show messages of a room, with a rule where a new day begins; those of ignored people are passed over."""
        for message in messages:
            if message.user in self.ignored:
                view.pass_over(message)
                continue
            if message.stamp[:10] != view.day:
                view.day = message.stamp[:10]
                self.show(formatting.rule(view.day))
            self._show_message(formatting.message, view, message)

    def show_found(self, view: RoomView, messages: Sequence[ReceivedMessage]) -> None:
        """Show messages of a room that a search has found, with their dates."""
        for message in messages:
            self._show_message(formatting.found_message, view, message)

    def _show_message(
        self, form: Callable[..., formatting.Line], view: RoomView, message: ReceivedMessage
    ) -> None:
        view.mark_shown(message)
        colour = self._colours.of(message.user)
        self.show(form(message, view.me, colour, is_numbered=view.may_moderate))

    def pages_of(self, lines: Sequence[formatting.Line]) -> list[list[formatting.Line]]:
        """Lines, page by page; each fits the window, with a notice below it."""
        size = get_app_session().output.get_size()
        return pages_of(lines, size.columns, max(1, size.rows - ROWS_BELOW_A_PAGE))

    def notify(self, text: str) -> None:
        """Show a notice."""
        self.show(formatting.notice(text))

    def show_answer(self, answer: Done) -> None:
        """Show the server's sentence about a request that it has carried out; it is in the user's language."""
        self.notify(sanitize_line(answer.text, SENTENCE_CHARACTERS))

    def show_problem(self, text: str) -> None:
        """Show a problem."""
        self.show(formatting.problem(text))

    def show_invalid(self, phrase: str, given: str, **fields: str) -> None:
        """Show a problem with an argument, by a phrase that quotes it as ``{given}``."""
        self.show_problem(phrase.format(given=formatting.excerpt(given), **fields))

    def show_refusal(self, refusal: Refused) -> None:
        """Show why input is invalid, without a request to the server."""
        self.show_problem(self.refusal_sentence(refusal))

    def refusal_sentence(self, refusal: Refused) -> str:
        """Why input is invalid, in the user's language."""
        return self.phrases.refusals.get(refusal.code, refusal.sentence(self.phrases.language))

    def show_error(self, error: RemoteError) -> None:
        """Show a server's error: in the user's language, or else in the server's words."""
        self.show_problem(self.sentence(getattr(error, "code", ""), sentence_of(error)))

    def sentence(self, code: str, text: str) -> str:
        """A refusal in the user's language, or else the server's sentence, as far as it is one."""
        return self.phrases.refusals.get(code) or sanitize_line(text, SENTENCE_CHARACTERS)

    def show_link(self, link: str) -> None:
        """Show a link, and a notice if it leads to this machine only."""
        self.show(formatting.link(link))
        if link.startswith("unix:") or urlsplit(link).hostname in THIS_MACHINE:
            self.notify(self.phrases.local_link)

    def show_qr_code(self, text: str) -> None:
        """Show a text as a QR code, if the window is wide enough for it."""
        columns = get_app_session().output.get_size().columns
        if lines := qr_lines(text, columns=columns, colour=self._is_coloured):
            self.show(formatting.ansi(lines))

    def ring(self, *, is_for_me: bool) -> None:
        """Ring the bell, if the user wants it for such an event.

        Args:
            is_for_me: whether the event is meant for the user.
        """
        if self.bell is Bell.ALL or (self.bell is Bell.ON and is_for_me):
            self._output.ring()
