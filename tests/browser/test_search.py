"""Looking for words in the whole log of a room."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Borrow, Visit, log_of, say, wait_for_text
from tests.conftest import ServerMaker
from tests.running import RunningServer


def test_a_hit_is_found_and_shown_in_its_context(house: RunningServer, room: str, borrow: Borrow) -> None:
    lines = [f"[2025-01-01 10:00:00] Boris: message {number}\n" for number in range(1, 5001)]
    lines[1233] = "[2025-01-01 10:00:00] Анна: иголка в стоге сена, то есть **ИГОЛКА**\n"
    log_of(house, room).write_text("".join(lines), encoding="utf-8")
    page = borrow("Nina", viewport={"width": 1100, "height": 700})
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
    box.fill("")
    page.keyboard.press("Escape")
    expect(page.locator(".search")).to_be_hidden()
    expect(page.get_by_role("button", name="Search")).to_be_focused()


def test_on_a_phone_the_search_panel_gives_way_to_the_hit(
    house: RunningServer, room: str, borrow: Borrow
) -> None:
    lines = [f"[2025-01-01 10:00:00] Boris: message {number}\n" for number in range(1, 201)]
    log_of(house, room).write_text("".join(lines), encoding="utf-8")
    page = borrow("Nina", viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    page.tap("[data-open=search]")
    page.fill(".search input[type=search]", "message 77")
    page.tap(".search li button")
    expect(page.locator(".search")).to_be_hidden()
    expect(page.locator(".target")).to_have_attribute("data-id", "77")
    expect(page.locator(".target")).to_be_in_viewport()
    page.tap("[data-open=search]")
    page.fill(".search input[type=search]", "")
    page.keyboard.press("Escape")


def test_a_search_without_a_connection_says_so_and_is_done_when_there_is_one(
    server: RunningServer, visit_as: Visit
) -> None:
    page = visit_as("Anna", server.page)
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


def test_a_day_is_gone_to_and_messages_are_found_by_author_and_day_in_all_rooms(
    make_server: ServerMaker, tmp_path: Path, visit_as: Visit
) -> None:
    def log(room: str, *, messages_a_day: int) -> None:
        lines = [
            f"[2025-01-{day:02} 10:00:00] {'Boris' if number % 2 else 'Анна'}: {room} {day} {number}\n"
            for day in range(1, 31)
            for number in range(messages_a_day)
        ]
        name = "chat_history.txt" if room == "main" else f"chat_history.{room}.txt"
        (tmp_path / name).write_text("".join(lines), encoding="utf-8")

    log("main", messages_a_day=30)
    log("dev", messages_a_day=2)
    page = visit_as(
        "Clara",
        make_server("--lang", "en").start().page,
        viewport={"width": 1100, "height": 700},
        timezone_id="Europe/Moscow",
    )
    say(page, "/goto 2025-01-12")
    expect(page.locator(".target .text")).to_have_text("main 12 0")
    expect(page.locator(".target")).to_be_in_viewport()
    # The rows before it are there for those who scroll up, as after any jump.
    expect(page.locator(".message .text", has_text="main 11 29")).to_be_attached()

    say(page, "/goto 2031-01-01")
    expect(page.locator("#hint")).to_have_text("Nothing was said on 2031-01-01 or later.")
    page.click("#newer")

    page.get_by_role("button", name="Search").click()
    page.get_by_label("Go to a day").fill("2025-01-03")
    expect(page.locator(".target .text")).to_have_text("main 3 0")

    say(page, "/join dev")
    wait_for_text(page, "dev 30 1")
    page.get_by_role("button", name="Search").click()
    page.get_by_label("In all my rooms").check()
    page.get_by_role("searchbox").fill("от:анна since:2025-01-10 until:2025-01-10")
    hits = page.locator(".search li")
    expect(page.locator(".search [role=status]")).to_have_text("16 messages")
    assert {text.split("2025")[0] for text in hits.all_inner_texts()} == {"Анна# main ", "Анна# dev "}
    hits.filter(has_text="main 10 28").get_by_role("button").click()
    expect(page.locator("#room")).to_have_text("# main")
    expect(page.locator(".target .text")).to_have_text("main 10 28")
    expect(hits).to_have_count(16)
    page.get_by_role("searchbox").fill("since:tomorrow")
    expect(page.locator(".search [role=status]")).to_have_text("tomorrow: a day is written as 2026-11-30.")
