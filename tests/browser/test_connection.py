"""Reconnecting: no message is lost or doubled, and short disconnects go unannounced."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.cable import Cable
from tests.browser.conftest import Borrow, Visit, come_back, say, texts, wait_for_text
from tests.running import RunningServer
from tests.talking import WireClient


def test_messages_written_offline_outlast_the_tab_and_are_sent_once_in_order(
    server: RunningServer, visit_as: Visit
) -> None:
    page = visit_as("Anna", server.page)
    context = page.context
    say(page, "before")
    wait_for_text(page, "before")
    server.stop()
    written = [f"written offline {number}" for number in range(5)]
    for text in written:
        say(page, text)
    page.fill("#say-text", "not finished")
    expect(page.locator(".waiting")).to_have_count(5)
    page.close()

    server.start()
    again = context.new_page()
    again.goto(server.page)
    come_back(again, "Anna")
    wait_for_text(again, written[-1])
    expect(again.locator(".waiting")).to_have_count(0)
    expect(again.locator("#say-text")).to_have_value("not finished")
    assert [line.rsplit(": ", 1)[1] for line in server.lines] == ["before", *written]


def test_a_server_that_is_killed_in_mid_send_loses_and_doubles_nothing(
    server: RunningServer, visit_as: Visit
) -> None:
    page = visit_as("Anna", server.page)
    said = []
    for turn in range(2):
        for number in range(40):
            said.append(f"turn {turn} number {number}")
            page.evaluate(SAY, said[-1])
        server.kill()
        for number in range(40, 50):
            said.append(f"turn {turn} number {number}")
            page.evaluate(SAY, said[-1])
        server.start()
        page.evaluate("window.dispatchEvent(new Event('online'))")
        wait_for_text(page, said[-1])
    expect(page.locator(".waiting")).to_have_count(0)
    assert texts(page)[-100:] == said
    assert [line.rsplit(": ", 1)[1] for line in server.lines] == said


SAY = """text => {
    document.getElementById("say-text").value = text;
    document.getElementById("say-form").requestSubmit();
}"""


def test_a_short_disconnect_is_not_announced_and_a_longer_one_is_with_its_end(
    server: RunningServer, visit_as: Visit
) -> None:
    page = visit_as("Anna", server.page)
    said = watch(page)
    server.stop()
    page.wait_for_selector("[data-away]")
    expect(page.locator("#hint")).to_have_text("")
    say(page, "waits")
    expected = re.compile(r"^No connection\. 1 message waiting\. Next try in \d+ s\.$")
    expect(page.locator("#hint")).to_have_text(expected, timeout=60_000)
    expect(page.locator("#now")).to_be_visible()
    server.start()
    # It may be faster than a mouse.
    page.evaluate("document.getElementById('now').click()")
    wait_for_text(page, "waits")
    expect(page.locator("#hint")).to_have_text("")
    expect(page.locator("#now")).to_be_hidden()
    page.wait_for_function("() => said.includes('Connected again.')")
    # The user's own messages are not read out.
    assert [text for text in page.evaluate(said) if text] == ["No connection.", "Connected again."]


def watch(page: Page) -> str:
    """Note all that the live region says; returns how to ask for it."""
    page.evaluate(
        """() => {
            window.said = [];
            const note = () => said.push(document.getElementById("news").textContent);
            new MutationObserver(note).observe(document.getElementById("news"), { childList: true });
        }"""
    )
    return "() => said"


def test_a_device_that_was_offline_reads_on_from_where_it_was_and_its_outbox_goes_out(
    house: RunningServer, room: str, visit_as: Visit
) -> None:
    cable = Cable(house.port)
    page = visit_as("Anna", cable.page + f"#{room}")
    with WireClient(house, max_queue=None) as boris:
        boris.join("Boris", room)
        boris.send_frame("chat", room=room, text="heard")
        wait_for_text(page, "heard")
        expect(page.locator(".system")).to_have_count(1)
        cable.pull_out()
        page.wait_for_selector("[data-away]")
        say(page, "written meanwhile")
        expect(page.locator(".waiting")).to_have_count(1)
        missed = [f"missed {number}" for number in range(30)]
        for text in missed:
            boris.send_frame("chat", room=room, text=text)
        boris.receive_until(lambda frame: frame.get("text") == missed[-1])
        cable.put_in()
        page.evaluate("window.dispatchEvent(new Event('online'))")
        wait_for_text(page, "written meanwhile")
        assert texts(page) == ["heard", *missed, "written meanwhile"]
        assert page.locator(".system").all_text_contents() == ["\u2068Boris\u2069 joined"]
        boris.send_frame("chat", room=room, text="live again")
        wait_for_text(page, "live again")
    cable.close()


def test_two_tabs_of_one_browser_are_one_person(house: RunningServer, room: str, borrow: Borrow) -> None:
    first = borrow("Nina")
    second = first.context.new_page()
    second.goto(house.page + f"#{room}")
    come_back(second, "Nina")
    expect(second.locator("#people")).to_have_text("1 person")
    say(first, "from the first")
    say(second, "from the second")
    for tab in (first, second):
        wait_for_text(tab, "from the second")
        assert texts(tab, ".own") == ["from the first", "from the second"]
