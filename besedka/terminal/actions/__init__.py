"""The actions behind the commands."""
