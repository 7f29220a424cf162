"""Take the pictures in ``screenshots/`` that the README shows: ``make screenshots``.

A server is started in an empty directory and people really talk; nothing is drawn by hand.
"""

from __future__ import annotations

import html
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import ANOTHER_HOST, QUIET, come_in, say, wait_for_animations, wait_for_text  # noqa: E402 - found through the line above
from tests.running import RunningServer  # noqa: E402

PICTURES = ROOT / "screenshots"
YESTERDAY = (
    ("16:02:10", "Anna", "Who has the key to the lab?"),
    ("16:02:51", "Boris", "It hangs beside the door."),
    ("16:04:12", "Clara", "I took it, back in five minutes!"),
    ("16:04:40", "Anna", "No hurry 🙂"),
    ("16:31:05", "Clara", "Здесь можно и по-русски, кстати."),
    ("16:31:44", "Boris", "И все строки остаются в файле, который можно прочесть."),
)
TALK = (
    ("Anna", "Good morning! Is the projector in room 12 free at ten?"),
    ("Boris", "It is. I have put the cable on the table."),
    ("Boris", "The results are at https://lab.example/ in `summary.txt`:"),
    ("Boris", "```\nrun   samples   error\n 12       4800   0.031\n 13       5200   0.027\n```"),
    (
        "Anna",
        "> 0.027\n**Wonderful**, thank you. Then we start at ten:\n  1. results of the lab\n  2. questions",
    ),
    ("Boris", "/me brings the coffee"),
    ("Boris", "☕🥐"),
)
IN_THE_GARDEN = (
    ("Clara", "The roses have come."),
    ("Clara", "@Anna, do you want the white ones?"),
)


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["BESEDKA_TEST_BROWSER"], args=QUIET)
        day = (datetime.now(UTC) - timedelta(days=1)).date()
        lines = [f"[{day} {time}] {name}: {text}\n" for time, name, text in YESTERDAY]
        (Path(directory) / "chat_history.txt").write_text("".join(lines), encoding="utf-8")
        # At a name of its own, as in an office: on localhost there would be no code for a phone.
        server = RunningServer(Path(directory), "--utc", "--open", "--public-host", ANOTHER_HOST).start()
        try:
            talk(server, browser)
        finally:
            browser.close()
            server.close()


def talk(server: RunningServer, browser: Browser) -> None:
    """Let people talk, and take pictures meanwhile."""
    picture(visit(server, browser), "login")
    people = {name: visit(server, browser) for name in ("Anna", "Boris", "Clara")}
    for name, page in people.items():
        come_in(page, name)
    anna, boris, clara = people.values()
    go(anna, "garden")
    go(clara, "garden")
    go(boris, "workshop")
    go(boris, "main")
    go(anna, "main")
    for name, text in TALK:
        say(people[name], text)
        boris.locator(".message.delivered").last.wait_for()
    for _, text in IN_THE_GARDEN:
        say(clara, text)
        wait_for_text(clara, text)
    boris.locator("#say-text").press_sequentially("And ")
    anna.locator("#hint", has_text="Boris").wait_for()
    picture(anna, "1-two-people-talking")
    rooms(anna)
    search(anna)
    others(server, browser)
    offline(server, anna)


def rooms(page: Page) -> None:
    """The page's views of rooms: the switcher, and a room's details."""
    page.keyboard.press("Control+K")
    page.get_by_role("option").first.wait_for()
    picture(page, "6-another-room")
    page.keyboard.press("Escape")
    page.click("[data-open=about]")
    page.get_by_role("dialog").wait_for()
    picture(page, "7-about-a-room")
    page.keyboard.press("Escape")


def search(page: Page) -> None:
    """Something is found, and shown where it stands."""
    page.set_viewport_size({"width": 1180, "height": 640})
    page.click("[data-open=search]")
    page.fill(".search input", "key")
    page.click(".search li button >> nth=0")
    page.locator(".target").wait_for()
    picture(page, "5-search")
    page.focus(".search input")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 860, "height": 640})
    page.click("#newer")


def others(server: RunningServer, browser: Browser) -> None:
    """A newcomer, by day and by night; a phone; the file."""
    newcomer = visit(server, browser)
    come_in(newcomer, "Dmitri")
    say(newcomer, "Hello! I see what was said before I came.")
    wait_for_text(newcomer, "I see what was said")
    picture(newcomer, "2-a-newcomer-with-history")
    newcomer.emulate_media(color_scheme="dark")
    newcomer.locator(".message", has_text="Wonderful").hover()
    picture(newcomer, "10-in-the-dark")

    phone = visit(
        server,
        browser,
        width=390,
        height=760,
        locale="ru-RU",
        color_scheme="dark",
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
    )
    come_in(phone, "Ева")
    phone.fill("#say-text", "А я с телефона.")
    phone.tap("#say-send")
    wait_for_text(phone, "А я с телефона.")
    picture(phone, "4-on-a-phone-in-the-dark")
    phone.tap("#menu")
    picture(phone, "8-rooms-on-a-phone")

    picture(as_terminal(server, browser), "3-the-file-on-the-server")


def offline(server: RunningServer, page: Page) -> None:
    """The server is gone, and one goes on writing."""
    server.stop()
    say(page, "I write on; this goes out by itself when the server is back.")
    page.locator("#now").wait_for()
    picture(page, "9-offline")


def go(page: Page, room: str) -> None:
    """Go to a room."""
    page.fill("#room-form input", room)
    page.press("#room-form input", "Enter")
    page.locator("#room", has_text=room).wait_for()


def visit(
    server: RunningServer,
    browser: Browser,
    *,
    width: int = 860,
    height: int = 640,
    locale: str = "en-GB",
    **how: object,
) -> Page:
    """A new visitor's page."""
    size = {"width": width, "height": height}
    page = browser.new_context(viewport=size, locale=locale, **how).new_page()  # type: ignore[arg-type]
    page.goto(server.page.replace("localhost", ANOTHER_HOST))
    page.locator("#login-name").wait_for()
    return page


def as_terminal(server: RunningServer, browser: Browser) -> Page:
    """The history file, as ``cat`` prints it in a terminal."""
    text = html.escape(server.history.read_text(encoding="utf-8"))
    page = browser.new_page(viewport={"width": 860, "height": 560})
    page.set_content(
        "<body style='margin:0;background:#1d211f;color:#dfe5dc;font:15px/1.5 monospace;padding:20px 24px'>"
        f"<pre style='margin:0;tab-size:8'><b style='color:#7cc4a0'>$</b> cat chat_history.txt\n{text}"
        "<b style='color:#7cc4a0'>$</b> ▌</pre>"
    )
    return page


def picture(page: Page, name: str) -> None:
    """Take one picture, when all movement has ended."""
    wait_for_animations(page)
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"screenshots/{name}.png")


if __name__ == "__main__":
    main()
