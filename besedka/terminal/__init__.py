"""The terminal client: `app` is `besedka chat`, `session` a session from joining to leaving, `commands` the table of commands."""
