"""People: the pure parts."""
