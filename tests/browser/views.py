"""A walk through all views of the page, one after the other, in whatever language: what a visitor can see there is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, ViewportSize, expect

from tests import prefork
from tests.browser.conftest import ask_for_older, come_in, say, wait_for_animations, wait_for_text
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient

PHONE: Final = ViewportSize(width=390, height=844)
MESSAGES = 19
BORIS: Final = "the secret of Boris"
"""With it the second connection is the same person's, however soon it begins."""
"""Of the history, in the room where the walk begins."""


def name_of_hue(wanted: int) -> str:
    """A name that the page shows in this one of its twelve hues (chat/view/row.js)."""
    for number in range(1000):
        name = f"Guest {number}"
        total = 7
        for character in name:
            total = (total * 31 + ord(character)) % 65_521
        if total % 12 == wanted:
            return name
    raise AssertionError


NAMES_OF_ALL_HUES = [name_of_hue(hue) for hue in range(12)]


def with_all_kinds_of_messages(make_server: ServerMaker, directory: Path) -> RunningServer:
    """A server with a history of everything that looks like something of its own."""
    lines = [f"[2025-01-01 10:00:00] {name}: hello" for name in NAMES_OF_ALL_HUES]
    lines += [
        "[2025-01-02 10:00:00] Boris: see https://example.org and `code`, **bold**, _italic_",
        "[2025-01-02 10:00:00] Boris: > a quote\n\tanswered",
        "[2025-01-02 10:00:00] Boris: ```\n\ta block of code\n\t```",
        "[2025-01-02 10:00:00] Anna: said by oneself, with `code` and https://example.org",
        "[2025-01-02 10:00:00] Boris: for @Anna",
        "[2025-01-02 10:00:00] Boris: /me waves",
        "[2025-01-02 10:00:00] Boris: " + "\n\t".join(["a long text"] * 30),
    ]
    (directory / "chat_history.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (directory / "chat_history.garden.txt").write_text(lines[0] + "\n", encoding="utf-8")
    return make_server("--lang", "en", "--rate", "0").start()


def everything(page: Page, server: RunningServer) -> None:
    """Have all kinds of messages shown, and a text in the box that is too long."""
    come_in(page, "Anna")
    ask_for_older(page)
    expect(page.locator(".message")).to_have_count(MESSAGES)
    page.evaluate("log.scrollTop = log.scrollHeight")
    with WireClient(server) as boris:
        boris.join("Boris", secret=BORIS)
        boris.send_frame("chat", text="Anna: live, with `code`")
        wait_for_text(page, "live, with")
        say(page, "mine, with `code` and > no quote")
        wait_for_text(page, "mine, with")
        page.fill("#say-text", "x" * 5001)
        expect(page.locator("#hint")).to_contain_text("5001")
    wait_for_animations(page)


def admin(server: RunningServer, *words: str) -> str:
    """Do something as the operator; returns what is printed."""
    done = prefork.run_as_text(["admin", *words], cwd=server.directory, env=server.environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def all_views(page: Page, server: RunningServer) -> Iterator[str]:
    """Show one view after the other, and yield its name.

    Args:
        page: of a new visitor.
        server: started `with_all_kinds_of_messages`; it is stopped and started again on the way.
    """
    page.wait_for_selector("html[data-scene=login]")
    yield "login"
    page.fill("#login-name", "a: b")
    page.press("#login-name", "Enter")
    expect(page.locator("#login-problem")).not_to_be_empty()
    yield "login, a name that is refused"
    everything(page, server)
    yield "chat"
    page.fill("#say-text", "")
    with WireClient(server) as boris:
        boris.join("Boris", secret=BORIS)
        yield from _messages(page)
        yield from _panels(page)
        yield from _rooms(page)
        yield from _moderation(page, server)
        yield from _on_a_phone(page)
        yield from _ends(page, server)


def _messages(page: Page) -> Iterator[str]:
    message = page.locator(".message", has_text="see https://example.org")
    message.hover()
    page.locator(".tools").first.wait_for()
    yield "the tools of a message, for the mouse"
    page.focus("#log")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    yield "the tools of a message, for the keyboard"
    page.keyboard.press("Escape")
    page.evaluate("getSelection().selectAllChildren(document.getElementById('rows'))")
    yield "selected messages"
    page.evaluate("getSelection().removeAllRanges()")
    page.evaluate("location.hash = 'main/14'")
    page.locator(".target").wait_for()
    yield "a message that a link names"
    for typed in (":smi", "/", "@B"):
        page.focus("#say-text")
        page.keyboard.type(typed)
        page.locator(".composer [role=option]").first.wait_for()
        yield f"completion of {typed}"
        page.keyboard.press("Escape")
        page.fill("#say-text", "")


def _panels(page: Page) -> Iterator[str]:
    page.click("[data-open=search]")
    page.fill(".search input", "hello")
    expect(page.locator(".search li")).to_have_count(12)
    yield "search"
    page.fill(".search input", "nobody said this")
    expect(page.locator(".search li")).to_have_count(0)
    yield "search, nothing found"
    page.fill(".search input[type=date]", "2025-01-01")
    page.locator(".target").wait_for()
    yield "a day that was gone to"
    page.focus(".search input")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+K")
    page.get_by_role("option").first.wait_for()
    yield "switcher"
    page.keyboard.type("a room that is not there")
    yield "switcher, nothing found"
    page.keyboard.press("Escape")
    for name, shown in (
        ("people", ".popup li"),
        ("about", "dialog[open]"),
        ("preferences", "dialog[open] select"),
        ("help", "dialog[open] dl"),
        ("device", ".device textarea"),
        ("chat_link", ".chat-link textarea"),
    ):
        page.click(f"[data-open={name}]")
        page.locator(shown).first.wait_for()
        yield name
        page.keyboard.press("Escape")
    page.fill("#room-form input", "plans")
    page.click("#room-form button")
    page.locator("dialog[open] input").wait_for()
    yield "a new private room"
    page.keyboard.press("Escape")
    page.fill("#room-form input", "")
    say(page, "/bell all")
    page.locator(".toast").wait_for()
    yield "toast"


def _rooms(page: Page) -> Iterator[str]:
    for command, kind in (("/private plans", "private"), ("/msg Boris hello", "direct")):
        say(page, command)
        page.locator(f"#room[data-kind={kind}]").wait_for()
        yield f"a {kind} room"
        if kind == "private":
            say(page, "/invite 5 2h")
            page.locator("dialog[open] textarea").wait_for()
            yield "invitation"
            page.keyboard.press("Escape")
    page.evaluate("location.hash = 'empty'")
    page.locator("#empty").wait_for()
    yield "empty room"
    page.evaluate("location.hash = 'main'")
    page.locator(".own").first.wait_for()


def _moderation(page: Page, server: RunningServer) -> Iterator[str]:
    admin(server, "appoint", "Anna")
    page.locator(".toast").wait_for()
    page.locator("#rows .name", has_text="Boris").first.click()
    page.locator(".moderation").wait_for()
    yield "a person, for a moderator"
    page.keyboard.press("Escape")
    admin(server, "redact", str(MESSAGES))
    page.locator("#rows .removed").wait_for()
    yield "a removed message"


def _on_a_phone(page: Page) -> Iterator[str]:
    size = page.viewport_size
    assert size
    page.set_viewport_size(PHONE)
    yield "phone"
    page.click("#menu")
    page.locator("[data-drawer] #side").wait_for()
    yield "phone, drawer"
    page.keyboard.press("Escape")
    page.click("[data-open=search]")
    page.fill(".search input", "hello")
    expect(page.locator(".search li")).to_have_count(12)
    yield "phone, search"
    page.keyboard.press("Escape")
    page.click("[data-open=about]")
    page.get_by_role("dialog").wait_for()
    yield "phone, about"
    page.keyboard.press("Escape")
    page.set_viewport_size(size)


def _ends(page: Page, server: RunningServer) -> Iterator[str]:
    server.stop()
    say(page, "written without a server")
    page.locator("#now").wait_for()
    page.locator(".waiting").wait_for()
    yield "offline"
    server.start()
    page.evaluate("window.dispatchEvent(new Event('online'))")
    wait_for_text(page, "written without a server")
    for act, code in (
        (("kick", "Anna", "--reason", "too loud"), "kicked"),
        (("ban", "Anna", "--for", "1h", "--reason", "too loud"), "banned"),
    ):
        admin(server, *act)
        page.locator(".access .primary").wait_for()
        yield code
        if code == "kicked":
            page.click(".access .primary")
            page.wait_for_selector("html[data-scene=chat]")
