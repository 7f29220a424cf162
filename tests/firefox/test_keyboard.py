"""Firefox without a mouse: the keyboard reaches everything, shows where it is, and is caught nowhere."""

from __future__ import annotations

from tests.conftest import ServerMaker
from tests.firefox.bidi import Tab
from tests.firefox.conftest import Visit, come_in, delivered, hidden, receives_focus, settled, shown
from tests.running import RunningServer

ORDER = [
    "input",
    "button",
    "chat_link",
    "device",
    "preferences",
    "help",
    "leave",
    "people",
    "search",
    "about",
    "log",
    "say-text",
    "say-send",
]
"""The stops of Tab, from the room at the side on."""

FOCUSED = """() => {
    const { id, dataset, localName } = document.activeElement;
    return id || dataset.open || localName;
}"""
FOCUS_IS_SEEN = """() => {
    const one = document.activeElement;
    const marks = [one, one.closest(".composer form")].filter(Boolean).map((some) => getComputedStyle(some));
    return marks.some(({ outlineStyle, boxShadow }) => outlineStyle !== "none" || boxShadow !== "none");
}"""


def focus(tab: Tab, selector: str) -> None:
    tab.call("(selector) => document.querySelector(selector).focus()", selector)


def goes_around(tab: Tab) -> None:
    """Press Tab until the focus has left the page for the browser and is back: in the page it is in the dialog all the time."""
    was_away = False
    for _ in range(60):
        is_here, is_inside = tab.call(
            "() => [document.hasFocus(), Boolean(document.activeElement.closest('dialog[open]'))]"
        )
        assert is_inside or not is_here, tab.call(FOCUSED)
        if is_here and was_away:
            return
        was_away |= not is_here
        tab.press("Tab")
    raise AssertionError("the focus did not come back")


def test_tab_leads_through_the_page_in_order_and_out_of_it_and_the_focus_is_seen(
    server: RunningServer, visit: Visit
) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    tab.type("hello")
    tab.press("Enter")
    delivered(tab, "hello")
    focus(tab, "#rooms a")
    there, seen = [], []
    for _ in ORDER:
        tab.press("Tab")
        there.append(tab.call(FOCUSED))
        seen.append(tab.call(FOCUS_IS_SEEN))
    assert there == ORDER
    assert seen == [True] * len(ORDER)
    back = []
    for _ in ORDER[1:]:
        tab.press("Shift+Tab")
        back.append(tab.call(FOCUSED))
    assert back == ORDER[-2::-1]
    focus(tab, "#say-send")
    tab.press("Tab")
    assert tab.call(FOCUSED) != "say-send"


def test_the_arrows_choose_a_message_and_its_tools_are_behind_tab(
    server: RunningServer, visit: Visit
) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    for text in ("first", "second", "third"):
        tab.type(text)
        tab.press("Enter")
        delivered(tab, text)
    tab.press("Shift+Tab")
    receives_focus(tab, "#log")
    tab.press("ArrowUp", "ArrowUp")
    assert tab.call("() => document.activeElement.querySelector('.text').textContent") == "second"
    assert tab.call("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"
    shown(tab, ".message:focus .tools")
    tab.press("Tab")
    receives_focus(tab, ".tools button")
    tab.press("Escape")
    receives_focus(tab, "#say-text")


def test_the_switcher_opens_makes_a_room_and_closes_by_keys(server: RunningServer, visit: Visit) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    tab.press("Control+k")
    shown(tab, ".switcher [role=option]", "main")
    tab.press("Escape")
    hidden(tab, ".switcher")
    receives_focus(tab, "#say-text")
    tab.press("Control+k")
    shown(tab, ".switcher [role=option]", "main")
    tab.type("garden")
    shown(tab, ".switcher [role=option]", "Create the room")
    tab.press("ArrowDown", "Enter")
    shown(tab, "#room", "garden")
    tab.press("Control+k")
    shown(tab, ".switcher [role=option]", "main")
    tab.type("mai")
    tab.wait_for(
        "() => document.querySelector('.switcher [aria-selected=true]').textContent.includes('main')"
    )
    tab.press("Enter")
    shown(tab, "#room", "main")


def test_search_help_and_panels_open_and_close_by_keys_and_give_the_focus_back(
    make_server: ServerMaker, visit: Visit
) -> None:
    server = make_server("--lang", "en")
    lines = [f"[2025-01-01 10:00:00] Boris: message {number}\n" for number in range(1, 201)]
    server.history.write_text("".join(lines), encoding="utf-8")
    tab = visit(server.start().page)
    come_in(tab, "Anna")
    for name, panel in (
        ("help", ".help"),
        ("preferences", "dialog"),
        ("device", "dialog.device, .device"),
        ("chat_link", ".chat-link"),
        ("about", "dialog"),
        ("people", ".popup"),
    ):
        opener = f"[data-open={name}]"
        focus(tab, opener)
        tab.press("Enter")
        shown(tab, panel)
        if "popup" not in panel:
            goes_around(tab)
        tab.press("Escape")
        hidden(tab, panel)
        receives_focus(tab, opener)

    focus(tab, "[data-open=search]")
    tab.press("Enter")
    receives_focus(tab, ".search input[type=search]")
    tab.type("message 77")
    shown(tab, ".search li", "message 77")
    while not tab.call("() => Boolean(document.activeElement.closest('.search li'))"):
        tab.press("Tab")
    tab.press("Enter")
    shown(tab, ".target .text", "message 77")
    focus(tab, ".search input[type=search]")
    tab.press("Escape")
    hidden(tab, ".search")
    receives_focus(tab, "[data-open=search]")


def test_the_question_mark_opens_the_help_outside_of_text_boxes_only(
    server: RunningServer, visit: Visit
) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    tab.type("?")
    assert tab.call("() => document.getElementById('say-text').value") == "?"
    tab.press("Backspace", "Shift+Tab", "?")
    shown(tab, "dialog.help")
    tab.press("Escape")
    hidden(tab, "dialog.help")


def test_the_whole_visit_needs_no_mouse(server: RunningServer, visit: Visit) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    focus(tab, "#leave")
    tab.press("Enter")
    tab.wait_for("() => document.documentElement.dataset.scene === 'login'")
    receives_focus(tab, "#login-name")
    tab.press("Enter")
    settled(tab)
    receives_focus(tab, "#say-text")
