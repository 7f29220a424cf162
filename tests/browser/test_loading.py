"""The parts of the page come one after the other, over any network; what a person does meanwhile is not lost."""

from __future__ import annotations

import json

from playwright.sync_api import Page, Route, WebSocket, expect

from tests.browser.conftest import Visit, come_in, say, wait_for_text
from tests.browser.test_moderation import admin
from tests.commanding import wait_until
from tests.running import RunningServer
from tests.talking import WireClient

FEATURES = "**/chat/features.js"
STRINGS = "**/chat/language/en.js"
STYLE = "**/style.css"


def test_a_redaction_and_rights_that_come_before_the_features_take_effect_when_those_are_there(
    server: RunningServer, visit: Visit
) -> None:
    anna = visit("about:blank")
    received: list[str] = []
    tries: list[str] = []
    is_reachable = False

    def fail(route: Route) -> None:
        tries.append(route.request.url)
        if is_reachable:
            route.continue_()
        else:
            route.abort()

    def note(frame: str | bytes) -> None:
        received.append(json.loads(frame)["type"])

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", note)

    anna.route(FEATURES, fail)
    anna.on("websocket", watch)
    anna.goto(server.page)
    anna.fill("#login-name", "Anna")
    anna.press("#login-name", "Enter")
    anna.wait_for_selector("html[data-scene=chat]")
    say(anna, "to be removed")
    wait_for_text(anna, "to be removed")
    with WireClient(server) as boris:
        boris.join("Boris", secret="the secret of Boris")
        admin(server, "appoint", "Boris")
        boris.receive("rights")
        assert boris.ask("moderate", act="redact", room="main", id=1)["type"] == "done"
    admin(server, "appoint", "Anna")
    wait_until(lambda: {"redacted", "rights"} <= set(received) or anna.evaluate("() => false"))
    assert tries
    is_reachable = True
    expect(anna.locator(".removed .text")).to_have_text("removed")
    say(anna, "/help")
    expect(anna.locator("dialog dt", has_text="/redact")).to_have_count(1)


def hold(page: Page, pattern: str) -> list[Route]:
    """Hold the requests of some files; returns them as they come."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(pattern, keep)
    return held


def test_a_name_can_be_typed_as_soon_as_the_login_shows_and_not_before(
    house: RunningServer, room: str, visit: Visit
) -> None:
    anna = visit("about:blank")
    held = hold(anna, STRINGS)
    anna.goto(house.page + f"#{room}")
    wait_until(lambda: held or anna.evaluate("() => false"))
    expect(anna.locator("#login-name")).to_be_hidden()
    held.pop().continue_()
    # No wait for anything but the field itself, as a person would.
    anna.fill("#login-name", "Anna")
    anna.press("#login-name", "Enter")
    anna.wait_for_selector("html[data-scene=chat]")
    anna.wait_for_url(house.page + f"#{room}")


def test_a_name_typed_before_the_page_is_ready_does_not_reload_it(
    house: RunningServer, room: str, visit: Visit
) -> None:
    anna = visit("about:blank")
    anna.route(STYLE, lambda route: route.abort())  # so the field shows at once
    held = hold(anna, STRINGS)
    anna.goto(house.page + f"#{room}")
    wait_until(lambda: held or anna.evaluate("() => false"))
    anna.fill("#login-name", "Anna")
    anna.press("#login-name", "Enter")
    held.pop().continue_()
    expect(anna.locator("#login-enter")).to_be_enabled()
    expect(anna.locator("#login-name")).to_have_value("Anna")
    anna.press("#login-name", "Enter")
    anna.wait_for_selector("html[data-scene=chat]")
    anna.wait_for_url(house.page + f"#{room}")


def test_the_login_shows_when_its_strings_come_after_a_failure(
    house: RunningServer, room: str, visit: Visit
) -> None:
    tries: list[Route] = []
    anna = visit("about:blank")

    def fail_twice(route: Route) -> None:
        tries.append(route)
        if len(tries) > 2:
            route.continue_()
        else:
            route.abort()

    anna.route(STRINGS, fail_twice)
    anna.goto(house.page + f"#{room}")
    come_in(anna, "Anna")
    assert len(tries) == 3
