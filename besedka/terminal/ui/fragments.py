"""Styled text, as prompt_toolkit takes it."""

Fragments = list[tuple[str, str]]
"""Pairs of a style and a text."""
