"""What carries words to a chat and back; one kind for each kind of URL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Protocol

from besedka.wire.frames import ClientFrame, ServerFrame

HANDSHAKE_SECONDS: Final = 10.0
"""How long a server may take to answer at first."""


class Carrier(Protocol):
    """An open connection. All of it raises `CarrierEnded` when it is over."""

    async def send(self, frame: ClientFrame) -> None:
        """Say something; returns when there is room for the next word."""

    def frames(self) -> AsyncIterator[ServerFrame]:
        """What the server tells, until the connection ends."""
