"""The doors' deadlines for clients. One sweep checks all of them; there are no timers."""

from __future__ import annotations

from typing import Final

SWEEP_SECONDS: Final = 1.0
"""The time in which the sweep checks each connection once."""

SWEEP_SLICES: Final = 10
"""Parts of a sweep, so that ten thousand connections do not block the loop at once."""

REQUEST_SECONDS: Final = 8.0
"""A request, also a WebSocket handshake, must be complete by then; with the sweep, an incomplete one is gone after ten."""

PING_SECONDS: Final = 25.0
"""Often enough for home routers and proxies, which forget a silent connection after 30 seconds at the earliest."""

SILENT_SECONDS: Final = 60.0
"""Two pings are unanswered: the other side is gone."""

STUCK_SECONDS: Final = 30.0
"""A full socket from which nothing is read for this long is closed; a client that is alive comes back with its cursor."""

FLOOD_SECONDS: Final = 30.0
"""A client that exceeds its rate for this long is disconnected."""

CLOSE_SECONDS: Final = 2.0
"""The time in which the other side must answer a close; the server itself must end within 5."""
