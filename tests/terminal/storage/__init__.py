"""Tests of what the terminal keeps on disk."""
