"""A session at a terminal: its life cycle, its rooms, what happens in them, and what the user types.

`session` puts the parts together, from the first join to the last leave; `typed_lines` posts text and runs commands; `rooms` joins, switches
and leaves; `event_handler` shows what happens in the rooms; `direct_room_watcher` notices direct messages in rooms that are not joined;
`device_link` makes the user of a new session the person of an add-a-device link.
"""

from besedka.terminal.session.session import Action, Search, TerminalSession

__all__ = ["Action", "Search", "TerminalSession"]
