"""Stories of people who look for something in Firefox, on whatever device, as they like it."""

from __future__ import annotations

from tests.conftest import ServerMaker
from tests.firefox.conftest import (
    Visit,
    come_in,
    delivered,
    go,
    hidden,
    receives_focus,
    say,
    settled,
    shown,
    texts,
)
from tests.running import RunningServer

IN_VIEW = """(selector) => {
    const one = document.querySelector(selector)?.getBoundingClientRect();
    const log = document.getElementById("log").getBoundingClientRect();
    return Boolean(one) && one.top >= log.top - 1 && one.bottom <= log.bottom + 1;
}"""
PHONE = (390, 844)


def with_history(make_server: ServerMaker, count: int = 1000) -> RunningServer:
    """A server whose room has messages, of which one is unlike the others."""
    server = make_server("--lang", "en")
    lines = [f"[2025-01-01 10:00:00] Boris: message {number}\n" for number in range(1, count + 1)]
    lines[76] = "[2025-01-01 10:00:00] Анна: иголка в стоге сена\n"
    server.history.write_text("".join(lines), encoding="utf-8")
    return server.start()


def test_a_search_finds_a_message_and_shows_it_among_its_neighbours(
    make_server: ServerMaker, visit: Visit
) -> None:
    tab = visit(with_history(make_server).page)
    come_in(tab, "Clara")
    tab.click("[data-open=search]")
    receives_focus(tab, ".search input[type=search]")
    tab.type("Иголка")
    tab.wait_for("() => document.querySelectorAll('.search li').length === 1")
    assert texts(tab, ".search li mark") == ["иголка"]
    tab.click(".search li button")
    tab.wait_for(IN_VIEW, ".target[data-id='77']")
    shown(tab, ".message .text", "message 76")
    shown(tab, ".message .text", "message 78")
    tab.click("#newer")
    delivered(tab, "message 1000")
    tab.wait_for(IN_VIEW, ".message[data-id='1000']")


def test_a_permalink_opens_at_its_message_and_back_and_forward_lead_where_they_should(
    make_server: ServerMaker, visit: Visit
) -> None:
    server = with_history(make_server)
    tab = visit(f"{server.page}#main/500")
    come_in(tab, "Clara")
    tab.wait_for(IN_VIEW, ".target[data-id='500']")
    go(tab, "garden")
    tab.call("() => history.back()")
    shown(tab, "#room", "main")
    tab.call("() => history.forward()")
    shown(tab, "#room", "garden")
    tab.call("() => void (location.hash = 'main/100')")
    tab.wait_for(IN_VIEW, ".target[data-id='100']")


def test_scrolling_up_brings_older_messages_and_the_place_stays(
    make_server: ServerMaker, visit: Visit
) -> None:
    tab = visit(with_history(make_server).page)
    come_in(tab, "Clara")
    delivered(tab, "message 1000")
    # Ten messages leave nothing to scroll: a page of older ones comes by itself.
    tab.wait_for("() => document.querySelectorAll('.message').length > 10")
    first = tab.call("() => Number(document.querySelector('.message[data-id]').dataset.id)")
    for _ in range(3):
        tab.scroll("#log", -2000)
        first = tab.wait_for(
            """(first) => {
                const id = Number(document.querySelector(".message[data-id]").dataset.id);
                return id < first ? id : 0;
            }""",
            first,
        )
        # The reader is neither thrown to the top nor to the end.
        tab.wait_for("() => log.scrollTop > 0 && log.scrollHeight - log.scrollTop - log.clientHeight > 100")
    shown(tab, "#newer")


