"""Looking for words in the whole log of a room."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit, come_in, say, wait_for_text
from tests.conftest import ServerMaker
from tests.running import RunningServer


def test_a_hit_is_found_and_shown_in_its_context(
    make_server: ServerMaker, tmp_path: Path, visit: Visit
) -> None:
    lines = [f"[2025-01-01 10:00:00] Boris: message {number}\n" for number in range(1, 5001)]
    lines[1233] = "[2025-01-01 10:00:00] Анна: иголка в стоге сена, то есть **ИГОЛКА**\n"
    (tmp_path / "chat_history.txt").write_text("".join(lines), encoding="utf-8")
    page = visit(make_server("--lang", "en").start().page, viewport={"width": 1100, "height": 700})
    come_in(page, "Clara")
    page.get_by_role("button", name="Search").click()
    box = page.get_by_role("searchbox", name="Words in this room")
    expect(box).to_be_focused()
    page.keyboard.type("Иголка")
    hit = page.locator(".search li")
    expect(hit).to_have_count(1)
    expect(hit).to_contain_text("Анна2025-01-01 10:00")
    expect(hit.locator("mark")).to_have_text("иголка")
    expect(page.locator(".search [role=status]")).to_have_text("1 message")
    hit.get_by_role("button").click()
    expect(page.locator(".target")).to_have_attribute("data-id", "1234")
    expect(page.locator(".target")).to_be_in_viewport()
    expect(page.locator("[data-id='1220']")).to_be_attached()
    expect(page.locator("[data-id='1250']")).to_be_attached()
    page.locator("#newer").click()
    wait_for_text(page, "message 5000")

    # The newest come first, and the others when one asks.
    box.fill("message")
    expect(hit).to_have_count(20)
    expect(hit.first).to_contain_text("message 5000")
    # So many were looked at, and there are more.
    expect(page.locator(".search [role=status]")).to_have_text("20+ messages")
    page.get_by_role("button", name="Earlier ones").click()
    expect(hit).to_have_count(40)
    expect(hit.last).to_contain_text("message 4961")
    box.fill("nobody said this")
    expect(page.locator(".search [role=status]")).to_have_text("Nothing found.")
    page.keyboard.press("Escape")
    expect(page.locator(".search")).to_be_hidden()
    expect(page.get_by_role("button", name="Search")).to_be_focused()


def test_on_a_phone_the_search_panel_gives_way_to_the_hit(
    make_server: ServerMaker, tmp_path: Path, visit: Visit
) -> None:
    lines = [f"[2025-01-01 10:00:00] Boris: message {number}\n" for number in range(1, 201)]
    (tmp_path / "chat_history.txt").write_text("".join(lines), encoding="utf-8")
    page = visit(
        make_server("--lang", "en").start().page,
        viewport={"width": 360, "height": 640},
        has_touch=True,
        is_mobile=True,
    )
    come_in(page, "Clara")
    page.tap("[data-open=search]")
    page.fill(".search input", "message 77")
    page.tap(".search li button")
    expect(page.locator(".search")).to_be_hidden()
    expect(page.locator(".target")).to_have_attribute("data-id", "77")
    expect(page.locator(".target")).to_be_in_viewport()


def test_a_search_without_a_connection_says_so_and_is_done_when_there_is_one(
    server: RunningServer, visit: Visit
) -> None:
    page = visit(server.page)
    come_in(page, "Anna")
    say(page, "a needle")
    wait_for_text(page, "a needle")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("searchbox", name="Words in this room")).to_be_focused()
    server.stop()
    expect(page.locator("#chat[data-away]")).to_be_attached()
    page.keyboard.type("needle")
    status = page.locator(".search [role=status]")
    expect(status).to_have_text("No connection: searching needs the server.")
    server.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(status).to_have_text("1 message")
    expect(page.locator(".search mark")).to_have_text("needle")
