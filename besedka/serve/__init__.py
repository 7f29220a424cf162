"""The server: the history, the rooms that are told from it, and the doors through which people come."""
