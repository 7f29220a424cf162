"""Tests of a session: its rooms, and what a server makes of them."""
