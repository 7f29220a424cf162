"""Writing: the box, completion, and what becomes of a message."""

from __future__ import annotations

import json
import re

from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import (
    Borrow,
    Visit,
    come_back,
    come_in,
    introduce,
    say,
    texts,
    wait_for_frames,
    wait_for_text,
)
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient


def test_enter_sends_and_input_methods_are_left_alone(borrow: Borrow) -> None:
    page = borrow("Nina")
    page.keyboard.type("first")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second")
    composing = """box => box.dispatchEvent(
        new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
    assert page.locator("#say-text").evaluate(composing)
    assert texts(page) == []
    page.keyboard.press("Enter")
    wait_for_text(page, "second")
    assert texts(page) == ["first\nsecond"]
    expect(page.locator("#say-text")).to_have_value("")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#say-text")).to_have_value("first\nsecond")


def test_the_box_grows_with_the_text_up_to_a_part_of_the_page(borrow: Borrow) -> None:
    page = borrow("Nina", viewport={"width": 800, "height": 600})
    heights = []
    for lines in (1, 4, 100):
        page.fill("#say-text", "\n".join(["x"] * lines))
        box = page.locator("#say-text").bounding_box()
        assert box
        heights.append(box["height"])
    assert heights[0] < heights[1] < heights[2] <= 0.4 * 600 + 1


def test_names_are_completed_behind_a_sign_and_by_tab(
    house: RunningServer, room: str, borrow: Borrow
) -> None:
    page = borrow("Nina")
    box = page.locator("#say-text")
    with WireClient(house) as boris, WireClient(house) as barbara:
        boris.join("Boris", room)
        barbara.join("Barbara B.", room)
        expect(page.locator("#people")).to_have_text("3 people")
        page.keyboard.type("ask @b")
        expect(page.get_by_role("option")).to_have_count(2)
        expect(page.get_by_role("option", selected=True)).to_have_text("Boris")
        selected = box.get_attribute("aria-activedescendant")
        assert page.locator(f"#{selected}").text_content() == "Boris"
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(box).to_have_value("ask @Barbara B. ")
        page.keyboard.type("or bo")
        page.keyboard.press("Tab")
        expect(box).to_have_value("ask @Barbara B. or @Boris ")
        page.keyboard.press("Tab")
        expect(page.locator("#say-send")).to_be_focused()
        box.focus()
        page.keyboard.type("@b")
        page.keyboard.press("Escape")
        expect(page.get_by_role("option")).to_have_count(0)
        page.keyboard.press("Enter")
        wait_for_text(page, "ask @Barbara B. or @Boris @b")


def test_emoji_and_commands_are_completed(borrow: Borrow) -> None:
    page = borrow("Nina")
    box = page.locator("#say-text")
    page.keyboard.type("so :smi")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(box).to_have_value(re.compile(r"^so \W+ $"))
    box.fill("")
    page.keyboard.type("so :smile:")
    expect(box).to_have_value(re.compile(r"^so [^:]+ $"))
    box.fill("")
    for text in ("at 10:30:00 :-)", "слово:smi"):
        page.keyboard.type(text)
        wait_for_frames(page, 5)
        expect(page.get_by_role("option")).to_have_count(0)
        box.fill("")
    page.keyboard.type("/m")
    expect(page.get_by_role("option")).to_have_text([re.compile("/me"), re.compile("/msg")])
    page.keyboard.press("Tab")
    page.keyboard.type("waves")
    page.keyboard.press("Enter")
    wait_for_text(page, "Nina waves")


def test_commands_do_what_they_do_in_the_terminal(room: str, borrow: Borrow) -> None:
    page = borrow("Nina")
    say(page, "/hepl")
    expect(page.locator("#hint")).to_contain_text("did you mean /help?")
    expect(page.locator("#say-text")).to_have_value("/hepl")
    say(page, "/help")
    dialog = page.get_by_role("dialog", name="Help")
    expect(dialog).to_contain_text("/join ROOM")
    expect(dialog).to_contain_text("Shift + Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#say-text")).to_be_focused()
    say(page, f"/join {room}-b")
    expect(page.locator("#room")).to_have_text(f"# {room}-b")
    say(page, "/who")
    expect(page.locator("#people-list")).to_have_text("Nina (you)")
    page.keyboard.press("Escape")
    say(page, "//who")
    wait_for_text(page, "/who")
    say(page, "/find who")
    expect(page.locator(".search li")).to_have_count(1)
    page.fill(".search input[type=search]", "")
    say(page, "/exit")
    expect(page.locator("#login-name")).to_be_focused()
    come_in(page, "Nina")


def test_help_is_in_sight_and_unlikely_guesses_are_not_made(borrow: Borrow) -> None:
    page = borrow("Nina")
    help_panel = page.get_by_role("dialog", name="Help")
    page.get_by_role("button", name="Help").click()
    expect(help_panel).to_contain_text("/bell")
    page.keyboard.press("Escape")
    page.locator("#log").focus()
    page.keyboard.press("?")
    expect(help_panel).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#say-text").focus()
    page.keyboard.type("?")
    expect(page.locator("#say-text")).to_have_value("?")
    expect(help_panel).to_be_hidden()
    for typed, hint in (
        ("/usr/bin", "There is no command /usr/bin. To post it, write //usr/bin."),
        ("/nick Boris", "There is no command /nick. To post it, write //nick."),
        ("/hlep", "There is no command /hlep; did you mean /help? To post it, write //hlep."),
        ("/bell loudly", "Usage: /bell [on|off|all]"),
    ):
        say(page, typed)
        expect(page.locator("#hint")).to_have_text(hint)
    for typed, answer in (("all", "All"), ("off", "Off"), ("on", "Mentions"), ("", "Mentions")):
        say(page, f"/bell {typed}".strip())
        expect(page.locator(".toast")).to_have_text(f"Notifications: {answer}")


def test_a_pasted_picture_and_a_dropped_file_are_explained_and_change_nothing(borrow: Borrow) -> None:
    page = borrow("Nina")
    page.fill("#say-text", "half a thought")
    for act in (DROP, PASTE):
        # No browser goes anywhere, and both are for the page.
        assert page.evaluate(act, {"image": True, "text": False}) is (act is DROP)
        expect(page.locator("#hint")).to_have_text("Files cannot be sent here. Send a link instead.")
        page.locator("#say-text").press("End")
        page.keyboard.type("!")
        expect(page.locator("#hint")).to_be_empty()
    # A text that is copied together with a picture is pasted.
    assert page.evaluate(PASTE, {"image": True, "text": True}) is False
    expect(page.locator("#hint")).to_be_empty()
    expect(page.locator("#say-text")).to_have_value("half a thought!!")


TRANSFER = """({ image, text }) => {
    const transfer = new DataTransfer();
    if (image) transfer.items.add(new File(["x"], "x.png", { type: "image/png" }));
    if (text) transfer.setData("text/plain", "words");
    const box = document.getElementById("say-text");
"""
DROP = (
    TRANSFER
    + """
    const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.getElementById("log").dispatchEvent(event);
    return event.defaultPrevented;
}"""
)
PASTE = (
    TRANSFER
    + """
    const event = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
    box.dispatchEvent(event);
    return event.defaultPrevented;
}"""
)


def test_a_text_that_is_too_long_is_not_sent_and_stays_in_the_box(borrow: Borrow) -> None:
    page = borrow("Nina")
    page.fill("#say-text", "x" * 5001)
    expect(page.locator("#hint")).to_have_text("5001 characters; at most 5000 can be sent")
    page.press("#say-text", "Enter")
    wait_for_frames(page, 2)
    assert texts(page) == []
    assert page.input_value("#say-text") == "x" * 5001
    page.fill("#say-text", "x" * 4990)
    expect(page.locator("#hint")).to_have_text("4990 characters; at most 5000 can be sent")
    page.press("#say-text", "Enter")
    wait_for_text(page, "x" * 4990)
    expect(page.locator("#hint")).to_have_text("")


def test_half_a_surrogate_pair_is_sent_as_a_character_and_keeps_nobody_waiting(borrow: Borrow) -> None:
    page = borrow("Nina")
    page.evaluate(
        """() => {
            const box = document.getElementById("say-text");
            box.value = "cut off: \\ud83d";
            box.form.requestSubmit();
        }"""
    )
    wait_for_text(page, "cut off: \ufffd")
    say(page, "whole: 😀")
    wait_for_text(page, "whole: 😀")
    page.fill("#room-form input", "x")
    page.evaluate(
        """() => {
            const box = document.querySelector("#room-form input");
            box.value = "\\ud83d";
            box.form.requestSubmit();
        }"""
    )
    expect(page.locator("#hint")).to_contain_text("Invalid room name")
    page.reload()
    come_back(page, "Nina")
    expect(page.locator(".waiting")).to_have_count(0)
    assert texts(page) == ["cut off: \ufffd", "whole: 😀"]


def test_messages_refused_as_too_fast_wait_and_are_sent_in_order(
    make_server: ServerMaker, visit_as: Visit
) -> None:
    server = make_server("--lang", "en", "--rate", "2").start()
    page = visit_as("Anna", server.page)
    # At once, however busy this machine is.
    page.evaluate(SAY_MANY, 24)
    expect(page.locator("#hint")).to_have_text("Too fast; the rest will be sent in a moment.")
    wait_for_text(page, "message 23")
    expect(page.locator("#hint")).to_have_text("")
    assert [line.rsplit(": ", 1)[1] for line in server.lines] == [f"message {number}" for number in range(24)]


SAY_MANY = """count => {
    const box = document.getElementById("say-text");
    for (let number = 0; number < count; number += 1) {
        box.value = `message ${number}`;
        box.form.requestSubmit();
    }
}"""


def test_a_failed_message_can_be_retried_or_discarded(house: RunningServer, room: str, visit: Visit) -> None:
    page = visit("about:blank")
    refused: list[str] = []

    def refuse_once(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            frame = json.loads(message)
            if frame["type"] != "chat" or frame["text"] in refused:
                server.send(message)
                return
            refused.append(frame["text"])
            error = {"type": "error", "code": "storage_full", "text": "full", "timestamp": "12:00:00"}
            route.send(json.dumps({**error, "room": room, "key": frame["key"]}))

        route.on_message(pass_on)

    page.route_web_socket("**/ws", refuse_once)
    introduce(page.context, "Anna")
    page.goto(house.page + f"#{room}")
    come_back(page, "Anna")
    say(page, "one")
    say(page, "two")
    expect(page.locator(".failed")).to_have_count(2)
    expect(page.locator(".failed").first).to_contain_text("Not saved: the server's disk is full.")
    page.locator(".failed", has_text="two").get_by_role("button", name="Discard").click()
    expect(page.locator(".failed")).to_have_count(1)
    page.locator(".failed").get_by_role("button", name="Retry").click()
    wait_for_text(page, "one")
    assert texts(page) == ["one"]


def test_on_a_phone_enter_breaks_the_line(borrow: Borrow) -> None:
    phone = borrow("Nina", viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    phone.fill("#say-text", "a" * 300)
    phone.press("#say-text", "Enter")
    phone.keyboard.type("b")
    phone.tap("#say-send")
    wait_for_text(phone, "a" * 300)
    assert texts(phone) == ["a" * 300 + "\nb"]
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
