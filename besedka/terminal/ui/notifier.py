"""What one at a terminal is told: messages, remarks, what is wrong, and the bell."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from prompt_toolkit.application import get_app_session

from besedka.qr import qr_lines
from besedka.remote.errors import RemoteError
from besedka.remote.events import Heard
from besedka.terminal.room_view import RoomView
from besedka.terminal.ui import formatting
from besedka.terminal.ui.output import Paper
from besedka.terminal.ui.phrases import Phrases
from besedka.wire.errors import Refused


class Bell(Enum):
    """When to ring."""

    OFF = "off"
    ON = "on"
    ALL = "all"


class Telling:
    """Tells it.

    Args:
        paper: what is printed on.
        words: the language.
        bell: when to ring.
        is_coloured: whether the terminal shows colours.

    Attributes:
        words: as it was given.
        bell: as it is now.
    """

    def __init__(self, paper: Paper, words: Phrases, bell: Bell, *, is_coloured: bool) -> None:
        self.words = words
        self.bell = bell
        self._paper = paper
        self._is_coloured = is_coloured

    def put(self, line: formatting.Fragments) -> None:
        """Tell a line as it is."""
        self._paper.put(line)

    def show(self, place: RoomView, messages: Sequence[Heard]) -> None:
        """Show messages of a room, behind those that were shown."""
        for heard in messages:
            if heard.stamp[:10] != place.day:
                place.day = heard.stamp[:10]
                self.put(formatting.rule(place.day))
            place.shown(heard)
            self.put(formatting.message(heard, place.me, is_numbered=place.may_moderate))

    def remark(self, text: str) -> None:
        """Say something quietly."""
        self.put(formatting.remark(text))

    def problem(self, text: str) -> None:
        """Say that something is wrong."""
        self.put(formatting.remark(text, problem=True))

    def refuse(self, refusal: Refused) -> None:
        """Say what cannot be, before anybody was asked."""
        self.problem(self.words.refusals.get(refusal.code, refusal.sentence(self.words.language)))

    def refused(self, error: RemoteError) -> None:
        """Say what did not work, in our language, or else in the server's."""
        code = getattr(error, "code", "")
        self.problem(self.words.refusals.get(code, str(error)))

    def draw_code(self, text: str) -> None:
        """Draw a text as a code for a camera, if the window is wide enough."""
        columns = get_app_session().output.get_size().columns
        if lines := qr_lines(text, columns=columns, colour=self._is_coloured):
            self.put(formatting.picture(lines))

    def ring(self, *, is_called: bool) -> None:
        """Ring, if one wants it.

        Args:
            is_called: whether what has happened is meant for oneself.
        """
        if self.bell is Bell.ALL or (self.bell is Bell.ON and is_called):
            self._paper.ring()
