"""The page without a server, in several tabs, without focus, and by its address."""

from __future__ import annotations

import http.server
import shutil
import threading
from functools import partial
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import (
    ANOTHER_HOST,
    CLIENT,
    Borrow,
    Visit,
    come_back,
    come_in,
    introduce,
    recognized,
    say,
    texts,
    wait_for,
    wait_for_text,
)
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient

LOOKED_AFTER = """async () => {
    const { active } = await navigator.serviceWorker.ready;
    if (active.state !== "activated") await new Promise((resolve) => (active.onstatechange = resolve));
}"""

# A browser without a head believes that one looks at all tabs at once; and it shows no notifications.
PRETENCE = """
    window.looks = true;
    window.notes = [];
    Document.prototype.hasFocus = () => window.looks;
    window.Notification = class {
        static permission = "granted";
        constructor(title, { body }) { window.notes.push(`${title}: ${body}`); }
        close() {}
    };
"""


def tab(context: BrowserContext, url: str) -> Page:
    """One more tab, in which one can look away."""
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(PRETENCE)
    page.clock.install()
    page.goto(url)
    return page


def look(page: Page, *, here: bool) -> None:
    """Turn to the tab, or away from it."""
    page.evaluate("here => { looks = here; dispatchEvent(new Event(here ? 'focus' : 'blur')); }", here)


def test_a_known_user_opens_the_page_without_a_server_and_their_messages_are_sent_later(
    server: RunningServer, visit_as: Visit
) -> None:
    page = visit_as("Anna", server.page + "#dev", service_workers="allow")
    page.evaluate(LOOKED_AFTER)
    server.stop()
    page.reload()
    recognized(page, "Anna")
    say(page, "written without a server")
    expect(page.locator(".waiting .text")).to_have_text("written without a server")
    say(page, "/help")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    server.start()
    wait_for_text(page, "written without a server")
    log = (server.directory / "chat_history.dev.txt").read_text(encoding="utf-8")
    assert log.endswith("] Anna: written without a server\n")


def test_a_reachable_server_serves_its_own_page_and_not_the_cached_one(tmp_path: Path, visit: Visit) -> None:
    client = tmp_path / "client"
    shutil.copytree(CLIENT, client)
    files = file_server(client)
    page = visit(f"http://localhost:{files.server_port}/", service_workers="allow")
    page.evaluate("navigator.serviceWorker.register('sw.js')")
    page.evaluate(LOOKED_AFTER)
    # Both the page and a module that it will want only later.
    for file in (client / "index.html", client / "chat" / "writing" / "emoji.js"):
        file.write_text(
            file.read_text(encoding="utf-8").replace("Besedka", "Newer").replace("😄", "🆕"), "utf-8"
        )
    find = "async () => (await import('./chat/writing/emoji.js')).find('smile')[0].emoji"
    page.reload()
    assert "Newer" in page.content()
    wait_for(
        page, "async () => (await (await caches.match('./chat/writing/emoji.js')).text()).includes('🆕')"
    )
    files.shutdown()
    files.server_close()
    page.reload()
    assert "Newer" in page.content()
    assert page.evaluate(find) == "🆕"


