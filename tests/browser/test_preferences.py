"""Preferences: what a user chooses for one device applies at once, and stays."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Borrow, Visit, come_back, say, wait_for_text
from tests.conftest import ServerMaker
from tests.running import RunningServer


def panel(page: Page) -> Locator:
    """The panel, opened."""
    page.get_by_role("button", name="Preferences").click()
    return page.get_by_role("dialog", name="Preferences")


def background(page: Page) -> str:
    color: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return color


def test_the_theme_and_the_text_size_apply_at_once_and_stay(borrow: Borrow) -> None:
    page = borrow("Nina")
    page.emulate_media(color_scheme="light")
    light = background(page)
    dialog = panel(page)
    dialog.get_by_label("Theme").select_option("Dark")
    dark = background(page)
    assert dark != light
    size = "parseFloat(getComputedStyle(document.getElementById('say-text')).fontSize)"
    before = page.evaluate(size)
    dialog.get_by_label("Text size").select_option("130 %")
    assert round(page.evaluate(size) / before, 2) == 1.3
    page.reload()
    come_back(page, "Nina")
    assert background(page) == dark
    assert round(page.evaluate(size) / before, 2) == 1.3
    dialog = panel(page)
    expect(dialog.get_by_label("Theme")).to_have_value("dark")
    # A dark page on a light system, and the other way round, have names that can be read.
    assert (
        page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--name-light')") == ".78"
    )
    dialog.get_by_label("Theme").select_option("Same as system")
    dialog.get_by_label("Text size").select_option("100 %")
    assert background(page) == light
    assert page.evaluate("localStorage['besedka.preferences']") is None
    page.keyboard.press("Escape")


def test_the_language_and_the_clock_are_those_chosen(make_server: ServerMaker, visit_as: Visit) -> None:
    server = make_server("--lang", "en")
    server.history.write_text("[2025-01-01 17:30:00] Old: in the afternoon\n", encoding="utf-8")
    page = visit_as("Anna", server.start().page, locale="ru-RU")
    expect(page.locator(".message time")).to_have_text("17:30")
    page.get_by_role("button", name="Настройки").click()
    page.get_by_role("dialog", name="Настройки").get_by_label("Язык").select_option("English")
    # The page starts anew, and one is in.
    expect(page.locator("#say-text")).to_have_attribute("placeholder", "Write a message …")
    come_back(page, "Anna")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    dialog = panel(page)
    dialog.get_by_label("Time format").select_option("12-hour, 5:30 PM")
    expect(page.locator(".message time")).to_have_text("5:30 PM")


def test_a_clock_that_is_usual_in_the_users_language_is_the_default(
    house: RunningServer, room: str, visit_as: Visit
) -> None:
    page = visit_as("Anna", house.page + f"#{room}", locale="en-US")
    say(page, "now")
    wait_for_text(page, "now")
    expect(page.locator(".message time")).to_contain_text("M")


def test_enter_breaks_the_line_where_control_enter_sends(borrow: Borrow) -> None:
    page = borrow("Nina")
    page.fill("#say-text", "both send")
    page.press("#say-text", "Control+Enter")
    wait_for_text(page, "both send")
    panel(page).get_by_label("Send with").select_option("Ctrl + Enter")
    page.keyboard.press("Escape")
    page.locator("#say-text").focus()
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    page.keyboard.type("lines")
    expect(page.locator("#say-text")).to_have_value("two\nlines")
    page.keyboard.press("Control+Enter")
    wait_for_text(page, "two\nlines")
    panel(page).get_by_label("Send with").select_option("Enter")
    page.keyboard.press("Escape")
