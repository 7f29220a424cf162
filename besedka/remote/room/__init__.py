"""A client's view of one room: its cursor, its outbox, its events; `backlog` bounds whatever waits to be read."""
