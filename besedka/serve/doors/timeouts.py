"""How long the doors wait for those who come to them. All deadlines are looked after by one sweep, not by timers."""

from __future__ import annotations

from typing import Final

SWEEP_SECONDS: Final = 1.0
"""Each connection is looked at so often."""

SWEEP_SLICES: Final = 10
"""In so many parts, so that ten thousand connections do not hold up the loop at once."""

REQUEST_SECONDS: Final = 8.0
"""A request, the handshake of a WebSocket among them, must have come in whole; with the sweep, all that have not are gone after ten."""

PING_SECONDS: Final = 25.0
"""Often enough for home routers and proxies, which forget a silent connection after 30 seconds at the earliest."""

SILENT_SECONDS: Final = 60.0
"""Two pings unanswered: the other side is gone."""

STUCK_SECONDS: Final = 30.0
"""A full socket of which nothing was read in this time: its reader will come back with his cursor, if he lives."""

FLOOD_SECONDS: Final = 30.0
"""One who has sent so much that it could not be taken in this time is sent away."""

CLOSE_SECONDS: Final = 2.0
"""How long the other side may take to answer a close; the server itself must end within 5."""
