"""Returning: known users are logged in at once and read on, also after their first visit.

`make test` proves it where names are by invitation only, where the server asks for the most; `make torture` under all rules for names.
"""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Borrow, Visit, come_back, come_in, say, texts, wait_for_text
from tests.lengths import LONG
from tests.running import RunningServer
from tests.talking import WireClient


def test_a_known_user_is_in_at_once_until_they_leave(server: RunningServer, visit: Visit) -> None:
    page = visit(server.page)
    come_in(page, "Anna")
    say(page, "here I am")
    wait_for_text(page, "here I am")
    for names in ("claimed", "open", "invited") if LONG else ("invited",):
        server.stop()
        server.environment["BESEDKA_NAMES"] = names
        server.start()
        page.reload()
        come_back(page, "Anna")
        tab = page.context.new_page()
        tab.goto(f"{server.page}#main/1")
        come_back(tab, "Anna")
        wait_for_old(tab, "here I am")
        expect(tab.locator("#newer")).to_be_hidden()
        tab.close()

        page.get_by_role("button", name="Leave", exact=True).click()
        expect(page.locator("#login-name")).to_be_focused()
        page.reload()
        page.wait_for_selector("html[data-scene=login]")
        come_in(page, "Anna")
        page.reload()
        come_back(page, "Anna")


def test_a_name_that_somebody_else_has_meanwhile_leads_to_the_login(
    server: RunningServer, visit: Visit
) -> None:
    page = visit(server.page)
    come_in(page, "Anna")
    page.goto("about:blank")
    page.add_init_script("localStorage['besedka.secret'] &&= 'f'.repeat(64)")
    page.goto(server.page)
    page.wait_for_selector("html[data-scene=login]")
    expect(page.locator("#login-problem")).to_contain_text("belongs to somebody else")
    expect(page.locator("#login-name")).to_have_value("Anna")


def test_a_link_into_this_chat_opens_in_place(house: RunningServer, room: str, borrow: Borrow) -> None:
    page = borrow("Nina")
    for text in (
        f"see {house.page}#{room}-b",
        f"or {house.page}",
        f"not {house.page}#main;device=x",
        "https://example.org/#dev",
    ):
        say(page, text)
    wait_for_text(page, "example.org")
    links = page.locator(".message a")
    assert links.evaluate_all("all => all.map(one => one.target)") == ["", "", "_blank", "_blank"]
    links.first.click()
    expect(page.locator("#room")).to_have_text(f"# {room}-b")
    page.locator(f"#rooms [data-room='{room}'] a").click()
    page.evaluate("window.isSamePage = true")
    page.locator(f"#rooms [data-room='{room}-b'] a").click()
    page.go_back()
    links.nth(1).click()
    expect(page.locator("#room")).to_have_text("# main")
    assert page.evaluate("window.isSamePage")
    assert len(page.context.pages) == 1
    page.evaluate("delete window.isSamePage")


def test_what_comes_after_the_first_visit_is_unread_at_the_second(
    server: RunningServer, visit: Visit
) -> None:
    page = visit(server.page + "#dev")
    context = page.context
    with WireClient(server) as boris:
        boris.join("Boris", "dev")
        boris.send_frame("chat", room="dev", text="before")
        boris.receive("chat")
        come_in(page, "Anna")
        wait_for_old(page, "before")
        page.close()
        for number in range(3):
            boris.send_frame("chat", room="dev", text=f"missed {number}")
        again = context.new_page()
        again.goto(server.page)
        come_back(again, "Anna")
        # The room is one of hers, and tells how many are new.
        badge = again.locator("#rooms [data-room=dev] .count")
        expect(badge).to_have_text("3")
        again.click("#rooms [data-room=dev] a")
        expect(again.locator(".fresh + .message .text")).to_have_text("missed 0")
        assert texts(again) == ["before", *(f"missed {number}" for number in range(3))]


def wait_for_old(page: Page, text: str) -> None:
    page.locator(".message.old .text", has_text=text).wait_for()
