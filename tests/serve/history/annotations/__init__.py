"""The entries of a log that are about messages of it."""
