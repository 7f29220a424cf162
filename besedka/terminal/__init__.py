"""The terminal client: `app` is ``besedka chat``, `session` runs one session, `commands` has the table of commands."""
