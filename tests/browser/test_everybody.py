"""A page for everybody: without a mouse, without sight, with other colours, sizes and directions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    Borrow,
    Visit,
    ask_for_older,
    come_in,
    log_of,
    say,
    texts,
    wait_for,
    wait_for_animations,
    wait_for_text,
)
from tests.browser.test_accessibility import FAINT
from tests.browser.views import MESSAGES, everything, with_all_kinds_of_messages
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient

LANGUAGES = """async () => {
    const shape = (strings) => Object.entries(strings).map(([key, value]) =>
        [key, typeof value === "object" ? shape(value).filter(() => key !== "keys") : typeof value]).sort();
    const all = [];
    for (const tag of ["en", "ru"]) {
        const { strings } = await import(`/chat/language/${tag}.js`);
        const { features } = await import(`/chat/language/${tag}.features.js`);
        all.push([shape(strings), shape(features), Object.keys(features.keys).length]);
    }
    return all;
}"""


@pytest.fixture
def motion() -> str:
    """Everything moves."""
    return "no-preference"


def test_both_languages_have_the_same_words(borrow: Borrow) -> None:
    english, russian = borrow("Nina").evaluate(LANGUAGES)
    assert english == russian


def open_about(page: Page) -> None:
    page.click("[data-open=about]")
    page.get_by_role("dialog").wait_for()


def open_switcher(page: Page) -> None:
    page.keyboard.press("Control+K")
    page.get_by_role("option").first.wait_for()


def open_preferences(page: Page) -> None:
    page.click("[data-open=preferences]")
    page.get_by_role("dialog", name="Preferences").wait_for()


@pytest.fixture
def lively(make_server: ServerMaker, tmp_path: Path) -> RunningServer:
    """A server with a history of everything that looks like something of its own."""
    return with_all_kinds_of_messages(make_server, tmp_path)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_who_has_come_in_can_write_at_once(house: RunningServer, room: str, visit: Visit) -> None:
    page = visit(f"{house.page}#{room}")
    come_in(page, "Anna")
    page.keyboard.type("hi")
    page.keyboard.press("Enter")
    wait_for_text(page, "hi")


def test_a_screen_reader_announces_new_messages_and_no_old_ones(lively: RunningServer, visit: Visit) -> None:
    page = visit(lively.page)
    page.evaluate(
        """() => {
            window.said = [];
            const note = () => news.textContent && said.push(news.textContent);
            new MutationObserver(note).observe(news, { childList: true });
        }"""
    )
    come_in(page, "Anna")
    log = page.get_by_role("log", name="Messages")
    assert log.get_attribute("aria-live") == "off"
    ask_for_older(page)
    expect(page.locator(".message")).to_have_count(MESSAGES)
    with WireClient(lively, max_queue=None) as boris:
        boris.join("Boris")
        boris.send_frame("chat", text="good morning")
        page.wait_for_function("() => said.length === 1")
        for number in range(20):
            boris.send_frame("chat", text=f"and {number}")
        page.wait_for_function("() => said.length > 1 && said.at(-1).includes('new messages')")
    announced = page.evaluate("() => said")
    assert announced[0] == "Boris (not verified): good morning"
    assert not any("hello" in text for text in announced)


def test_the_keyboard_is_enough(server: RunningServer, visit: Visit) -> None:
    page = visit(server.page, permissions=["clipboard-read", "clipboard-write"])
    expect(page.locator("#login-name")).to_be_focused()
    page.keyboard.type("Anna")
    page.keyboard.press("Enter")
    page.wait_for_selector("#chat[aria-busy=false]")
    for text in ("first", "second", "third"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        wait_for_text(page, text)
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.id") == "log"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".message:focus .text")).to_have_text("second")
    assert page.locator(".message:focus").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    expect(page.locator(".message:focus .tools")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy the link")).to_be_focused()
    page.keyboard.press("Enter")
    wait_for(page, "async () => (await navigator.clipboard.readText()).endsWith('/2')")
    page.keyboard.press("Escape")
    expect(page.locator("#say-text")).to_be_focused()
    # From the top: the rooms, the bar, the log, the box.
    page.focus("#rooms a")
    order = []
    for _ in range(13):
        page.keyboard.press("Tab")
        order.append(page.evaluate(FOCUSED))
    side = ["input", "button", "chat_link", "device", "preferences", "help", "leave"]
    assert order == [*side, "people", "search", "about", "log", "say-text", "say-send"]


FOCUSED = """() => {
    const { id, dataset, localName } = document.activeElement;
    return id || dataset.open || localName;
}"""


def test_touch_targets_are_large_enough(house: RunningServer, room: str, visit: Visit) -> None:
    phone = visit(
        house.page + f"#{room}", viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True
    )
    small = phone.evaluate(SMALL_TARGETS)
    come_in(phone, "Anna")
    phone.tap("#say-text")
    phone.fill("#say-text", "a long text\n" * 40)
    phone.tap("#say-send")
    expect(phone.locator(".unfold")).to_be_visible()
    small += phone.evaluate(SMALL_TARGETS)
    for name in ("drawer", "search", "about"):
        phone.tap(f"[data-open={name}]")
        phone.locator({"drawer": "#side", "search": ".search", "about": "dialog"}[name]).wait_for()
        wait_for_animations(phone)
        small += phone.evaluate(SMALL_TARGETS)
        phone.keyboard.press("Escape")
    assert small == []


SMALL_TARGETS = """() => [...document.querySelectorAll("button, a[href], input, textarea, label")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !one.closest("[inert]") && !one.matches("label input"))
    .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
    .filter(([, { width, height }]) => width && (width < 44 || height < 44))
    .map(([html, { width, height }]) => `${html}: ${width} × ${height}`)"""


def test_at_twice_the_size_everything_is_there(borrow: Borrow) -> None:
    page = borrow("Nina")
    say(page, "a text that is long enough to need more than one line on a narrow page")
    say(page, "w" * 200)
    wait_for_text(page, "w" * 200)
    for width, height, size in ((640, 400, "100%"), (320, 480, "100%"), (1280, 800, "200%")):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("size => document.documentElement.style.fontSize = size", size)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for part in ("#room", "#people", "[data-open=search]", "[data-open=about]", "#say-text", "#say-send"):
            box = page.locator(part).bounding_box()
            assert box, part
            assert box["x"] >= 0, part
            assert box["x"] + box["width"] <= width, part
            assert box["y"] + box["height"] <= height, part
    page.evaluate("() => { document.documentElement.style.fontSize = ''; }")


def test_texts_that_run_the_other_way_do(borrow: Borrow) -> None:
    page = borrow("Nina")
    say(page, "שלום עולם")
    wait_for_text(page, "שלום")
    assert page.locator(".text").first.evaluate("e => getComputedStyle(e).direction") == "rtl"
    page.fill("#say-text", "مرحبا")
    assert page.locator("#say-text").evaluate("e => getComputedStyle(e).direction") == "rtl"


def test_without_colours_and_movement_nothing_is_lost(lively: RunningServer, visit: Visit) -> None:
    page = visit(lively.page, forced_colors="active", reduced_motion="reduce")
    everything(page, lively)
    borders = "e => getComputedStyle(e).borderTopStyle"
    own = page.locator(".own .bubble").first.evaluate(borders)
    other = page.locator(".message:not(.own) .bubble").first.evaluate(borders)
    assert own != other
    slow = "e => getComputedStyle(e).transitionDuration.split(', ').map(parseFloat)"
    assert max(page.locator("#chat").evaluate(slow)) < 0.01


def test_with_forced_colours_controls_messages_and_the_focus_keep_their_marks(
    house: RunningServer, room: str, visit: Visit
) -> None:
    page = visit(f"{house.page}#{room}", forced_colors="active", reduced_motion="reduce")
    expect(page.locator("#login-enter")).to_be_enabled()
    unmarked = {"login": page.evaluate(UNMARKED)}
    come_in(page, "Anna")
    with WireClient(house) as boris:
        boris.join("Boris", room)
        boris.send_frame("chat", room=room, text="plain")
        boris.send_frame("chat", room=room, text="for @Anna, `code`")
        wait_for_text(page, "for @Anna")
    say(page, "own")
    wait_for_text(page, "own")
    page.evaluate("hash => { location.hash = hash; }", f"{room}/3")
    page.locator(".target").wait_for()
    borders = page.locator(".bubble").evaluate_all(BORDERS)
    assert len(set(borders)) == 3, borders
    assert page.locator("mark, code").evaluate_all(BORDERS) == ["1px solid, 1px solid"] * 2
    assert page.locator(".target .bubble").evaluate("one => getComputedStyle(one).outlineStyle") == "solid"

    unmarked["chat"] = page.evaluate(UNMARKED)
    for open_panel in (open_about, open_preferences, open_switcher):
        open_panel(page)
        unmarked[open_panel.__name__] = page.evaluate(UNMARKED)
        page.keyboard.press("Escape")
    page.click("[data-open=search]")
    page.get_by_role("searchbox").wait_for()
    unmarked["search"] = page.evaluate(UNMARKED)
    page.keyboard.press("Escape")
    assert {name: found for name, found in unmarked.items() if found} == {}

    page.focus("#rooms a")
    for _ in range(13):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS_IS_SEEN), page.evaluate(FOCUSED)


BORDERS = """all => all.map((one) => {
    const { borderTop, borderInlineStart } = getComputedStyle(one);
    return [borderTop, borderInlineStart].map((border) => border.split(" ").slice(0, 2).join(" ")).join(", ");
})"""
# Controls without a border of their own, or of the form around them. Checkboxes are drawn by the browser.
UNMARKED = """() => [...document.querySelectorAll("button, select, textarea, input:not([type=radio], [type=checkbox])")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !one.closest("[inert]"))
    .filter((one) => [one, ...(one.id === "say-text" ? [one.form] : [])].every((one) => getComputedStyle(one).borderTopStyle === "none"))
    .map((one) => one.outerHTML.slice(0, 80))"""
FOCUS_IS_SEEN = """() => [document.activeElement, document.activeElement.closest(".composer form")]
    .some((one) => one && getComputedStyle(one).outlineStyle !== "none")"""


def test_a_print_has_the_loaded_log_and_nothing_else_in_black_on_white(
    house: RunningServer, room: str, borrow: Borrow
) -> None:
    lines = [
        f"[2025-01-01 10:00:00] {'Boris' if number % 4 else 'Nina'}: message {number}"
        for number in range(1, 58)
    ]
    lines += ["[2025-01-02 10:00:00] Boris: " + "\n\t".join(f"line {number}" for number in range(40))]
    lines += [
        "[2025-01-02 10:00:00] Nina: for @Nina, `code`",
        "[2025-01-02 10:00:01] Boris: ```\n\tcode\n\t```",
    ]
    log_of(house, room).write_text("\n".join(lines) + "\n", encoding="utf-8")
    page = borrow("Nina")
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.locator(".message[data-id='60']").wait_for()
    page.evaluate("log.scrollTop = 0")
    page.locator(".message[data-id='1']").wait_for()
    page.evaluate("log.scrollTop = log.scrollHeight")
    expect(page.locator("#newer")).to_be_hidden()
    page.click("[data-open=search]")
    page.locator(".search").wait_for()  # it moves the other buttons
    page.click("[data-open=about]")
    page.get_by_role("dialog").wait_for()
    page.emulate_media(media="print")
    assert page.evaluate(SHOWN_BESIDE_THE_LOG) == []
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(FAINT) == []
    black = page.locator(".message .text").first.evaluate("one => getComputedStyle(one).color")
    white = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (black, white) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    for shown in (".day", ".message.first .name", ".own.first .name", ".beginning"):
        expect(page.locator(shown).first).to_be_visible()
    expect(page.get_by_text("line 39")).to_be_visible()
    kept_whole = page.locator(".message").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).breakInside)"
    )
    assert kept_whole == ["avoid"] * 60
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf())) > 1
    # On the screen again everything is where it was.
    page.emulate_media(media="screen")
    page.keyboard.press("Escape")
    wait_for(
        page,
        "() => log.scrollHeight > log.clientHeight && log.scrollHeight - log.scrollTop - log.clientHeight < 5",
    )
    expect(page.locator("#newer")).to_be_hidden()
    page.locator(".search").get_by_role("button", name="Close").click()


SHOWN_BESIDE_THE_LOG = """() => [...document.querySelectorAll("body *")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest("#rows, .beginning, .unseen"))
    .filter((one) => !one.querySelector("#rows") && one.getBoundingClientRect().height > 1)
    .map((one) => one.outerHTML.slice(0, 80))"""
# What hides a part of the log.
CUT_OFF = """() => [...document.querySelectorAll("html, body, body *")]
    .filter((one) => one.querySelector("#rows, .text") || one.matches(".text"))
    .filter((one) => getComputedStyle(one).position === "fixed" || (getComputedStyle(one).overflowY !== "visible" && one.localName !== "html"))
    .map((one) => one.outerHTML.slice(0, 80))"""


def test_the_passage_from_the_login_to_the_talk_is_smooth(
    house: RunningServer, room: str, visit: Visit
) -> None:
    page = visit(house.page + f"#{room}")
    page.evaluate(
        """() => {
            window.faded = [];
            const note = ({ propertyName, target }) => propertyName === "opacity" && faded.push(target.id);
            document.addEventListener("transitionrun", note);
        }"""
    )
    page.fill("#login-name", "Anna")
    page.press("#login-name", "Enter")
    # One fades into the other.
    page.wait_for_function("() => ['login', 'chat'].every((id) => faded.includes(id))")
    page.wait_for_function(
        "() => getComputedStyle(chat).opacity === '1' && getComputedStyle(login).visibility === 'hidden'"
    )
    assert texts(page) == []


def test_phones_find_icons_of_the_sizes_that_they_are_promised(borrow: Borrow) -> None:
    page = borrow("Nina")
    promised = {
        "icon-192.png": [192, False],
        "icon-512.png": [512, False],
        "icon-maskable.png": [512, True],
        "apple-touch-icon.png": [180, True],
    }
    assert page.evaluate(ICONS) == promised


# The width of each icon as the page and its manifest promise and its picture has it, and whether it fills its corners.
ICONS = """async () => {
    const link = (rel) => document.querySelector(`link[rel=${rel}]`).href;
    const { icons } = await (await fetch(link("manifest"))).json();
    const pictures = icons.filter(({ type }) => type === "image/png").map(({ src, sizes, purpose }) => [src, sizes, purpose]);
    const all = [...pictures, [link("apple-touch-icon"), "180x180", "maskable"]].map(async ([src, sizes, purpose]) => {
        const picture = await createImageBitmap(await (await fetch(src)).blob());
        const { width, height } = picture;
        const canvas = new OffscreenCanvas(width, height).getContext("2d");
        canvas.drawImage(picture, 0, 0);
        const isFull = canvas.getImageData(0, 0, 1, 1).data[3] === 255;
        if (sizes !== `${width}x${height}` || isFull !== (purpose === "maskable")) throw new Error(`${src}: ${width}x${height}`);
        return [new URL(src, location.href).pathname.slice(1), [width, isFull]];
    });
    return Object.fromEntries(await Promise.all(all));
}"""
