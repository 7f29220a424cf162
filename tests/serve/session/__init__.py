"""The meaning of frames."""
