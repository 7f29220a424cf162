"""A client's view of one room: its cursor, its outbox, its events."""