def file_server(directory: Path) -> http.server.ThreadingHTTPServer:
    """Any file server, as `python -m http.server` is one."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(directory))
    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=files.serve_forever, daemon=True).start()
    return files


def test_the_outbox_of_a_closed_tab_is_sent_by_another_tab(server: RunningServer, visit_as: Visit) -> None:
    one = visit_as("Anna", server.page)
    other = tab(one.context, server.page + "#dev")
    come_back(other, "Anna")
    server.stop()
    for number in range(3):
        say(one, f"from the first {number}")
    say(other, "from the second")
    expect(one.locator(".waiting")).to_have_count(3)
    one.close()
    server.start()
    wait_for_text(other, "from the second")
    other.evaluate("location.hash = '#main'")
    wait_for_text(other, "from the first 2")
    assert texts(other) == [f"from the first {number}" for number in range(3)]
    assert [line.rsplit(": ", 1)[1] for line in server.lines] == texts(other)
    assert other.evaluate("Object.keys(localStorage).filter((key) => key.includes('unsent'))") == []


def test_two_tabs_that_reconnect_send_their_outboxes_once_and_in_order(
    server: RunningServer, visit_as: Visit
) -> None:
    one = visit_as("Anna", server.page)
    other = tab(one.context, server.page)
    come_back(other, "Anna")
    server.stop()
    for number in range(4):
        say(one, f"one {number}")
        say(other, f"other {number}")
    server.start()
    for page in (one, other):
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.locator(".message.delivered")).to_have_count(8)
        expect(page.locator(".waiting")).to_have_count(0)
    said = [line.rsplit(": ", 1)[1] for line in server.lines]
    assert sorted(said) == sorted({f"{tab} {number}" for tab in ("one", "other") for number in range(4)})
    assert [text for text in said if text.startswith("one")] == [f"one {number}" for number in range(4)]
    assert [text for text in said if text.startswith("other")] == [f"other {number}" for number in range(4)]
    assert texts(one) == texts(other) == said


def test_reading_in_one_tab_counts_in_the_others(server: RunningServer, visit: Visit) -> None:
    context = visit("about:blank").context
    introduce(context, "Anna")
    reading, resting = tab(context, server.page), tab(context, server.page)
    for page in (reading, resting):
        come_back(page, "Anna")
        look(page, here=False)
    with WireClient(server) as boris:
        boris.join("Boris")
        boris.send_frame("chat", text="Anna?")
        for page in (reading, resting):
            page.wait_for_function("() => document.title.startsWith('(1)')")
        look(reading, here=True)
        resting.wait_for_function("() => !document.title.startsWith('(')")


def test_an_unfocused_tab_notifies_of_mentions_and_marks_its_icon(
    server: RunningServer, visit: Visit
) -> None:
    context = visit("about:blank").context
    introduce(context, "Anna")
    page = tab(context, server.page)
    come_back(page, "Anna")
    plain = page.get_attribute("link[rel=icon]", "href")
    with WireClient(server) as boris, WireClient(server) as guest:
        boris.join("Boris", secret="the secret of Boris")
        guest.join("Guest")

        def post(*said: str, author: WireClient = boris) -> None:
            for text in said:
                author.send_frame("chat", text=text)
            wait_for_text(page, said[-1])
            page.clock.run_for(2000)  # by then it is known that no other tab has shown it

        post("Anna, you see this")
        assert page.evaluate("notes") == []
        look(page, here=False)
        post("nothing", "Anna, look here")
        page.wait_for_function("() => notes.length")
        assert page.evaluate("notes") == ["Boris, # main: Anna, look here"]
        assert page.title().startswith("(2)")
        assert "circle" in str(page.get_attribute("link[rel=icon]", "href"))
        look(page, here=True)
        page.wait_for_function("() => !document.title.startsWith('(')")
        expect(page.locator("link[rel=icon]")).to_have_attribute("href", server.page + str(plain))
        for which, text in (("all", "to all"), ("off", "Anna, not now")):
            say(page, f"/bell {which}")
            look(page, here=False)
            post(text)
            page.wait_for_function("() => notes.length === 2")
            look(page, here=True)
        notes = ["Boris, # main: Anna, look here", "Boris, # main: to all"]
        assert page.evaluate("notes") == notes
        say(page, "/bell on")
        look(page, here=False)
        post("Anna, I am Boris", author=guest)
        page.wait_for_function("() => notes.length === 3")
        assert page.evaluate("notes") == [*notes, "Guest (not verified), # main: Anna, I am Boris"]
        with WireClient(server) as other:
            other.join("Clara, # plans")
            post("Anna, all is planned", author=other)
        page.wait_for_function("() => notes.length === 4")
        assert page.evaluate("notes[3]") == "“Clara, # plans” (not verified), # main: Anna, all is planned"
        look(page, here=True)
        say(page, "/bell off")
    page.reload()
    come_back(page, "Anna")
    assert '"notice":"none"' in page.evaluate("localStorage['besedka.room.main']")


def test_the_address_and_the_back_button_open_rooms_and_messages(
    server: RunningServer, visit_as: Visit
) -> None:
    with WireClient(server) as boris:
        boris.join("Boris")
        for number in range(1, 301):
            boris.send_frame("chat", text=f"message {number}")
        boris.receive_to(300)
    page = visit_as("Anna", server.page + "#main/17")
    expect(page.locator("[data-id='17']")).to_be_in_viewport()
    page.evaluate("location.hash = '#Dev'")
    expect(page.locator("#room")).to_contain_text("dev")
    # The browser learns of an entry of its history from the page, perhaps after the page has been drawn.
    page.wait_for_url("**/#dev")
    say(page, "/join кухня")
    expect(page.locator("#room")).to_contain_text("кухня")
    page.wait_for_url(f"**/#{quote('кухня')}")
    page.go_back()
    expect(page.locator("#room")).to_contain_text("dev")
    page.evaluate("location.hash = '#main/200'")
    expect(page.locator("[data-id='200']")).to_be_in_viewport()


def test_a_change_that_comes_between_a_link_and_its_event_does_not_undo_it(room: str, borrow: Borrow) -> None:
    """The browser changes the address at once, and tells the page a moment later."""
    page = borrow("Nina")
    page.evaluate(
        """(room) => {
            location.hash = `#${room}-b`;
            const newValue = JSON.stringify({ notice: "all" });
            dispatchEvent(new StorageEvent("storage", { key: `besedka.room.${room}`, newValue }));
        }""",
        room,
    )
    expect(page.locator("#room")).to_have_text(f"# {room}-b")
    page.wait_for_url(f"**/#{room}-b")


def test_on_plain_http_the_whole_page_is_prefetched(make_server: ServerMaker, visit: Visit) -> None:
    server = make_server("--open", "--public-host", ANOTHER_HOST).start()
    page = visit(server.page.replace("localhost", ANOTHER_HOST))
    come_in(page, "Anna")
    assert page.evaluate("[isSecureContext, 'serviceWorker' in navigator]") == [False, False]
    page.wait_for_function(
        """() => {
            const fetched = performance.getEntriesByType("resource").map(({ name }) => name);
            const has = (file) => fetched.some((name) => name.endsWith(`/${file}.js`));
            return ["emoji", "qr", "notifications", "help/view", "search/view"].every(has);
        }"""
    )
    server.stop()
    say(page, "/help")
    expect(page.locator("dialog[open]")).to_be_visible()
