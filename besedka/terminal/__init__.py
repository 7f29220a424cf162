"""The terminal client: `app` is ``besedka chat``, `session` runs one session.

`commands` has the table of commands, `actions` what each of them does; `room_view` is a room as the user sees it; `ui` shows it, and reads
what is typed; `storage` keeps what outlives the session.
"""
