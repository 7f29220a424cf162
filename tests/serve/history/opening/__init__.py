"""Opening a log."""
