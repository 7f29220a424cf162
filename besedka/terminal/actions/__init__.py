"""The actions behind the commands: one for each row of the table in `besedka.terminal.commands`, by name.

`rooms` are actions in and between rooms, `people` those about names, members and devices, `moderation` those of moderators, and
`client` those on the terminal client itself. ``/me`` has no action: it is text to post.
"""

from collections.abc import Mapping
from typing import Final

from besedka.terminal.actions import client, moderation, people, rooms
from besedka.terminal.session import Action

ACTIONS: Final[Mapping[str, Action]] = {
    **client.ACTIONS,
    **rooms.ACTIONS,
    **people.ACTIONS,
    **moderation.ACTIONS,
}

__all__ = ["ACTIONS"]
