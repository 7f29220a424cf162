"""The residents' pages: each test gets them as after a visit of its own, and must give them back so."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import say, wait_for_frames, wait_for_text
from tests.browser.residents import USUAL, Residents


def test_a_resident_brings_nothing_of_one_room_into_another(residents: Residents, room: str) -> None:
    first = residents.borrow("Nina", room, "reduce", {"width": 700, "height": 500})
    say(first.page, "in the first room")
    wait_for_text(first.page, "in the first room")
    first.page.keyboard.type("half a thought")
    first.page.emulate_media(color_scheme="dark")
    first.page.context.new_page()
    residents.give_back(first)

    second = residents.borrow("Nina", f"{room}-b", "reduce", USUAL)
    page = second.page
    assert second is first
    assert page.context.pages == [page]
    assert page.evaluate("[innerWidth, innerHeight]") == [*USUAL.values()]
    assert page.evaluate("matchMedia('(prefers-color-scheme: light)').matches")
    expect(page.locator("#rooms li")).to_have_text([f"# {room}-b×"])
    expect(page.locator(".message")).to_have_count(0)
    expect(page.locator("#say-text")).to_have_value("")
    expect(page.locator("#say-text")).to_be_focused()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('besedka.draft'))") == []
    residents.give_back(second)


TRACES = {
    "storage": ("localStorage['besedka.sound'] = 'on'", "delete localStorage['besedka.sound']"),
    "variables": ("window.noted = 1", "delete window.noted"),
    "frame": ("document.body.className = 'x'", "document.body.removeAttribute('class')"),
    "open": (
        "document.body.append(Object.assign(document.createElement('dialog'), { open: true }))",
        "document.querySelector('dialog[open]').remove()",
    ),
    "filled": (
        "document.querySelector('#room-form input').value = 'x'",
        "document.querySelector('#room-form input').value = ''",
    ),
}
"""Parts of a page that outlast a room, and how to change them and undo it."""


def test_a_page_that_keeps_a_trace_or_had_an_error_fails_the_test_and_is_not_lent_again(
    residents: Residents, room: str
) -> None:
    resident = residents.borrow("Nina", room, "reduce", USUAL)
    resident.check()
    for part, (act, undo) in TRACES.items():
        resident.page.evaluate(act)
        with pytest.raises(AssertionError, match=f"must undo what outlasts its room.*{part}"):
            resident.check()
        resident.page.evaluate(undo)
        resident.check()
    resident.page.evaluate("() => { setTimeout(() => { throw new Error('of the page'); }); }")
    wait_for_frames(resident.page, 2)
    with pytest.raises(AssertionError, match="of the page"):
        residents.give_back(resident)
    assert resident.page.is_closed()
    other = residents.borrow("Nina", room, "reduce", USUAL)
    assert other is not resident
    residents.give_back(other)
