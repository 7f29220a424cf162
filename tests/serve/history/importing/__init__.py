"""Files to be imported."""
