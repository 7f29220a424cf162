"""Every way a connection ends: its code (RFC 6455, section 7.4), its reason, and whether the client comes back.

Codes from 4000 on are ours. Clients follow `come_back`, not the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Closing:
    """One way to end.

    Attributes:
        code: the WebSocket close code.
        reason: a sentence for people, at most 123 bytes (RFC 6455, section 5.5).
        come_back: whether the client should connect again, with its cursor.
    """

    code: int
    reason: str
    come_back: bool


class Ending(Enum):
    """The table of all endings that the server begins."""

    LEFT = Closing(1000, "goodbye", come_back=False)
    PROTOCOL_ERROR = Closing(1002, "the WebSocket protocol was broken", come_back=False)
    NOT_TEXT = Closing(1007, "a text frame did not hold UTF-8", come_back=False)
    FLOOD = Closing(1008, "far too much was sent, come back slowly", come_back=True)
    FRAME_TOO_LONG = Closing(1009, "the frame is too long", come_back=False)
    BROKEN = Closing(1011, "the server has made an error", come_back=True)
    RESTARTING = Closing(1012, "the server restarts, come back", come_back=True)
    SILENT = Closing(4000, "no answer to a ping, come back", come_back=True)
    STUCK = Closing(4001, "nothing was read for too long, come back with since", come_back=True)
    NO_ACCESS = Closing(4003, "an access key is needed", come_back=False)
    KICKED = Closing(4004, "you were shown out", come_back=False)
    BANNED = Closing(4005, "you are banned", come_back=False)
    UNKNOWN = Closing(4006, "only people who are known come in", come_back=False)


NEVER_COME_BACK = frozenset(ending.value.code for ending in Ending if not ending.value.come_back)
"""The codes after which a client stays away. After any other, or none, it comes back."""
