"""Besedka: a chat that one command starts, and whose history is a file you can read with ``cat``."""

__version__ = "0.1.0"