def test_the_theme_and_the_language_apply_and_stay(server: RunningServer, visit: Visit) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    background = "() => getComputedStyle(document.body).backgroundColor"
    light = tab.call(background)
    tab.click("[data-open=preferences]")
    shown(tab, "dialog[open] select")
    choose = """(value) => {
        const select = [...document.querySelectorAll("dialog[open] select")].find((one) => [...one.options].some((option) => option.value === value));
        select.value = value;
        select.dispatchEvent(new Event("input", { bubbles: true }));
        select.dispatchEvent(new Event("change", { bubbles: true }));
    }"""
    tab.call(choose, "dark")
    dark = tab.call(background)
    assert dark != light
    # The track of a scrollbar would be white where the system is light.
    assert tab.call("() => getComputedStyle(log).scrollbarColor").endswith("rgba(0, 0, 0, 0)")
    tab.call(choose, "ru")
    tab.wait_for("() => document.documentElement?.lang === 'ru'")
    settled(tab)
    tab.reload()
    settled(tab)
    assert tab.call(background) == dark
    assert tab.call("() => document.documentElement?.lang") == "ru"
    shown(tab, "[data-open=help]", "Справка")


def test_a_russian_browser_gets_a_russian_page(server: RunningServer, visit: Visit) -> None:
    tab = visit(server.page, locale="ru-RU")
    tab.wait_for("() => document.documentElement?.lang === 'ru'")
    shown(tab, "#login-enter", "Войти")
    come_in(tab, "Анна")
    say(tab, "доброе утро")
    delivered(tab, "доброе утро")
    assert tab.call("() => document.getElementById('say-text').placeholder") == "Напишите сообщение …"
    shown(tab, "#people", "1 человек")


def test_a_phone_has_the_rooms_in_a_drawer_and_the_search_gives_way_to_the_hit(
    make_server: ServerMaker, visit: Visit
) -> None:
    tab = visit(with_history(make_server).page, size=PHONE)
    come_in(tab, "Clara")
    assert tab.call("() => document.documentElement.scrollWidth") <= PHONE[0]
    say(tab, "from a phone, " + "w" * 200)
    delivered(tab, "from a phone")
    hidden(tab, "#side")
    tab.click("#menu")
    shown(tab, "#side")
    tab.press("Escape")
    hidden(tab, "#side")
    tab.click("#menu")
    go(tab, "garden")
    hidden(tab, "#side")
    tab.click("#menu")
    tab.click("#rooms [data-room=main] a")
    hidden(tab, "#side")
    tab.click("[data-open=search]")
    receives_focus(tab, ".search input[type=search]")
    tab.type("message 500")
    tab.click(".search li button")
    hidden(tab, ".search")
    tab.wait_for(IN_VIEW, ".target[data-id='500']")
    assert tab.call("() => document.documentElement.scrollWidth") <= PHONE[0]


def test_a_pasted_picture_and_a_dropped_file_are_explained_and_change_nothing(
    server: RunningServer, visit: Visit
) -> None:
    tab = visit(server.page)
    come_in(tab, "Anna")
    tab.type("half a thought")
    before = tab.call("() => location.href")
    for act in (DROP, PASTE):
        assert tab.call(act) is (act is DROP)
        shown(tab, "#hint", "Files cannot be sent here. Send a link instead.")
        tab.type("!")
        tab.wait_for("() => !document.getElementById('hint').textContent")
    assert tab.call("() => document.getElementById('say-text').value") == "half a thought!!"
    assert tab.call("() => location.href") == before


TRANSFER = """() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["x"], "x.png", { type: "image/png" }));
"""
DROP = (
    TRANSFER
    + """
    const over = new DragEvent("dragover", { dataTransfer: transfer, bubbles: true, cancelable: true });
    log.dispatchEvent(over);
    const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
    log.dispatchEvent(event);
    return over.defaultPrevented && event.defaultPrevented;
}"""
)
# Firefox makes a paste without its files, and has no pictures in the clipboard of a browser without a head.
PASTE = (
    TRANSFER
    + """
    const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true });
    Object.defineProperty(event, "clipboardData", { value: transfer });
    document.getElementById("say-text").dispatchEvent(event);
    return event.defaultPrevented;
}"""
)
