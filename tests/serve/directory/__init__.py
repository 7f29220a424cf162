"""The files about people."""
