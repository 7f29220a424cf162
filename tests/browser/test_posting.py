"""Two people and the page: logging in, posting, a restart of the server."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    CLIENT,
    Borrow,
    Visit,
    ask_for_older,
    come_in,
    history_of,
    log_of,
    say,
    settled,
    texts,
    wait_for_text,
)
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.running import RunningServer, is_free
from tests.talking import WireClient


@pytest.fixture
def motion() -> str:
    """Everything moves."""
    return "no-preference"


def test_two_people_talk_and_their_own_messages_are_on_the_other_side(
    house: RunningServer, room: str, borrow: Borrow
) -> None:
    nina, oleg = borrow("Nina"), borrow("Oleg")
    say(nina, "Hello, Oleg!")
    wait_for_text(oleg, "Hello, Oleg!")
    say(oleg, "Hello, Nina!\nHow are you?")
    wait_for_text(nina, "How are you?")
    assert texts(nina, ".own") == texts(oleg, ".message:not(.own)") == ["Hello, Oleg!"]
    assert texts(oleg, ".own") == texts(nina, ".message:not(.own)") == ["Hello, Nina!\nHow are you?"]
    own, other = (
        nina.locator(".own .bubble").bounding_box(),
        nina.locator(".message:not(.own) .bubble").bounding_box(),
    )
    assert own
    assert other
    assert own["x"] + own["width"] > other["x"] + other["width"]
    assert color(nina, ".own .bubble") != color(nina, ".message:not(.own) .bubble")
    assert re.search(
        r"\] Nina: Hello, Oleg!\n\[.*\] Oleg: Hello, Nina!\n\tHow are you\?\n$",
        log_of(house, room).read_text(encoding="utf-8"),
    )


def test_both_come_back_after_a_restart_and_a_newcomer_sees_the_last_ones(
    server: RunningServer, visit_as: Visit
) -> None:
    anna, boris = visit_as("Anna", server.page), visit_as("Boris", server.page)
    for number in range(1, 13):
        say(anna, f"message {number}")
    wait_for_text(boris, "message 12")
    assert server.stop() == 0
    say(anna, "said while it was away")
    expect(anna.locator(".waiting .text")).to_have_text("said while it was away")
    server.start()
    for page in (anna, boris):
        page.evaluate("window.dispatchEvent(new Event('online'))")
        wait_for_text(page, "said while it was away")
    say(boris, "there we are again")
    wait_for_text(anna, "there we are again")
    everything = [
        *(f"message {number}" for number in range(1, 13)),
        "said while it was away",
        "there we are again",
    ]
    assert texts(anna) == texts(boris) == everything
    assert [line.rsplit(": ", 1)[1] for line in server.lines] == everything

    assert anna.locator(".system").all_text_contents() == ["\u2068Boris\u2069 joined"]

    newcomer = visit_as("Clara", server.page)
    # The last ten leave nothing to scroll: those before them come, too.
    expect(newcomer.locator(".message.old")).to_have_count(14)
    expect(newcomer.locator("#older")).to_be_hidden()
    assert texts(newcomer) == everything


def test_a_newcomer_sees_the_last_ten_also_if_they_are_long_and_come_in_several_pages(
    house: RunningServer, room: str, borrow: Borrow
) -> None:
    numbers = [*range(1, 261)]
    log_of(house, room).write_text(
        "".join(f"[2025-01-01 00:00:00] Old: {number} {'x' * 4_900}\n" for number in numbers)
    )
    page = borrow("Nina")
    expect(page.locator(".message.old")).to_have_count(10)
    assert [text.split(" ")[0] for text in texts(page)] == list(map(str, numbers[-10:]))
    ask_for_older(page)
    expect(page.locator(".message.old").first).not_to_contain_text("251 ")
    shown = [int(text.split(" ")[0]) for text in texts(page)]
    assert shown == numbers[-len(shown) :]


def test_old_new_own_and_system_messages_look_different(
    house: RunningServer, room: str, borrow: Borrow
) -> None:
    with WireClient(house) as boris:
        boris.join("Boris", room)
        boris.send_frame("chat", room=room, text="before")
        boris.receive("chat")
        nina = borrow("Nina")
        boris.send_frame("chat", room=room, text="after")
        wait_for_text(nina, "after")
        say(nina, "mine")
        wait_for_text(nina, "mine")
    expect(nina.locator(".system").last).to_have_text("\u2068Boris\u2069 left")
    kinds = (".message.old .bubble", ".message:not(.old):not(.own) .bubble", ".message.own .bubble")
    assert len({color(nina, kind) for kind in kinds}) == 3
    # More than colour tells them apart: the side, an outline, the slant.
    assert len({nina.locator(kind).first.evaluate(LOOK) for kind in kinds}) == 3
    assert nina.locator(".system").last.evaluate("e => getComputedStyle(e).fontStyle") == "italic"
    assert nina.locator(".day").count() == 1
    assert re.fullmatch(r"\d\d:\d\d", nina.locator(".own time").inner_text())


LOOK = """e => [e.parentElement.offsetLeft > 100, getComputedStyle(e).backgroundColor === "rgba(0, 0, 0, 0)"].join()"""


def test_after_leaving_and_after_a_refusal_the_keyboard_is_in_the_name(
    house: RunningServer, room: str, visit: Visit, borrow: Borrow
) -> None:
    first, second = borrow("Nina"), visit(house.page + f"#{room}")
    second.fill("#login-name", "Nina")
    second.click("#login-enter")
    expect(second.locator("#login-problem")).to_contain_text("Somebody here has this name")
    expect(second.locator("#login-name")).to_be_focused()
    second.keyboard.type("Hanna")
    second.keyboard.press("Enter")
    second.wait_for_selector("html[data-scene=chat]")
    expect(second.locator("#people")).to_have_text("2 people")
    settled(second)
    second.click("#leave")
    expect(second.locator("#login-name")).to_be_focused()
    expect(first.locator("#people")).to_have_text("1 person")


def test_a_login_without_a_server_says_so(server: RunningServer, visit: Visit) -> None:
    page = visit(server.page)
    expect(page.locator("#login-name")).to_be_visible()
    server.stop()
    page.fill("#login-name", "Anna")
    page.press("#login-name", "Enter")
    expect(page.locator("#login-problem")).to_contain_text("No connection.")
    page.fill("#login-name", "Hanna")
    page.press("#login-name", "Enter")
    server.start()
    page.wait_for_selector("html[data-scene=chat]")
    page.click("#people")
    expect(page.locator("#people-list")).to_have_text("Hanna (you)")


def test_the_page_speaks_russian_to_russians(house: RunningServer, room: str, visit: Visit) -> None:
    page = visit(house.page + f"#{room}", locale="ru-RU")
    expect(page).to_have_title("Беседка")
    assert page.locator("html").get_attribute("lang") == "ru"
    come_in(page, "Анна")
    expect(page.locator("#people")).to_have_text("1 человек")
    expect(page.locator("#leave")).to_have_text("Выйти")
    assert page.locator("#say-text").get_attribute("placeholder") == "Напишите сообщение …"


@pytest.fixture
def static_page() -> Iterator[str]:
    """The client folder behind Python's own file server, as `python -m http.server` shows it."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(CLIENT))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        yield f"http://localhost:{files.server_port}/"
        files.shutdown()


@pytest.mark.xdist_group("port 8765")
def test_the_page_from_any_file_server_talks_to_port_8765(
    make_server: ServerMaker, visit: Visit, static_page: str
) -> None:
    wait_until(lambda: is_free(8765))  # other copies of this test may have it for a moment
    server = make_server("--port", "8765").start()
    page = visit(static_page)
    come_in(page, "Anna")
    say(page, "from elsewhere")
    wait_for_text(page, "from elsewhere")
    assert "from elsewhere" in history_of(server)


def color(page: Page, selector: str) -> str:
    found: str = page.locator(selector).first.evaluate("e => getComputedStyle(e).backgroundColor")
    return found
