"""Rooms that the operator has archived, renamed or deleted, in the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, log_of, say, wait_for, wait_for_text
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
        another = visit_as("Boris", house.page + f"#{room}")
        expect(another.locator("#hint")).to_contain_text("This room is archived")
        expect(another.locator(".system")).to_have_count(0)
        another = visit_as("Clara", house.page)
        expect(another.locator(f"li[data-room='{room}']")).to_contain_text("archived")
        operator.do("unarchive", room=room)
        expect(page.locator("#hint")).not_to_contain_text("This room is archived")
    say(page, "and again")
    wait_for_text(page, "and again")


@pytest.mark.parametrize("act", ["delete", "rename"])
def test_whoever_is_in_a_room_that_ends_sees_why_and_goes_on_in_another(
    house: RunningServer, room: str, visit_as: Visit, act: str
) -> None:
    page = visit_as("Anna", house.page)
    page.goto(house.page + f"#{room}")
    wait_for(page, "name => document.title.includes(name)", room)
    say(page, "the last word")
    wait_for_text(page, "the last word")
    with Operator(house) as operator:
        operator.do(act, room=room, to=f"{room}-2" if act == "rename" else "")
    why = "deleted" if act == "delete" else f"called {room}-2"
    expect(page.get_by_text(f"The room {room} is gone")).to_contain_text(why)
    expect(page.locator(f"li[data-room='{room}']")).to_have_count(0)
    # It does not come back by itself.
    page.reload()
    expect(page.locator("li[data-room='main']")).to_be_visible()
    assert not log_of(house, room).exists()
