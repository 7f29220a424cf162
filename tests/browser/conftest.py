"""A real Chromium, headless, with nothing of its own on the network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.running import RunningServer

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser that ``make test`` has found."""
    path = os.environ.get("BESEDKA_TEST_BROWSER")
    if not path:
        pytest.fail(
            "no browser was named: run the tests by `make test`, or set BESEDKA_TEST_BROWSER to a Chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """Opens a page as a new visitor with an empty profile; any error in it fails the test."""
    contexts = []
    problems: list[str] = []

    def open_page(url: str, *, locale: str = "en-GB", **options: object) -> Page:
        context = chromium.new_context(locale=locale, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def come_in(page: Page, name: str) -> None:
    """Pass the login."""
    page.fill("#login-name", name)
    page.press("#login-name", "Enter")
    page.wait_for_selector("html[data-scene=chat]")


def say(page: Page, text: str) -> None:
    """Write a message and send it."""
    page.fill("#say-text", text)
    page.press("#say-text", "Enter")


def texts(page: Page, which: str = ".message") -> list[str]:
    """What is written in the messages that are shown."""
    return page.locator(f"{which} .text").all_text_contents()


def wait_for_text(page: Page, text: str) -> None:
    """Wait until a message with just this text is shown as told."""
    page.locator(".message.told .text", has_text=text).first.wait_for()


def history_of(server: RunningServer) -> str:
    """The history file's text."""
    return server.history.read_text(encoding="utf-8")
