"""The language of the wire."""
