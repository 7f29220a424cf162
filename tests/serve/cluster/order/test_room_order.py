"""The order of a room: what is applied, and behind which entry the next one may be offered."""

from __future__ import annotations

import pytest

from besedka.serve.cluster.order.batches import redaction_of
from besedka.serve.cluster.order.entry import Entry, Head, Target
from besedka.serve.cluster.order.room_order import Received, RoomOrder


def received(sequence: int, first: int = 1) -> Received:
    line = b"[2026-12-02 10:00:00] Anna: hi\n"
    return Received(sequence, Entry(Head(f"t{sequence}", first, 0, "e"), [line]), len(line))


def test_nothing_can_be_offered_before_the_last_entry_is_known() -> None:
    order = RoomOrder()
    assert not order.is_known
    assert not order.found(7, received_to=6)  # it is still to come
    assert not order.is_known
    assert order.found(7, received_to=7)
    assert (order.is_known, order.applied) == (True, 7)


def test_nothing_is_offered_while_an_entry_waits_to_be_applied() -> None:
    order = RoomOrder()
    assert order.found(0, received_to=3)
    first, second = received(4), received(6, first=2)
    order.receive(first)
    order.receive(second)
    assert not order.is_known
    with pytest.raises(ValueError, match="in their order"):
        order.note_applied(second)


def test_the_next_offer_is_made_behind_the_last_entry_that_was_applied() -> None:
    order = RoomOrder()
    entries = [received(4), received(6, first=2)]
    for entry in entries:
        order.receive(entry)
    assert list(order.received) == entries
    for entry in entries:
        order.note_applied(entry)
    assert (order.is_known, order.applied) == (True, 6)
    # An old answer takes nothing back.
    assert order.found(4, received_to=9)
    assert order.applied == 6


def test_entries_are_appended_together_up_to_a_hole_a_redaction_or_an_offer_of_our_own() -> None:
    redaction = redaction_of(Head("r", 3, 0, "e"), [Target(1, 30, 1, 4)])
    for behind in (
        (received(6, first=3), received(6, first=2)),
        (Received(6, redaction, 9), received(7, first=3)),
    ):
        order = RoomOrder()
        entries = [received(4), received(5, first=2), *behind]
        for entry in entries:
            order.receive(entry)
        ends = {entry.sequence for entry in order.run()}
        assert ends == ({4, 5, 6} if behind[0].entry.head.by == "t6" else {4, 5})
        assert order.run("t5") == entries[:1]


def test_an_entry_that_fills_a_hole_leaves_the_place_of_the_next_offer_alone() -> None:
    order = RoomOrder()
    order.found(4, received_to=4)
    behind = received(6, first=2)
    order.receive(behind)
    fixed = received(0)
    order.insert(fixed)
    order.note_applied(fixed)
    assert order.applied == 4
    order.note_applied(behind)
    assert order.applied == 6
