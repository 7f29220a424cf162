"""Take the pictures in ``screenshots/`` that the README shows: ``make screenshots``.

A server is started in an empty directory and people really talk; nothing is drawn by hand.
"""

from __future__ import annotations

import html
import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import QUIET, come_in, say, wait_for_text  # noqa: E402 - found through the line above
from tests.running import RunningServer  # noqa: E402

PICTURES = ROOT / "screenshots"
TALK = (
    ("Anna", "Good morning! Is the projector in room 12 free at ten?"),
    ("Boris", "It is. I have put the cable on the table."),
    ("Anna", "Wonderful, thank you.\nThen we start at ten:\n  1. results of the lab\n  2. questions"),
    ("Boris", "I'll bring the coffee ☕"),
)
EARLIER = (
    ("Anna", "Who has the key to the lab?"),
    ("Boris", "It hangs beside the door."),
    ("Clara", "I took it, back in five minutes!"),
    ("Anna", "No hurry :)"),
    ("Clara", "Здесь можно и по-русски, кстати."),
    ("Boris", "И все строки остаются в файле, который можно прочесть."),
)


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["BESEDKA_TEST_BROWSER"], args=QUIET)
        server = RunningServer(Path(directory), "--utc").start()
        try:
            talk(server, browser)
        finally:
            browser.close()
            server.close()


def talk(server: RunningServer, browser: Browser) -> None:
    """Let people talk, and take pictures meanwhile."""
    login = visit(server, browser)
    picture(login, "login")
    clara = visit(server, browser)
    people = {"Clara": clara, "Anna": visit(server, browser), "Boris": visit(server, browser)}
    for name, page in people.items():
        come_in(page, name)
    for name, text in EARLIER:
        say(people[name], text)
        wait_for_text(people["Anna"], text.split("\n")[0])
    clara.context.close()
    for name, text in TALK:
        say(people[name], text)
        wait_for_text(people["Anna"], text.split("\n")[0])
    people["Boris"].locator("#say-text").press_sequentially("And ")
    people["Anna"].locator("#hint", has_text="Boris").wait_for()
    picture(people["Anna"], "1-two-people-talking")

    newcomer = visit(server, browser)
    come_in(newcomer, "Dmitri")
    say(newcomer, "Hello! I see what was said before I came.")
    wait_for_text(newcomer, "I see what was said")
    picture(newcomer, "2-a-newcomer-with-history")

    phone = visit(
        server, browser, width=390, height=760, locale="ru-RU", color_scheme="dark", device_scale_factor=2
    )
    come_in(phone, "Ева")
    say(phone, "А я с телефона.")
    wait_for_text(phone, "А я с телефона.")
    picture(phone, "4-on-a-phone-in-the-dark")

    picture(as_terminal(server, browser), "3-the-file-on-the-server")


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
    page.goto(server.page)
    page.locator("#login-name").wait_for()
    return page


def as_terminal(server: RunningServer, browser: Browser) -> Page:
    """The history file, as ``cat`` prints it in a terminal."""
    text = html.escape(server.history.read_text(encoding="utf-8"))
    page = browser.new_page(viewport={"width": 860, "height": 420})
    page.set_content(
        "<body style='margin:0;background:#1d211f;color:#dfe5dc;font:15px/1.5 monospace;padding:20px 24px'>"
        f"<pre style='margin:0;tab-size:8'><b style='color:#7cc4a0'>$</b> cat chat_history.txt\n{text}"
        "<b style='color:#7cc4a0'>$</b> ▌</pre>"
    )
    return page


def picture(page: Page, name: str) -> None:
    """Take one picture, when all movement has ended."""
    page.wait_for_timeout(600)
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"screenshots/{name}.png")


if __name__ == "__main__":
    main()
