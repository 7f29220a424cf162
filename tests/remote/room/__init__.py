"""The state of one room, without a connection."""
