"""Numbers of things in English sentences: ``1 message``, ``12,431 messages``. Pure."""

from __future__ import annotations


def count_of(number: int, noun: str) -> str:
    """A number, and the noun in the form that goes with it.

    Args:
        number: how many.
        noun: in the singular; its plural has an ``s``.
    """
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"
