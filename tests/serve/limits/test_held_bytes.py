"""The share that an address has of the memory for connections."""

from __future__ import annotations

from besedka.serve.limits.held_bytes import HeldBytes


def test_those_who_hold_less_than_others_give_nothing_up() -> None:
    held = HeldBytes(100)
    for now in (60, 40):
        held.change(0, now)
    assert not held.is_too_much(60)
    held.change(0, 1)
    assert held.is_too_much(60)
    assert held.is_too_much(40)
    assert not held.is_too_much(1)


def test_what_has_gone_is_not_counted() -> None:
    held = HeldBytes(100)
    held.change(0, 150)
    assert held.is_too_much(150)
    held.change(150, 0)
    held.change(0, 100)
    assert not held.is_too_much(100)
