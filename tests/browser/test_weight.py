"""How much a browser loads to log in and post."""

from __future__ import annotations

from playwright.sync_api import Route

from tests.browser.conftest import CLIENT, Visit, say, wait_for_text
from tests.running import RunningServer

BYTES_AT_MOST = 60_000
# What comes when one is in, or is opened now and then; here it never comes.
LATER = ("features.css", ".features.js", "/features.js", "catalog.js", "offline.js", "sw.js", "manifest")


def test_logging_in_and_posting_takes_less_than_sixty_thousand_bytes(
    house: RunningServer, room: str, visit: Visit
) -> None:
    page = visit("about:blank", locale="ru-RU")
    loaded: dict[str, int] = {}

    def load(route: Route) -> None:
        path = route.request.url.removeprefix(house.page).partition("#")[0]
        if any(part in path for part in LATER):
            return route.abort()
        file = CLIENT / (path or "index.html")
        loaded[path or "index.html"] = file.stat().st_size
        return route.continue_()

    page.route(f"{house.page}**", load)
    page.goto(house.page + f"#{room}")
    page.wait_for_selector("html[data-scene=login]")
    page.fill("#login-name", "Анна")
    page.press("#login-name", "Enter")
    page.wait_for_selector("html[data-scene=chat]")
    say(page, "Всё, что нужно для беседы, уже здесь.")
    wait_for_text(page, "уже здесь")
    assert sum(loaded.values()) <= BYTES_AT_MOST, sorted(loaded.items(), key=lambda one: -one[1])
