"""Many rooms: opening, leaving and making them, each with its place and draft."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.conftest import (
    Borrow,
    Visit,
    agree_to_new_rooms,
    come_back,
    come_in,
    log_of,
    receive_numbered,
    say,
    texts,
    turn_wheel,
    wait_for_animations,
    wait_for_text,
)
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient


def test_another_room_is_in_the_address(house: RunningServer, room: str, visit: Visit) -> None:
    page = visit(house.page + f"#{room}")
    come_in(page, "Anna")
    expect(page.locator("#room")).to_have_text(f"# {room}")
    say(page, "in another room")
    wait_for_text(page, "in another room")
    assert "in another room" in log_of(house, room).read_text(encoding="utf-8")


def test_each_room_keeps_its_place_and_its_draft(house: RunningServer, room: str, borrow: Borrow) -> None:
    page = borrow("Nina", viewport={"width": 900, "height": 500})
    receive_numbered(page, house, room, 80)
    turn_wheel(page, -900)
    expect(page.locator("#newer")).to_be_visible()
    place = page.evaluate(PLACE)
    page.fill("#say-text", "half a thou")
    make(page, f"{room}-b")
    assert texts(page) == []
    expect(page.locator("#say-text")).to_have_value("")
    expect(page.locator("#say-text")).to_be_focused()
    page.keyboard.type("begun here")
    page.click(f"#rooms [data-room='{room}'] a")
    expect(page.locator("#say-text")).to_have_value("half a thou")
    row, below = page.evaluate(PLACE)
    assert row == place[0]
    assert abs(below - place[1]) <= 1  # a browser scrolls to whole pixels
    page.wait_for_url(f"**/#{room}")
    page.go_back()
    expect(page.locator("#room")).to_have_text(f"# {room}-b")
    expect(page.locator("#say-text")).to_have_value("begun here")

    # All of it outlasts the visit.
    page.reload()
    come_back(page, "Nina")
    expect(page.locator("#rooms li")).to_have_count(2)
    expect(page.locator("#say-text")).to_have_value("begun here")


PLACE = """() => {
    const top = log.getBoundingClientRect().top;
    const row = [...document.querySelectorAll("[data-id]")].find((one) => one.getBoundingClientRect().bottom > top);
    return [row.dataset.id, Math.round(row.getBoundingClientRect().top - top)];
}"""


def test_others_rooms_are_listed_with_their_people_and_can_be_entered_and_left(
    server: RunningServer, visit: Visit
) -> None:
    with WireClient(server) as boris, WireClient(server) as clara:
        boris.join("Boris", "garden")
        clara.join("Clara", "garden")
        page = visit("about:blank")
        requests: list[str] = []
        page.on("websocket", lambda socket: socket.on("framesent", lambda data: requests.append(str(data))))
        page.goto(server.page)
        come_in(page, "Anna")
        expect(page.locator("#rooms li")).to_have_count(1)
        expect(page.locator("#others li")).to_have_text(["# garden2 people×"])
        lists = sum('"rooms"' in data for data in requests)
        boris.join("Boris", "attic")
        expect(page.locator("#others li")).to_have_text(["# garden2 people×", "# attic1 person×"])
        assert sum('"rooms"' in data for data in requests) == lists  # it was told
        page.click("#others a")
        expect(page.locator("#room")).to_have_text("# garden")
        expect(page.locator("#people")).to_have_text("3 people")
        expect(page.locator("#rooms [aria-current=page]")).to_have_text("# garden")
        expect(page.locator("#others li")).to_have_count(1)
        page.click("#people")
        expect(page.locator("#people-list li")).to_have_count(3)
        page.keyboard.press("Escape")
        expect(page.locator("#people-list")).to_be_hidden()
        page.hover("#rooms li >> nth=1")
        page.click("#rooms li >> nth=1 >> button")
        expect(page.locator("#room")).to_have_text("# main")
        expect(page.locator("#rooms li")).to_have_count(1)
        assert clara.receive_until(lambda frame: frame["type"] == "system" and "Anna" in frame["joined"])
        assert clara.receive_until(lambda frame: frame["type"] == "system" and "Anna" in frame["left"])


@pytest.mark.parametrize("touch", [{}, {"has_touch": True, "is_mobile": True}], ids=["mouse", "touch"])
def test_the_count_of_unread_messages_is_no_button_to_leave_the_room(
    house: RunningServer, room: str, borrow: Borrow, touch: dict[str, bool]
) -> None:
    page = borrow("Nina", **touch)
    make(page, f"{room}-b")
    with WireClient(house) as boris:
        boris.join("Boris", room)
        boris.send_frame("chat", room=room, text="Nina?")
        if page.locator("#menu").is_visible():
            page.click("#menu")
        count = page.locator(f"#rooms [data-room='{room}'] .count")
        expect(count).to_have_text("@ 1")
        count.hover()
        wait_for_animations(page)
        # Whatever is under a finger there belongs to the link.
        assert count.evaluate(COVERED) == []
        count.click()
        expect(page.locator("#room")).to_have_text(f"# {room}")


COVERED = """count => {
    const { left, right, top, bottom } = count.getBoundingClientRect();
    const [center, middle] = [(left + right) / 2, (top + bottom) / 2];
    const points = [[left, middle], [right + 2, middle], [center, top - 8], [center, bottom + 8], [center, middle]];
    return points.map(point => document.elementFromPoint(...point)).filter(one => one.closest("button")).map(one => one.outerHTML);
}"""


def test_leaving_a_room_can_be_undone_for_some_seconds(
    house: RunningServer, room: str, borrow: Borrow
) -> None:
    page = borrow("Nina")
    make(page, f"{room}-b")
    say(page, "kept")
    wait_for_text(page, "kept")
    page.fill("#say-text", "half a thought")
    page.hover(f"#rooms [data-room='{room}-b']")
    page.get_by_role("button", name=f"Leave the room {room}-b").click()
    expect(page.locator("#room")).to_have_text(f"# {room}")
    toast = page.locator(".toast")
    expect(toast).to_contain_text(f"You left # {room}-b.")
    with WireClient(house) as boris:
        boris.join("Boris", f"{room}-b")
        boris.send_frame("chat", room=f"{room}-b", text="meanwhile")
        boris.receive("chat")
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("#room")).to_have_text(f"# {room}-b")
    expect(page.locator("#say-text")).to_have_value("half a thought")
    wait_for_text(page, "meanwhile")
    assert texts(page) == ["kept", "meanwhile"]
    expect(toast).to_be_hidden()


def test_the_switcher_finds_rooms_and_makes_them_by_the_keyboard_alone(room: str, borrow: Borrow) -> None:
    page = borrow("Nina")
    for name in ("kitchen", "cellar"):
        page.keyboard.press("Control+K")
        expect(page.get_by_role("combobox", name="A room's name")).to_be_focused()
        page.keyboard.type(f"{room}-{name}")
        expect(page.get_by_role("option")).to_have_text(f"Create the room {room}-{name}")
        # Not by accident.
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("#room")).to_have_text(f"# {room}-{name}")
        expect(page.locator("#say-text")).to_be_focused()
    page.keyboard.press("Control+K")
    page.keyboard.type(f"{room}-kit")
    expect(page.get_by_role("option").first).to_have_text(f"# {room}-kitchen1 person")
    page.keyboard.press("Enter")
    expect(page.locator("#room")).to_have_text(f"# {room}-kitchen")
    page.keyboard.press("Control+K")
    # Her own rooms, the current one last of them.
    hers = [f"# {room}1 person", f"# {room}-cellar1 person", f"# {room}-kitchenyou are here"]
    assert page.get_by_role("option").all_text_contents()[:3] == hers
    page.keyboard.type(f"{room}-kitchen")
    expect(page.get_by_role("option")).to_have_text(f"# {room}-kitchenyou are here")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#say-text")).to_be_focused()


def test_the_switcher_finds_a_room_that_is_not_on_the_first_page_of_the_list(
    make_server: ServerMaker, tmp_path: Path, visit_as: Visit
) -> None:
    for number in range(1_200):
        log = tmp_path / f"chat_history.r{number:04}.txt"
        log.write_text("[2026-01-01 00:00:00] Old: one\n")
    page = visit_as("Anna", make_server("--lang", "en").start().page)
    page.keyboard.press("Control+K")
    expect(page.get_by_role("combobox", name="A room's name")).to_be_focused()
    page.keyboard.type("r1199")
    expect(page.get_by_role("option")).to_have_text(["# r1199"])
    page.keyboard.press("Enter")
    expect(page.locator("#room")).to_have_text("# r1199")


def test_many_rooms_and_people_can_be_filtered_and_are_in_order(
    make_server: ServerMaker, tmp_path: Path, visit_as: Visit
) -> None:
    for number in range(220):
        (tmp_path / f"chat_history.r{number:04}.txt").write_text("[2026-01-01 00:00:00] Old: one\n")
    server = make_server("--lang", "en").start()
    page = visit_as("Mia", server.page)
    expect(page.locator("#others li")).to_have_count(200)
    page.get_by_role("searchbox", name="Find a room").fill("r0217")
    expect(page.locator("#others li")).to_have_count(0)
    page.get_by_role("button", name="All rooms …").click()
    expect(page.get_by_role("combobox", name="A room's name")).to_be_focused()
    page.keyboard.type("r0217")
    page.keyboard.press("Enter")
    expect(page.locator("#room")).to_have_text("# r0217")
    expect(page.locator("#rooms li")).to_have_text(["# r0217×"])
    page.get_by_role("searchbox", name="Find a room").fill("")
    expect(page.locator("#rooms li")).to_have_count(2)
    page.click("#rooms [data-room=main] a")
    names = [f"Guest {number}" for number in (10, 9, 1, 2, 3, 4, 5, 6, 7, 8, 11)]
    with ExitStack() as stack:
        for name in [*names, "Änne", "Zoë", "boris"]:
            stack.enter_context(WireClient(server)).join(name)
        expect(page.locator("#people")).to_have_text("15 people")
        page.click("#people")
        expect(page.locator("#people-list li")).to_have_text(
            ["Mia (you)", "Änne", "boris", *(f"Guest {number}" for number in range(1, 12)), "Zoë"]
        )
        page.get_by_role("searchbox", name="Find a person").fill("guest 1")
        expect(page.locator("#people-list li")).to_have_text(["Guest 1", "Guest 10", "Guest 11"])
        page.keyboard.press("Escape")  # clears the field
        expect(page.locator("#people-list li")).to_have_count(15)
        page.keyboard.press("Escape")
        expect(page.locator("#people-list")).to_be_hidden()


def test_a_room_may_have_the_name_of_something_in_javascript(server: RunningServer, visit_as: Visit) -> None:
    with WireClient(server) as boris:
        boris.join("Boris", "constructor")
        page = visit_as("Anna", server.page)
        page.click("#others [data-room=constructor] a")
        expect(page.locator("#people")).to_have_text("2 people")
        say(page, "hello")
        wait_for_text(page, "hello")
        page.reload()
        come_back(page, "Anna")
        expect(page.locator("#rooms [data-room=constructor]")).to_be_attached()


def test_a_name_that_no_room_can_have_is_explained(room: str, borrow: Borrow) -> None:
    page = borrow("Nina")
    page.fill("#room-form input", "no/such room")
    page.press("#room-form input", "Enter")
    expect(page.locator("#hint")).to_contain_text("Invalid room name")
    expect(page.locator("#room")).to_have_text(f"# {room}")


def test_a_phone_has_the_rooms_in_a_drawer(house: RunningServer, room: str, borrow: Borrow) -> None:
    phone = borrow("Nina", viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    expect(phone.locator("#side")).to_be_hidden()
    phone.tap("#menu")
    expect(phone.locator("#rooms a")).to_be_focused()
    phone.keyboard.press("Escape")
    expect(phone.locator("#side")).to_be_hidden()
    expect(phone.locator("#menu")).to_be_focused()
    phone.tap("#menu")
    make(phone, f"{room}-b")
    expect(phone.locator("#side")).to_be_hidden()
    with WireClient(house) as boris:
        boris.join("Boris", room)
        boris.send_frame("chat", room=room, text="are you there?")
        expect(phone.locator("#menu .count")).to_have_text("1")
        phone.tap("#menu")
        phone.tap(f"#rooms [data-room='{room}'] a")
        expect(phone.locator("#room")).to_have_text(f"# {room}")
        expect(phone.locator("#side")).to_be_hidden()
        expect(phone.locator("#menu .count")).to_have_count(0)
        phone.tap("#menu")
        phone.touchscreen.tap(340, 300)
        expect(phone.locator("#side")).to_be_hidden()


def test_the_about_panel_has_a_link_a_code_notifications_and_the_history(
    house: RunningServer, room: str, visit_as: Visit
) -> None:
    page = visit_as("Anna", house.page + f"#{room}", permissions=["notifications"])
    say(page, "for the file")
    wait_for_text(page, "for the file")
    page.get_by_role("button", name="About this room").click()
    dialog = page.get_by_role("dialog", name=f"# {room}")
    expect(dialog.get_by_role("textbox")).to_have_value(f"{house.page}#{room}")
    expect(dialog.get_by_label("mentions")).to_be_checked()
    expect(dialog.get_by_label("Sound")).not_to_be_checked()
    dialog.get_by_label("Off", exact=True).check()
    dialog.get_by_label("Sound").check()
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download the history").click()
    assert download.value.path().read_text(encoding="utf-8").endswith("] Anna: for the file\n")
    page.keyboard.press("Escape")
    make(page, f"{room}-b")
    page.get_by_role("button", name="About this room").click()
    dialog = page.get_by_role("dialog", name=f"# {room}-b")
    expect(dialog.get_by_label("mentions")).to_be_checked()
    expect(dialog.get_by_label("Sound")).to_be_checked()
    dialog.get_by_role("button", name="Leave this room").click()
    expect(page.locator("#room")).to_have_text(f"# {room}")
    page.reload()
    come_back(page, "Anna")
    page.get_by_role("button", name="About this room").click()
    expect(page.get_by_label("Off", exact=True)).to_be_checked()


def make(page: Page, name: str) -> None:
    page.fill("#room-form input", name)
    page.press("#room-form input", "Enter")
    expect(page.locator("#room")).to_have_text(f"# {name}")
    page.wait_for_function("() => document.querySelector('#people').textContent !== '0 people'")


def test_a_mistyped_link_asks_before_it_makes_a_room(server: RunningServer, visit: Visit) -> None:
    (server.directory / "chat_history.dev.txt").write_text("[2025-01-01 10:00:00] Boris: hello\n")
    page = visit(server.page + "#devv")
    page.context.remove_listener("dialog", agree_to_new_rooms)
    questions: list[str] = []

    def answer(*, agrees: bool) -> None:
        def settle(dialog: Dialog) -> None:
            questions.append(dialog.message)
            dialog.accept() if agrees else dialog.dismiss()

        page.once("dialog", settle)

    answer(agrees=False)
    come_in(page, "Anna")
    expect(page.locator("#room")).to_have_text("# main")
    page.evaluate("location.hash = '#dev'")
    wait_for_text(page, "hello")

    answer(agrees=False)
    say(page, "/join kitchn")
    expect(page.locator("#hint")).to_have_text("There is no room # kitchn.")
    expect(page.locator("#room")).to_have_text("# dev")
    expect(page.locator("#rooms")).not_to_contain_text("kitchn")
    answer(agrees=True)
    say(page, "/join kitchen")
    expect(page.locator("#room")).to_have_text("# kitchen")
    expect(page.locator("#people")).to_have_text("1 person")  # the question is answered
    assert questions == [f"There is no room # {name}. Create it?" for name in ("devv", "kitchn", "kitchen")]
    # Users are asked once, even if nothing was posted in the room.
    page.reload()
    come_back(page, "Anna")
    expect(page.locator("#room")).to_have_text("# kitchen")
    # Who creates a room where rooms are created is not asked either.
    page.get_by_placeholder("New room").fill("garden")
    page.keyboard.press("Enter")
    expect(page.locator("#room")).to_have_text("# garden")
