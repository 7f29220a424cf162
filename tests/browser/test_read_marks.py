"""How far a person has read follows them from one browser to the other."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit, come_in, receive_numbered, say, settled, wait_for_text
from tests.running import RunningServer
from tests.talking import WireClient

SECRET = "f" * 64


def device(visit: Visit, server: RunningServer, room: str = "main") -> Page:
    """A browser of Anna's, in a room."""
    page = visit("about:blank")
    page.add_init_script(f"localStorage['besedka.secret'] = '{SECRET}'")
    page.goto(server.page + f"#{room}")
    come_in(page, "Anna")
    return page


def badge(page: Page, room: str = "main") -> Locator:
    return page.locator(f"#rooms [data-room='{room}'] .count")


def test_what_was_read_in_one_browser_is_read_in_the_other(server: RunningServer, visit: Visit) -> None:
    laptop, phone = device(visit, server), device(visit, server)
    phone.goto(server.page + "#dev")
    settled(phone)
    # It is in another room, and only counts what comes in this one.
    receive_numbered(laptop, server, "main", 3)
    expect(badge(phone)).to_have_text("3")
    expect(phone).to_have_title("(3) # dev · Besedka")
    # By and by the laptop, where they are on the screen, has reported that.
    expect(badge(phone)).to_be_hidden()
    expect(phone).to_have_title("# dev · Besedka")
    phone.click("#rooms [data-room='main'] a")
    wait_for_text(phone, "message 2")
    expect(phone.locator(".fresh")).to_have_count(0)


def test_a_new_browser_goes_on_where_the_person_has_stopped(server: RunningServer, visit: Visit) -> None:
    laptop = device(visit, server)
    receive_numbered(laptop, server, "main", 3)
    with WireClient(server) as watcher:
        watcher.join("Anna", secret=SECRET)
        assert watcher.receive("read")["id"] == 3
        laptop.close()
        with WireClient(server) as boris:
            boris.join("Boris")
            for number in range(3, 5):
                boris.ask("chat", text=f"message {number}")
    phone = device(visit, server)
    wait_for_text(phone, "message 4")
    expect(phone.locator(".fresh + .message .text")).to_have_text("message 3")


def test_what_was_read_is_reported_at_once_when_the_user_leaves_the_tab(
    server: RunningServer, visit: Visit
) -> None:
    page = visit("about:blank")
    page.clock.install()  # nothing is sent by a timer
    page.add_init_script(f"localStorage['besedka.secret'] = '{SECRET}'")
    page.goto(server.page)
    come_in(page, "Anna")
    with WireClient(server) as phone:
        phone.join("Anna", secret=SECRET)
        receive_numbered(page, server, "main", 2)
        page.evaluate(
            """() => {
                Object.defineProperty(document, "hidden", { get: () => true });
                document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
        assert phone.receive("read")["id"] == 2


def test_a_message_that_was_marked_as_unread_stays_so_whatever_is_read_elsewhere(
    server: RunningServer, visit: Visit
) -> None:
    page = device(visit, server)
    receive_numbered(page, server, "main", 3)
    with WireClient(server) as phone:
        phone.join("Anna", secret=SECRET)
        assert phone.receive("read")["id"] == 3
        page.locator(".message", has=page.get_by_text("message 1", exact=True)).hover()
        page.get_by_role("button", name="Mark as unread").click()
        expect(badge(page)).to_have_text("2")
        with WireClient(server) as boris:
            boris.join("Boris")
            boris.ask("chat", text="message 3")
        expect(badge(page)).to_have_text("3")
        phone.send_frame("read", id=4)
        # Behind it the server has sent something else: the mark has come, too.
        phone.send_frame("chat", text="from the phone", key="k")
        wait_for_text(page, "from the phone")
        expect(badge(page)).to_have_text("4")
        page.reload()
        settled(page)
        expect(page.locator(".fresh + .message .text")).to_have_text("message 1")
        say(page, "read again")
        phone.receive_until(lambda frame: frame["type"] == "read" and frame["id"] == 6)
