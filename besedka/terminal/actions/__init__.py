"""The implementations of the commands: one for each row of the table in `besedka.terminal.commands`, by name.

`rooms` has joining, leaving and reading, `people` names, members and devices, `moderation` the commands of moderators, and `client` the
commands on the terminal client itself. ``/me`` has none: it is text to post.
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
