"""The implementations of the commands: one for each row of the table in `besedka.terminal.commands`, by name.

Each module has the commands on one subject. ``/me`` has none: it is text to post.
"""

from collections.abc import Mapping
from typing import Final

from besedka.terminal.actions import (
    direct_messages,
    history,
    identity,
    ignoring,
    invitations,
    moderation,
    rooms,
    terminal,
    waiting,
)
from besedka.terminal.session import Action

ACTIONS: Final[Mapping[str, Action]] = {
    **terminal.ACTIONS,
    **rooms.ACTIONS,
    **history.ACTIONS,
    **direct_messages.ACTIONS,
    **ignoring.ACTIONS,
    **invitations.ACTIONS,
    **identity.ACTIONS,
    **moderation.ACTIONS,
    **waiting.ACTIONS,
}

__all__ = ["ACTIONS"]
