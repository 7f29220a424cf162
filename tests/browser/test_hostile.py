"""Texts of other people never run: hostile payloads in each place where the page shows such a text.

The server here is a forged one, that sends what the real one would refuse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Dialog, Page, Request, WebSocketRoute, expect

from tests.browser.conftest import Borrow, Visit, come_back, introduce, say, wait_for_frames
from tests.running import RunningServer

RUN = "window.pwned=1"
TAGS = (
    "img",
    "svg",
    "iframe",
    "video",
    "audio",
    "body",
    "input",
    "details",
    "object",
    "embed",
    "marquee",
    "style",
)
EVENTS = ("onerror", "onload", "onfocus", "ontoggle", "onanimationstart")
PAYLOADS = [
    *(f"<{tag} src=x {event}={RUN}>" for tag in TAGS for event in EVENTS),
    f"<script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<script src=data:text/javascript,{RUN}></script>",
    f"<a href=javascript:{RUN}>x</a>",
    f"javascript:{RUN}",
    f"[x](javascript:{RUN})",
    f"![x](x onerror={RUN})",
    f'https://example.org/"onmouseover={RUN}//',
    f"https://example.org/'onclick={RUN}//",
    f"https://example.org/><img src=x onerror={RUN}>",
    f"http://javascript:{RUN}@example.org",
    f"data:text/html,<script>{RUN}</script>",
    f"`<img src=x onerror={RUN}>`",
    f"**<img src=x onerror={RUN}>**",
    f"_<img src=x onerror={RUN}>_",
    f"```\n<img src=x onerror={RUN}>\n```",
    f"> <img src=x onerror={RUN}>",
    f"/me <img src=x onerror={RUN}>",
    f"@Anna <img src=x onerror={RUN}>",
    f'"><svg/onload={RUN}>',
    f"'><svg/onload={RUN}>",
    f"--><svg/onload={RUN}>",
    f"]]><svg/onload={RUN}>",
    f"${{{RUN}}}",
    f"{{{{{RUN}}}}}",
    f"#{{{RUN}}}",
    f"<%= {RUN} %>",
    "__proto__",
    "constructor",
    "toString",
    "\u202e\u2066\u2067 backwards",
    "\u0000\u0001\u001b[31m",
    "a\u0300" * 200,
    "W" * 400,
    "﷽" * 30,
    "👩‍👩‍👧‍👦" * 40,
    "\u200b" * 100,
    "\n" * 60,
    "x\ty" * 50,
    "https://" + "a" * 500,
    "`" * 300,
    "*" * 300,
    "_" * 300,
    ">" * 300,
]
# What is written in no name, and stays in a line.
NAMES = [payload.replace("\n", " ") for payload in PAYLOADS]


def test_there_are_a_hundred_of_them() -> None:
    assert len(set(PAYLOADS)) >= 100


class ForgedServer:
    """Answers a page as the server would, but with anything in any field."""

    def __init__(self, route: WebSocketRoute) -> None:
        self._route = route
        self.room = ""
        self.ids = iter(range(1, 10_000))
        route.on_message(self._receive)

    def send_frame(self, type_: str, **fields: object) -> None:
        """Send a frame."""
        self._route.send(json.dumps({"type": type_, "room": self.room, "timestamp": "12:00:00", **fields}))

    def say(self, text: str, user: str = "Mallory", **more: object) -> None:
        """Send a message."""
        self.send_frame("chat", id=next(self.ids), user=user, text=text, at=1_700_000_000, **more)

    def end(self, code: int, reason: str) -> None:
        """Close the connection."""
        self._route.close(code=code, reason=reason)

    def _receive(self, message: str | bytes) -> None:
        frame: dict[str, Any] = json.loads(message)
        if frame["type"] == "join":
            self.room = self.room or frame["room"]
            _, is_direct, number = frame["room"].partition("direct-")
            about = {"kind": "direct", "peer": NAMES[int(number)]} if is_direct else {}
            about["room"] = frame["room"]
            limits = {"name": 32, "room": 32, "text": 5000, "frame": 65_536}
            people = {"clients_count": 2 + len(NAMES), "users": ["Anna", "Mallory", *NAMES]}
            self.send_frame(
                "welcome", user="Anna", head=0, epoch="e", limits=limits, utc_offset=0, **people, **about
            )
        elif frame["type"] == "add_device":
            self.send_frame("device_link", token=NAMES[0], user=NAMES[0], seconds=300, key=frame["key"])
        elif frame["type"] == "rooms":
            self.send_frame("rooms", rooms=[{"name": name, "clients_count": 1} for name in NAMES])
        elif frame["type"] == "search":
            lines = [
                f"[2025-01-01 10:00:00] {name[:30]}: {text}"
                for name, text in zip(NAMES, PAYLOADS, strict=True)
            ]
            found = {"messages": lines, "ids": list(range(1, len(lines) + 1)), "before": 0}
            self.send_frame("found", text=frame["text"], key=frame.get("key"), **found)


@pytest.fixture
def forged(house: RunningServer, visit: Visit) -> Iterator[tuple[Page, ForgedServer]]:
    """A page that talks with a forged server; in the end nothing must have run, and all must be in its place."""
    servers: list[ForgedServer] = []
    page = visit("about:blank", viewport={"width": 900, "height": 640})
    opened: list[str] = []

    def note_dialog(dialog: Dialog) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    def note_request(request: Request) -> None:
        if not request.url.startswith(house.page):
            opened.append(request.url)

    page.on("dialog", note_dialog)
    page.on("request", note_request)
    page.route_web_socket("**/ws", lambda route: servers.append(ForgedServer(route)))
    introduce(page.context, "Anna")
    page.goto(house.page)
    come_back(page, "Anna")
    yield page, servers[-1]
    wait_for_frames(page, 10)
    assert page.evaluate("() => window.pwned") is None
    assert opened == []
    assert (
        page.locator(
            "script:not([src='chat.js']), iframe, object, embed, video, audio, marquee, body style"
        ).count()
        == 0
    )
    assert page.locator("a:not([href^='http']):not([href^='#'])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 900
    box = page.locator("#say-send").bounding_box()
    assert box
    assert box["x"] + box["width"] <= 900
    assert box["y"] + box["height"] <= 640


def test_in_texts(forged: tuple[Page, ForgedServer]) -> None:
    page, server = forged
    for payload in PAYLOADS:
        server.say(payload)
    expect(page.locator(".message")).to_have_count(len(PAYLOADS))
    assert page.evaluate("log.scrollWidth <= log.clientWidth")
    shown = page.locator(".text").all_text_contents()
    assert shown[: len(TAGS) * len(EVENTS)] == PAYLOADS[: len(TAGS) * len(EVENTS)]


def test_in_names(forged: tuple[Page, ForgedServer]) -> None:
    page, server = forged
    for name in NAMES:
        server.say("hello", user=name)
        server.say("/me waves", user=name)
        server.send_frame("typing", user=name)
        server.send_frame(
            "system", user="System", text=name, clients_count=3, joined=[name + "2"], left=[name]
        )
    expect(page.locator(".message")).to_have_count(2 * len(NAMES))
    page.click("#people")
    expect(page.locator("#people-list li").nth(10)).to_be_attached()
    page.fill("#say-text", "@")
    expect(page.get_by_role("option").first).to_be_visible()
    assert page.evaluate("log.scrollWidth <= log.clientWidth")


def test_in_names_of_rooms(forged: tuple[Page, ForgedServer]) -> None:
    page, _ = forged
    page.evaluate(
        "document.dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyK', ctrlKey: true, bubbles: true }))"
    )
    expect(page.get_by_role("option").nth(20)).to_be_attached()
    for link in page.locator("#others a").all()[:10]:
        link.evaluate("e => e.click()")
    for name in NAMES[:20]:
        page.evaluate("name => { location.hash = name; }", name)
    page.keyboard.press("Escape")


def test_in_refusals(forged: tuple[Page, ForgedServer]) -> None:
    page, server = forged
    for payload in PAYLOADS:
        server.send_frame("error", code="unheard_of", text=payload)
    server.send_frame(
        "error", code="<img src=x onerror=window.pwned=1>", text="last <img src=x onerror=window.pwned=1>"
    )
    expect(page.locator("#hint")).to_have_text("last <img src=x onerror=window.pwned=1>")
    for code in ("__proto__", "constructor", "toString", "hasOwnProperty"):
        server.send_frame("error", code=code, text=f"refused: {code}")
        expect(page.locator("#hint")).to_have_text(f"refused: {code}")


def test_in_search_hits(forged: tuple[Page, ForgedServer]) -> None:
    page, _ = forged
    page.click("[data-open=search]")
    for wanted in ("<img src=x onerror=window.pwned=1>", "onerror", "a"):
        page.fill(".search input", wanted)
        expect(page.locator(".search li")).to_have_count(len(PAYLOADS))
    assert page.evaluate(
        "() => { const panel = document.querySelector('.search'); return panel.scrollWidth <= panel.clientWidth; }"
    )


def test_in_frames_about_people_and_rooms(forged: tuple[Page, ForgedServer]) -> None:
    page, server = forged
    for number, name in enumerate(NAMES[:60]):
        server.send_frame("place", room=f"direct-{number}", kind="direct", peer=name)
        server.say("hello", user=name, unverified=True)
    expect(page.locator("#rooms [data-kind=direct]")).to_have_count(60)
    expect(page.locator("#rows .unverified")).to_have_count(60)
    page.click("#rooms [data-kind=direct] >> nth=7")
    expect(page.locator("#room")).to_have_text(NAMES[7])
    page.click("#rooms a >> nth=0")
    for number, payload in enumerate(PAYLOADS):
        server.send_frame("done", text=payload)
        server.send_frame("invitation", room=payload, token=payload, uses=1, expires=2_000_000_000)
        server.send_frame("device_link", token=payload, user=payload, seconds=300)
        server.send_frame("redacted", id=1 + number % 60, text=payload)
    expect(page.locator(".removed")).to_have_count(60)
    server.send_frame("done", text="<img src=x onerror=window.pwned=1>")
    expect(page.locator(".toast")).to_have_text("<img src=x onerror=window.pwned=1>")
    page.click("#people")
    page.get_by_role("button", name=NAMES[4], exact=True).click()
    expect(page.locator("dialog[open] h2")).to_have_text(NAMES[4])
    page.keyboard.press("Escape")
    page.click("[data-open=device]")
    expect(page.locator("dialog[open] textarea")).to_have_value(re.compile("%3Cimg"))
    page.keyboard.press("Escape")


def test_in_the_reason_of_a_ban(forged: tuple[Page, ForgedServer]) -> None:
    page, server = forged
    server.send_frame("error", code="banned", text="<img src=x onerror=window.pwned=1>")
    server.end(4005, "<img src=x onerror=window.pwned=1>")
    expect(page.locator(".access .problem")).to_have_text("<img src=x onerror=window.pwned=1>")
    page.evaluate("hash => { location.hash = hash; }", ";device=D;name=" + quote(NAMES[0]))
    expect(page.locator(".access h1")).to_have_text(f"Use this device as {NAMES[0]}?")


def test_the_page_writes_no_html_anywhere_and_the_browser_forbids_it(borrow: Borrow) -> None:
    page = borrow("Nina")
    say(page, "**bold** https://example.org\n```\nblock\n```")
    expect(page.locator("pre")).to_have_text("block")
    for opened, part in (("search", ".search"), ("about", "dialog[open]"), ("people", "#people-list")):
        page.click(f"[data-open={opened}]")
        page.locator(part).wait_for()
        page.keyboard.press("Escape")
    say(page, "/help")
    page.get_by_role("dialog").wait_for()
    assert page.evaluate(WRITE_HTML) == "TypeError"
    page.keyboard.press("Escape")


WRITE_HTML = "() => { try { document.body.innerHTML = '<b>x</b>'; } catch (error) { return error.name; } }"
