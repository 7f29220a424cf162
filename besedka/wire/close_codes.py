"""Every way a connection ends: its code (RFC 6455, section 7.4), its reason, and whether the client reconnects.

Codes from 4000 on are Besedka's. Clients follow `reconnect`, not the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Close:
    """A close code, its reason, and its retry rule.

    Attributes:
        code: the WebSocket close code.
        reason: a sentence for people, at most 123 bytes (RFC 6455, section 5.5).
        reconnect: whether the client should connect again, with its cursor.
    """

    code: int
    reason: str
    reconnect: bool


class CloseCode(Enum):
    """The table of all closes that the server starts."""

    LEFT = Close(1000, "goodbye", reconnect=False)
    PROTOCOL_ERROR = Close(1002, "the WebSocket protocol was broken", reconnect=False)
    NOT_TEXT = Close(1007, "a text frame did not hold UTF-8", reconnect=False)
    FLOOD = Close(1008, "far too much was sent, come back slowly", reconnect=True)
    FRAME_TOO_LONG = Close(1009, "the frame is too long", reconnect=False)
    BROKEN = Close(1011, "the server has made an error", reconnect=True)
    RESTARTING = Close(1012, "the server restarts, come back", reconnect=True)
    OUT_OF_REACH = Close(1013, "this server cannot reach the others, come back with since", reconnect=True)
    SILENT = Close(4000, "no answer to a ping, come back", reconnect=True)
    STUCK = Close(4001, "nothing was read for too long, come back with since", reconnect=True)
    NO_ACCESS = Close(4003, "an access key is needed", reconnect=False)
    KICKED = Close(4004, "you were disconnected by a moderator", reconnect=False)
    BANNED = Close(4005, "you are banned", reconnect=False)
    UNKNOWN = Close(4006, "only known people may join", reconnect=False)


NO_RECONNECT_CODES = frozenset(close.value.code for close in CloseCode if not close.value.reconnect)
"""After these codes a client does not reconnect. After any other, or none, it does."""
