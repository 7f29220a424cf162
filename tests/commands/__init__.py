"""Tests of the pure parts of commands."""
