"""The pages of the list of rooms that a client accepts."""

from __future__ import annotations

import pytest

from besedka.remote.room_pages import ROOM_PAGES_AT_MOST, RoomPages
from besedka.wire.frames import Kind, RoomEntry, Rooms


def page(*names: str) -> Rooms:
    """A page; the names of direct rooms begin with ``direct-``."""
    kinds = [Kind.DIRECT if name.startswith("direct-") else Kind.OPEN for name in names]
    return Rooms([RoomEntry(name, 1, kind) for name, kind in zip(names, kinds, strict=True)])


def check(*received: Rooms) -> None:
    pages = RoomPages()
    for one in received:
        pages.check(one)


def test_own_rooms_come_first_and_both_parts_are_in_the_order_of_their_names() -> None:
    check(page("direct-a", "direct-b"), page("direct-c", "a"), page(), page("b", "main", "é"))


@pytest.mark.parametrize(
    "received",
    [
        [page("a"), page("b"), page("a")],
        [page("a"), page("a")],
        [page("a", "a")],
        [page("b", "a")],
        [page("direct-a"), page("a"), page("direct-b")],
        [page("direct-", "direct-")],
    ],
)
def test_rooms_that_do_not_go_on_by_name_are_refused(received: list[Rooms]) -> None:
    with pytest.raises(ValueError, match="not in its order"):
        check(*received)


def test_a_list_comes_to_an_end_even_if_nothing_is_on_its_pages() -> None:
    check(*[page()] * ROOM_PAGES_AT_MOST)
    with pytest.raises(ValueError, match="more than 200 pages"):
        check(*[page()] * (ROOM_PAGES_AT_MOST + 1))
