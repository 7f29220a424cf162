"""The people who are here now, at any node."""
