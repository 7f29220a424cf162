"""How much a browser loads to log in and post, and when it comes again."""

from __future__ import annotations

from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import Visit, come_back, come_in, say, wait_for_text
from tests.running import RunningServer

BYTES_AT_MOST = 60_000
REQUESTS_AT_MOST = 12
SECOND_VISIT_AT_MOST = 2_000
# What comes when one is in, or is opened now and then; here it never comes.
LATER = ("features.css", ".features.js", "/features.js", "catalog.js", "offline.js", "sw.js", "manifest")


def responses(page: Page) -> list[Response]:
    """Those that the page gets from now on."""
    found: list[Response] = []
    page.on("response", lambda response: found.append(response))  # noqa: PLW0108 - no built-in method may listen
    return found


def test_logging_in_and_posting_takes_less_than_sixty_thousand_bytes_in_a_few_requests(
    house: RunningServer, room: str, visit: Visit
) -> None:
    page = visit("about:blank", locale="ru-RU")
    (house.directory / f"chat_history.{room}.txt").touch()  # for a new room the page asks first
    for part in LATER:
        page.route(f"**/*{part}", lambda route: route.abort())
    loaded = responses(page)
    page.goto(house.page + f"#{room}")
    page.wait_for_selector("html[data-scene=login]")
    assert len(loaded) <= REQUESTS_AT_MOST
    page.fill("#login-name", "Анна")
    page.press("#login-name", "Enter")
    page.wait_for_selector("html[data-scene=chat]")
    say(page, "Всё, что нужно для беседы, уже здесь.")
    wait_for_text(page, "уже здесь")
    sizes = {response.url: len(response.body()) for response in loaded}
    assert sum(sizes.values()) <= BYTES_AT_MOST, sorted(sizes.items(), key=lambda one: -one[1])
    assert {response.headers.get("content-encoding") for response in loaded} == {"gzip"}


def test_the_whole_page_is_a_few_requests(house: RunningServer, room: str, visit: Visit) -> None:
    page = visit("about:blank")
    loaded = responses(page)
    page.goto(house.page + f"#{room}")
    come_in(page, "Anna")
    expect(page.locator("#say-text")).to_be_visible()
    assert len(loaded) <= REQUESTS_AT_MOST, [response.url for response in loaded]


def test_the_second_visit_transfers_less_than_two_thousand_bytes(
    house: RunningServer, room: str, visit_as: Visit
) -> None:
    page = visit_as("Anna", house.page + f"#{room}")
    page.goto("about:blank")
    received: list[float] = []
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(house.page + f"#{room}")
    come_back(page, "Anna")
    assert len(received) > 1
    assert sum(received) < SECOND_VISIT_AT_MOST, received
