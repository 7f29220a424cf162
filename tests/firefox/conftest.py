"""A real Firefox, headless, with nothing of its own on the network; and what a visitor does in every story."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.firefox.bidi import Firefox, Tab

Visit = Callable[..., Tab]


@pytest.fixture(scope="session")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """The browser that ``make firefox`` has found."""
    path = os.environ.get("BESEDKA_TEST_FIREFOX")
    if not path:
        pytest.fail(
            "no Firefox was named: run these tests by `make firefox`, or set BESEDKA_TEST_FIREFOX to one"
        )
    browser = Firefox(path, tmp_path_factory.mktemp("firefox"))
    yield browser
    browser.close()


@pytest.fixture
def visit(firefox: Firefox) -> Iterator[Visit]:
    """Opens a page as a new visitor with an empty profile, or as a visitor who is known; any error in it fails the test."""
    people: list[str] = []
    firefox.problems.clear()

    def open_page(url: str, *, person: str = "", **options: object) -> Tab:
        if not person:
            person = firefox.person()
            people.append(person)
        return Tab(firefox, person, **options).open(url)  # type: ignore[arg-type]

    yield open_page
    for person in people:
        firefox.forget(person)
    assert firefox.problems == []


def come_in(tab: Tab, name: str) -> None:
    """Pass the login by the keyboard, and wait for all parts of the page."""
    tab.wait_for(
        "() => document.activeElement.id === 'login-name' && !document.getElementById('login-enter').disabled"
    )
    tab.type(name)
    tab.press("Enter")
    settled(tab)


def settled(tab: Tab) -> None:
    """Wait for the parts of the page that come when a visitor has come in."""
    tab.wait_for("() => document.documentElement.dataset.scene === 'chat' && chat.ariaBusy === 'false'")


def say(tab: Tab, text: str) -> None:
    """Write a message and send it."""
    tab.click("#say-text")
    tab.type(text)
    tab.press("Enter")


def go(tab: Tab, room: str) -> None:
    """Go to a room by the field below the rooms."""
    tab.click("#room-form input")
    tab.type(room)
    tab.press("Enter")
    tab.wait_for("(room) => document.getElementById('room').textContent.endsWith(room)", room)


def shown(tab: Tab, selector: str, text: str = "") -> None:
    """Wait until an element with this in its text is shown."""
    tab.wait_for(SHOWN, selector, text)


def hidden(tab: Tab, selector: str) -> None:
    """Wait until no such element is shown."""
    tab.wait_for(f"(...which) => !({SHOWN})(...which)", selector, "")


def delivered(tab: Tab, text: str) -> None:
    """Wait until a message with this text is shown as delivered."""
    shown(tab, ".message.delivered .text", text)


def texts(tab: Tab, which: str = ".message .text") -> list[str]:
    """The texts of all elements of a kind."""
    found: list[str] = tab.call(
        "(which) => [...document.querySelectorAll(which)].map((one) => one.textContent)", which
    )
    return found


def receives_focus(tab: Tab, selector: str) -> None:
    """Wait until the focus is in such an element."""
    tab.wait_for("(selector) => document.activeElement.matches(selector)", selector)


SHOWN = """(selector, text) => [...document.querySelectorAll(selector)].some((one) =>
    one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && one.textContent.includes(text))"""
