"""Rooms that the operator has archived, in the page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit, say, wait_for_text
from tests.ordering import Operator
from tests.running import RunningServer


def test_whoever_is_in_a_room_that_is_archived_sees_it_and_reads_on(
    house: RunningServer, room: str, visit_as: Visit
) -> None:
    page = visit_as("Anna", house.page + f"#{room}")
    say(page, "the last word")
    wait_for_text(page, "the last word")
    with Operator(house) as operator:
        operator.do("archive", room=room)
        expect(page.locator("#hint")).to_contain_text("This room is archived")
        say(page, "one more")
        expect(page.locator(".message.failed")).to_contain_text("one more")
        assert page.url.endswith(f"#{room}")
        another = visit_as("Boris", house.page)
        expect(another.locator(f"li[data-room='{room}']")).to_contain_text("archived")
        operator.do("unarchive", room=room)
    say(page, "and again")
    wait_for_text(page, "and again")
