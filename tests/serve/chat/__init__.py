"""The chat in its loop."""
