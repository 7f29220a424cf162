"""The order of all messages."""
