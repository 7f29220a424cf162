"""Two people and the page: coming in, talking, reading, losing the server and finding it again."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, come_in, history_of, say, texts, wait_for_text
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import Talker

CLIENT = Path(__file__).parent.parent.parent / "besedka" / "client"


def test_two_people_talk_and_each_sees_his_own_on_the_other_side(server: RunningServer, visit: Visit) -> None:
    anna, boris = visit(server.page), visit(server.page)
    come_in(anna, "Anna")
    come_in(boris, "Boris")
    say(anna, "Hello, Boris!")
    wait_for_text(boris, "Hello, Boris!")
    say(boris, "Hello, Anna!\nHow are you?")
    wait_for_text(anna, "How are you?")
    assert texts(anna, ".own") == texts(boris, ".message:not(.own)") == ["Hello, Boris!"]
    assert texts(boris, ".own") == texts(anna, ".message:not(.own)") == ["Hello, Anna!\nHow are you?"]
    own, other = (
        anna.locator(".own .bubble").bounding_box(),
        anna.locator(".message:not(.own) .bubble").bounding_box(),
    )
    assert own
    assert other
    assert own["x"] + own["width"] > other["x"] + other["width"]
    assert color(anna, ".own .bubble") != color(anna, ".message:not(.own) .bubble")
    assert re.search(
        r"\] Anna: Hello, Boris!\n\[.*\] Boris: Hello, Anna!\n\tHow are you\?\n$", history_of(server)
    )


def test_both_come_back_after_a_restart_and_a_newcomer_sees_the_last_ten(
    server: RunningServer, visit: Visit
) -> None:
    anna, boris = visit(server.page), visit(server.page)
    come_in(anna, "Anna")
    come_in(boris, "Boris")
    for number in range(1, 13):
        say(anna, f"message {number}")
    wait_for_text(boris, "message 12")
    assert server.stop() == 0
    expect(anna.locator("#hint")).to_have_text("No connection, coming back …")
    say(anna, "said while it was away")
    expect(anna.locator("#hint")).to_contain_text("1 message waits to be sent")
    expect(anna.locator(".waiting .text")).to_have_text("said while it was away")
    server.start()
    wait_for_text(boris, "said while it was away")
    wait_for_text(anna, "said while it was away")
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

    newcomer = visit(server.page)
    come_in(newcomer, "Clara")
    expect(newcomer.locator(".message.old")).to_have_count(10)
    newcomer.click("#older")
    expect(newcomer.locator(".message.old")).to_have_count(14)
    expect(newcomer.locator("#older")).to_be_hidden()
    assert texts(newcomer) == everything


def test_old_new_own_and_system_messages_look_different(server: RunningServer, visit: Visit) -> None:
    with Talker(server) as boris:
        boris.join("Boris")
        boris.tell("chat", text="before")
        boris.hear("chat")
        anna = visit(server.page)
        come_in(anna, "Anna")
        boris.tell("chat", text="after")
        wait_for_text(anna, "after")
        say(anna, "mine")
        wait_for_text(anna, "mine")
    expect(anna.locator(".system").last).to_have_text("\u2068Boris\u2069 left")
    kinds = (".message.old .bubble", ".message:not(.old):not(.own) .bubble", ".message.own .bubble")
    assert len({color(anna, kind) for kind in kinds}) == 3
    assert anna.locator(".system").last.evaluate("e => getComputedStyle(e).textAlign") == "center"
    assert anna.locator(".day").count() == 1
    assert re.fullmatch(r"\d\d:\d\d", anna.locator(".own time").inner_text())


def test_the_log_follows_unless_the_reader_has_scrolled_up(server: RunningServer, visit: Visit) -> None:
    anna = visit(server.page, viewport={"width": 700, "height": 500})
    come_in(anna, "Anna")
    with Talker(server) as boris:
        boris.join("Boris")
        for number in range(60):
            boris.tell("chat", text=f"message {number}")
        wait_for_text(anna, "message 59")
        assert distance_from_bottom(anna) < 5
        expect(anna.locator("#newer")).to_be_hidden()
        anna.locator("#log").hover()
        anna.mouse.wheel(0, -900)
        expect(anna.locator("#newer")).to_be_visible()
        top = anna.locator("#log").evaluate("log => log.scrollTop")
        boris.tell("chat", text="news")
        expect(anna.locator("#newer")).to_have_text("1 new message ↓")
        assert anna.locator("#log").evaluate("log => log.scrollTop") == top
        anna.locator("#newer").click()
        expect(anna.locator("#newer")).to_be_hidden()
        assert distance_from_bottom(anna) < 5


def test_the_log_follows_when_its_measures_change_under_it(server: RunningServer, visit: Visit) -> None:
    anna = visit(server.page, viewport={"width": 1000, "height": 700})
    come_in(anna, "Anna")
    with Talker(server) as boris:
        boris.join("Boris")
        for number in range(30):
            boris.tell("chat", text=f"message {number} " + "with words that fill more than one line " * 4)
        wait_for_text(anna, "message 29")
        for turn in range(6):
            anna.fill("#say-text", "\n".join(["one of many lines"] * 12))
            boris.tell("chat", text=f"meanwhile {turn}")
            anna.set_viewport_size({"width": 1000 - 100 * turn, "height": 700 - 50 * turn})
            anna.fill("#say-text", "")
            wait_for_text(anna, f"meanwhile {turn}")
            expect(anna.locator("#newer")).to_be_hidden()
            anna.wait_for_function("log.scrollHeight - log.scrollTop - log.clientHeight < 5")


def test_after_leaving_and_after_a_refusal_the_keyboard_is_in_the_name(
    server: RunningServer, visit: Visit
) -> None:
    first, second = visit(server.page), visit(server.page)
    come_in(first, "Anna")
    second.fill("#login-name", "Anna")
    second.click("#login-enter")
    expect(second.locator("#login-problem")).to_contain_text("Somebody here has this name")
    expect(second.locator("#login-name")).to_be_focused()
    second.keyboard.type("Hanna")
    second.keyboard.press("Enter")
    second.wait_for_selector("html[data-scene=chat]")
    second.click("#leave")
    expect(second.locator("#login-name")).to_be_focused()


def test_coming_in_while_the_server_is_away_says_so(server: RunningServer, visit: Visit) -> None:
    page = visit(server.page)
    server.stop()
    page.fill("#login-name", "Anna")
    page.press("#login-name", "Enter")
    expect(page.locator("#login-problem")).to_have_text("No connection, coming back …")
    page.fill("#login-name", "Hanna")
    page.press("#login-name", "Enter")
    server.start()
    page.wait_for_selector("html[data-scene=chat]")
    expect(page.locator("#people-list")).to_have_text("Hanna (you)")


def test_reading_older_messages_keeps_the_place(server: RunningServer, visit: Visit) -> None:
    with Talker(server) as boris:
        boris.join("Boris")
        for number in range(1, 201):
            boris.tell("chat", text=f"message {number}")
        boris.hear_to(200)
        anna = visit(server.page, viewport={"width": 700, "height": 500})
        come_in(anna, "Anna")
        wait_for_text(anna, "message 200")
        expect(anna.locator(".message.old")).to_have_count(10)
        anna.click("#older")
        expect(anna.locator(".message[data-id='141']")).to_be_attached()
        seen = anna.locator(".message[data-id='145']")
        seen.evaluate("row => row.scrollIntoView()")
        before = seen.bounding_box()
        expect(anna.locator(".message[data-id='91']")).to_be_attached()
        after = seen.bounding_box()
        assert before
        assert after
        assert abs(before["y"] - after["y"]) < 2
    ids = anna.locator(".message").evaluate_all("rows => rows.map(row => Number(row.dataset.id))")
    assert ids == list(range(ids[0], 201))


def test_a_taken_name_is_explained_and_another_one_lets_in(server: RunningServer, visit: Visit) -> None:
    first, second = visit(server.page), visit(server.page)
    come_in(first, "Anna")
    second.fill("#login-name", "Anna")
    second.press("#login-name", "Enter")
    expect(second.locator("#login-problem")).to_contain_text("Somebody here has this name")
    come_in(second, "Hanna")
    expect(second.locator("#people-count")).to_have_text("2 people")


def test_the_page_speaks_russian_to_russians(server: RunningServer, visit: Visit) -> None:
    page = visit(server.page, locale="ru-RU")
    assert page.title() == "Беседка"
    assert page.locator("html").get_attribute("lang") == "ru"
    come_in(page, "Анна")
    expect(page.locator("#people-count")).to_have_text("1 человек")
    assert page.locator("#say-text").get_attribute("placeholder") == "Напишите сообщение …"


def test_dark_and_light_differ(server: RunningServer, visit: Visit) -> None:
    light, dark = (visit(server.page, color_scheme=scheme) for scheme in ("light", "dark"))
    assert color(light, "html") != color(dark, "html")


def test_a_phone_shows_everything_without_scrolling_sideways(server: RunningServer, visit: Visit) -> None:
    phone = visit(server.page, viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    come_in(phone, "Anna")
    phone.fill("#say-text", "a" * 300)
    phone.press("#say-text", "Enter")  # breaks the line: there is no Shift on a phone
    phone.click("#say-send")
    wait_for_text(phone, "a" * 300)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    for part in ("#room", "#people-count", "#say-text", "#say-send"):
        box = phone.locator(part).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360


def test_the_keyboard_is_enough(server: RunningServer, visit: Visit) -> None:
    page = visit(server.page)
    page.keyboard.type("Anna")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-scene=chat]")
    page.keyboard.type("first line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")
    wait_for_text(page, "second line")
    assert texts(page) == ["first line\nsecond line"]
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.id") in {"log", "newer"}


def test_another_room_is_in_the_address(server: RunningServer, visit: Visit) -> None:
    page = visit(server.page + "#dev")
    come_in(page, "Anna")
    expect(page.locator("#room")).to_have_text("# dev")
    say(page, "in dev")
    wait_for_text(page, "in dev")
    assert "in dev" in (server.directory / "chat_history.dev.txt").read_text(encoding="utf-8")


def test_what_others_write_is_never_html(server: RunningServer, visit: Visit) -> None:
    anna = visit(server.page)
    come_in(anna, "Anna")
    hostile = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
    with Talker(server) as mallory:
        mallory.join("<b>Mallory</b>")
        mallory.tell("chat", text=hostile)
        wait_for_text(anna, "<img")
    assert texts(anna) == [hostile]
    assert anna.locator(".name").first.inner_text() == "<b>Mallory</b>"
    assert "pwned" not in anna.title()


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
    server = make_server("--port", "8765").start()
    page = visit(static_page)
    come_in(page, "Anna")
    say(page, "from elsewhere")
    wait_for_text(page, "from elsewhere")
    assert "from elsewhere" in history_of(server)


def distance_from_bottom(page: Page) -> float:
    distance: float = page.locator("#log").evaluate(
        "log => log.scrollHeight - log.scrollTop - log.clientHeight"
    )
    return distance


def color(page: Page, selector: str) -> str:
    found: str = page.locator(selector).first.evaluate("e => getComputedStyle(e).backgroundColor")
    return found
