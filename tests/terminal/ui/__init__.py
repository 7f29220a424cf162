"""Tests of what a person sees and types into."""
