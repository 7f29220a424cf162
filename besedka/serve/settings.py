"""What can be set from outside, with its defaults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path

from besedka.wire.refusals import Language


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one server.

    Attributes:
        host: the address to listen on.
        port: its TCP port; 0 takes a free one.
        history: the default room's log; the other rooms' logs stand beside it.
        utc: write times in UTC instead of the machine's own zone.
        language: of the sentences that the server says to people.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    history: Path = Path("chat_history.txt")
    utc: bool = False
    language: Language = Language.RU

    @property
    def zone(self) -> tzinfo | None:
        """The zone of the log's times; None is the machine's own."""
        return UTC if self.utc else None
