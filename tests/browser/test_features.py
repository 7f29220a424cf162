"""The features of the page come after the login; nothing is lost until they are there."""

from __future__ import annotations

import json

from playwright.sync_api import Route, WebSocket, expect

from tests.browser.conftest import Visit, come_in, say, wait_for_text
from tests.browser.test_moderation import admin
from tests.commanding import wait_until
from tests.running import RunningServer

FEATURES = "**/chat/features.js"


def test_a_redaction_and_rights_that_come_before_the_features_take_effect_when_those_are_there(
    server: RunningServer, visit: Visit
) -> None:
    boris = visit(server.page)
    come_in(boris, "Boris")
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
    admin(server, "appoint", "Boris")
    say(boris, "/redact 1")
    expect(boris.locator(".removed .text")).to_have_text("removed")
    admin(server, "appoint", "Anna")
    wait_until(lambda: {"redacted", "rights"} <= set(received) or anna.evaluate("() => false"))
    assert tries
    is_reachable = True
    expect(anna.locator(".removed .text")).to_have_text("removed")
    say(anna, "/help")
    expect(anna.locator("dialog dt", has_text="/redact")).to_have_count(1)
