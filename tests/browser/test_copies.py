"""The copies of open rooms on a device: read without a server, replaced by the log, and dropped where they must not stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cable import Cable
from tests.browser.conftest import (
    Visit,
    come_back,
    come_in,
    ids,
    recognized,
    say,
    settled,
    texts,
    wait_for,
    wait_for_frames,
    wait_for_text,
)
from tests.browser.test_moderation import admin
from tests.browser.test_tabs_and_offline import LOOKED_AFTER
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.running import RunningServer, edit
from tests.talking import WireClient

BORIS: Final = "the secret of Boris"

COPIES: Final = """async () => {
    const request = indexedDB.open(`besedka ${new URL(".", location.href).pathname}`);
    await new Promise((resolve) => (request.onsuccess = resolve));
    const all = request.result.transaction("rooms").objectStore("rooms").getAll();
    await new Promise((resolve) => (all.onsuccess = resolve));
    request.result.close();
    return all.result;
}"""
"""Reads the database of the page, which the page has made."""

HIDE: Final = """() => {
    Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    delete document.hidden;
    document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Hides the page and shows it again; a browser without a head shows all of its tabs."""


NOTHING_LATER: Final = """() => {
    const { setTimeout } = window;
    window.setTimeout = (act, ms) => (ms >= 1000 ? 0 : setTimeout(act, ms));
    window.again = () => void (window.setTimeout = setTimeout);
}"""
"""Holds back all that the page would do some seconds later, until `again()`."""


@pytest.fixture
def cable(server: RunningServer) -> Iterator[Cable]:
    """A network between the page and the server; pulled out, it lets the page's files pass, and nothing of the chat."""
    cable = Cable(server.port, of=b"GET /ws ")
    yield cable
    cable.close()


@pytest.fixture
def boris(server: RunningServer) -> Iterator[WireClient]:
    """Somebody else in the chat, whom no network keeps from it."""
    with WireClient(server) as client:
        client.join("Boris", secret=BORIS)
        yield client


@pytest.fixture
def anna(cable: Cable, visit_as: Visit) -> Page:
    """Anna's page."""
    return visit_as("Anna", cable.page)


def cache_files(page: Page) -> None:
    """Have the page do at once what it does some seconds after the login."""
    page.evaluate("import('./chat/app/offline.js').then(() => {})")
    page.evaluate(LOOKED_AFTER)


def post(author: WireClient, *said: str, room: str = "main") -> None:
    """Post messages, and receive them back."""
    for text in said:
        author.send_frame("chat", room=room, text=text)
        author.receive_until(lambda frame, text=text: frame.get("text") == text)  # type: ignore[misc]


def copied(page: Page) -> dict[str, list[str]]:
    """The texts of all copies, by room."""
    copies = page.evaluate(COPIES)
    return {copy["room"]: [message["text"] for message in copy["messages"]] for copy in copies}


def wait_for_copy(page: Page, room: str, *said: str) -> None:
    """Have the page write what it would write in some seconds, and wait until the copy of a room ends so."""
    page.evaluate(HIDE)
    wait_for(
        page,
        f"""async ([room, said]) => {{
            const copy = (await ({COPIES})()).find((copy) => copy.room === room);
            const texts = copy?.messages.map(({{ text }}) => text).slice(-said.length);
            return JSON.stringify(texts ?? []) === JSON.stringify(said);
        }}""",
        [room, list(said)],
    )


def wait_for_no_copy(page: Page, room: str = "") -> None:
    """Wait until no room has a copy, or this one has none; and have the page write what it would write later."""
    page.evaluate(HIDE)
    is_in = "copy.room === room" if room else "true"
    wait_for(page, f"async (room) => !(await ({COPIES})()).some((copy) => {is_in})", room)


def reopen(page: Page, cable: Cable) -> None:
    """Open the page anew while the server cannot be reached."""
    cable.pull_out()
    page.reload()
    recognized(page, "Anna")


def reconnect(page: Page, cable: Cable) -> None:
    """Have the server in reach again."""
    cable.put_in()
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_selector("#chat:not([data-away])")


def wait_for_kept(page: Page, *said: str) -> None:
    """Wait until these messages are shown as kept, and no others."""
    expect(page.locator(".message.kept .text")).to_have_text(list(said))
    expect(page.locator(".message.delivered")).to_have_count(0)
    expect(page.locator(".from-device")).to_have_text("Saved on this device: the server cannot be reached")


def wait_for_log(page: Page, *said: str) -> None:
    """Wait until the server's messages have taken the place of those that were kept."""
    expect(page.locator(".message.delivered .text")).to_have_text(list(said))
    expect(page.locator(".message.kept")).to_have_count(0)
    expect(page.locator(".from-device")).to_be_empty()


def test_open_rooms_can_be_read_without_the_server_and_the_log_takes_the_place_of_the_copy(
    server: RunningServer, boris: WireClient, visit: Visit, request: pytest.FixtureRequest
) -> None:
    cable = Cable(server.port)
    request.addfinalizer(cable.close)
    anna = visit(cable.page, service_workers="allow")
    come_in(anna, "Anna")
    cache_files(anna)
    boris.join("Boris", "dev", secret=BORIS)
    post(boris, "**one**", "two", "Anna, three")
    say(anna, "four")
    wait_for_text(anna, "four")
    anna.evaluate("location.hash = '#dev'")
    expect(anna.locator("#room")).to_have_text("# dev")
    post(boris, "in dev", room="dev")
    wait_for_text(anna, "in dev")
    wait_for_copy(anna, "main", "**one**", "two", "Anna, three", "four")
    wait_for_copy(anna, "dev", "in dev")
    reopen(anna, cable)
    wait_for_kept(anna, "in dev")
    anna.click("#rooms [data-room=main] a")
    wait_for_kept(anna, "one", "two", "Anna, three", "four")
    assert anna.locator(".kept strong").all_text_contents() == ["one"]
    assert anna.locator(".kept mark").all_text_contents() == ["Anna"]
    expect(anna.locator(".own.kept .text")).to_have_text("four")
    expect(anna.locator(".fresh, .side .count")).to_have_count(0)
    assert anna.title() == "# main · Besedka"
    anna.locator(".kept").first.hover()
    expect(anna.get_by_role("button", name="Copy the text")).to_be_visible()
    say(anna, "written without a server")
    expect(anna.locator(".waiting")).to_have_count(1)

    post(boris, "five", "six")
    reconnect(anna, cable)
    wait_for_log(anna, "one", "two", "Anna, three", "four", "five", "six", "written without a server")
    assert ids(anna) == [1, 2, 3, 4, 5, 6, 7]
    anna.click("#rooms [data-room=dev] a")
    wait_for_log(anna, "in dev")


def test_the_line_above_unread_messages_stands_where_it_does_without_a_copy(
    anna: Page, boris: WireClient, cable: Cable
) -> None:
    post(boris, *(f"read {number}" for number in range(25)))
    wait_for_text(anna, "read 24")
    anna.evaluate("Document.prototype.hasFocus = () => false; dispatchEvent(new Event('blur'))")
    # More than the ten that a newcomer is sent.
    unread = [f"unread {number}" for number in range(15)]
    post(boris, *unread)
    wait_for_text(anna, unread[-1])
    anna.wait_for_function("() => document.title.startsWith('(15)')")
    wait_for_copy(anna, "main", *unread)
    anna.add_init_script("Document.prototype.hasFocus = () => false")
    reopen(anna, cable)
    expect(anna.locator(".kept")).to_have_count(40)
    expect(anna.locator(".fresh")).to_have_count(0)
    assert not anna.title().startswith("(")
    # From the first change on to the last one the line is nowhere else, and no message comes twice.
    anna.evaluate(
        """() => {
            window.seen = new Set();
            const look = () => {
                const fresh = document.querySelector(".fresh");
                const ids = [...document.querySelectorAll("#rows [data-id]")].map(({ dataset }) => Number(dataset.id));
                const isRow = ids.every((id, index) => !index || id === ids[index - 1] + 1);
                seen.add(`${fresh?.nextElementSibling.querySelector(".text").textContent ?? "none"} ${isRow} ${ids.length < 40}`);
            };
            new MutationObserver(look).observe(document.getElementById("rows"), { childList: true });
        }"""
    )
    post(boris, "unread 15")
    reconnect(anna, cable)
    expect(anna.locator(".message.kept")).to_have_count(0)
    expect(anna.locator(".message.delivered")).to_have_count(41)
    assert ids(anna) == list(range(1, 42))
    expect(anna.locator(".fresh + .message .text")).to_have_text("unread 0")
    assert anna.title().startswith("(16)")
    assert set(anna.evaluate("[...seen]")) == {"unread 0 true false"}


def test_whoever_reads_further_up_stays_there_when_much_was_said_meanwhile(
    anna: Page, boris: WireClient, cable: Cable
) -> None:
    said = [f"message {number}" for number in range(60)]
    post(boris, *said)
    wait_for_text(anna, said[-1])
    anna.locator("#older").evaluate("button => button.click()")
    expect(anna.locator(".message")).to_have_count(60)
    wait_for_copy(anna, "main", *said[10:])
    reopen(anna, cable)
    wait_for_kept(anna, *said[10:])
    anna.locator("[data-id='20']").scroll_into_view_if_needed()
    wait_for_frames(anna, 3)
    post(boris, *(f"missed {number}" for number in range(30)))
    anna.evaluate(
        """() => {
            const below = () => Math.round(document.querySelector("[data-id='20']").getBoundingClientRect().top - document.getElementById("log").getBoundingClientRect().top);
            window.before = below();
            window.below = below;
        }"""
    )
    reconnect(anna, cable)
    expect(anna.locator(".message.kept")).to_have_count(0)
    expect(anna.locator("[data-id='20'].delivered")).to_be_in_viewport()
    assert anna.evaluate("Math.abs(below() - before)") <= 1
    expect(anna.locator("#newer")).to_have_text("30 new messages ↓")
    found = ids(anna)
    assert found == list(range(found[0], found[0] + len(found)))


def test_a_copy_has_fifty_messages_at_most(anna: Page, boris: WireClient) -> None:
    said = [f"message {number}" for number in range(70)]
    post(boris, *said)
    wait_for_copy(anna, "main", *said[20:])
    assert copied(anna) == {"main": said[20:]}


def test_the_twenty_rooms_that_were_copied_last_stay_and_those_of_one_user_only(
    house: RunningServer, room: str, visit: Visit
) -> None:
    page = visit(house.page + f"#{room}")
    come_in(page, "Anna")
    left = page.evaluate(
        """async () => {
            const { CopyStore } = await import("./chat/copies/store.js");
            const store = new CopyStore("/elsewhere/");
            const copies = (user) => Array.from({ length: 25 }, (_, at) => ({ user, room: `r${at}`, epoch: "e", messages: [], at }));
            await store.put("Boris", copies("Boris"));
            await store.put("Anna", copies("Anna").reverse());
            await store.remove("Anna", ["r24"]);
            const rooms = (user) => store.read(user).then((found) => found.map(({ at }) => at).sort((one, other) => one - other));
            return [await rooms("Anna"), await rooms("Boris"), await rooms("Ann")];
        }"""
    )
    assert left == [list(range(5, 24)), [], []]


def test_private_rooms_and_direct_messages_are_never_copied(
    anna: Page, boris: WireClient, cable: Cable
) -> None:
    say(anna, "/private plans")
    expect(anna.locator("#room")).to_have_text("plans")
    say(anna, "for members only")
    wait_for_text(anna, "for members only")
    say(anna, "/msg Boris for Boris only")
    wait_for_text(anna, "for Boris only")
    anna.click("#rooms [data-room=main] a")
    post(boris, "for all")
    wait_for_copy(anna, "main", "for all")
    assert copied(anna) == {"main": ["for all"]}
    reopen(anna, cable)
    wait_for_kept(anna, "for all")
    anna.click("#rooms [data-room=plans] a")
    expect(anna.locator("#room")).to_have_text("plans")
    expect(anna.locator(".message, .from-device:not(:empty)")).to_have_count(0)


def test_a_redaction_is_in_the_copy_at_once(
    server: RunningServer, anna: Page, boris: WireClient, cable: Cable
) -> None:
    post(boris, "before", "to be removed", "after")
    wait_for_copy(anna, "main", "before", "to be removed", "after")
    anna.evaluate(NOTHING_LATER)
    admin(server, "redact", "2")
    expect(anna.locator(".removed .text")).to_have_text("removed")
    wait_for(anna, f"async () => (await ({COPIES})())[0]?.messages[1].text.startsWith('[removed]')")
    reopen(anna, cable)
    wait_for_kept(anna, "before", "removed", "after")


def test_what_was_redacted_while_the_page_was_closed_goes_with_the_next_welcome(
    server: RunningServer, anna: Page, boris: WireClient, cable: Cable
) -> None:
    said = [f"message {number}" for number in range(30)]
    post(boris, *said)
    wait_for_copy(anna, "main", *said)
    reopen(anna, cable)
    wait_for_kept(anna, *said)
    admin(server, "redact", "5")
    reconnect(anna, cable)
    said[4] = "removed"
    wait_for_log(anna, *said)
    anna.evaluate(HIDE)
    reopen(anna, cable)
    wait_for_kept(anna, *said)


def test_what_was_redacted_during_a_lost_connection_goes_from_the_screen_and_from_the_copies(
    server: RunningServer, anna: Page, boris: WireClient, cable: Cable
) -> None:
    boris.join("Boris", "dev", secret=BORIS)
    for room in ("dev", "main"):
        anna.evaluate("room => location.hash = `#${room}`", room)
        expect(anna.locator("#room")).to_have_text(f"# {room}")
        post(boris, f"first in {room}", f"second in {room}", room=room)
        wait_for_text(anna, f"second in {room}")
        wait_for_copy(anna, room, f"first in {room}", f"second in {room}")
    anna.evaluate(NOTHING_LATER)
    cable.pull_out()
    anna.wait_for_selector("#chat[data-away]")
    for room in ("dev", "main"):
        admin(server, "redact", "1", "--room", room)
    reconnect(anna, cable)
    # The old copies go with the welcome, and come again once the rows were compared with the log.
    wait_for(anna, f"async () => !(await ({COPIES})()).length")
    anna.evaluate("again()")
    anna.evaluate(HIDE)
    for room in ("dev", "main"):
        wait_for(
            anna,
            f"""async (room) => {{
                const copy = (await ({COPIES})()).find((copy) => copy.room === room);
                return copy?.messages.map(({{ text }}) => text.slice(0, 9)).join() === "[removed],second in";
            }}""",
            room,
        )
    expect(anna.locator(".message .text")).to_have_text(["removed", "second in main"])
    assert "first in" not in str(copied(anna))


def test_leaving_a_room_or_the_chat_drops_the_copies(anna: Page, boris: WireClient) -> None:
    boris.join("Boris", "dev", secret=BORIS)
    post(boris, "in main")
    anna.evaluate("location.hash = '#dev'")
    expect(anna.locator("#room")).to_have_text("# dev")
    post(boris, "in dev", room="dev")
    wait_for_text(anna, "in dev")
    wait_for_copy(anna, "main", "in main")
    wait_for_copy(anna, "dev", "in dev")
    say(anna, "/leave")
    expect(anna.locator("#room")).to_have_text("# main")
    wait_for_no_copy(anna, "dev")
    assert list(copied(anna)) == ["main"]
    anna.get_by_role("button", name="Undo").click()
    wait_for_text(anna, "in dev")
    wait_for_copy(anna, "dev", "in dev")
    anna.get_by_role("button", name="Leave", exact=True).click()
    anna.wait_for_selector("html[data-scene=login]")
    wait_for_no_copy(anna)


def kick(server: RunningServer) -> None:
    admin(server, "kick", "Anna")


def ban(server: RunningServer) -> None:
    admin(server, "ban", "Anna")


@pytest.mark.parametrize("act", [kick, ban] if LONG else [ban])
def test_whoever_is_disconnected_by_a_moderator_keeps_no_copies(
    server: RunningServer, anna: Page, boris: WireClient, act: Callable[[RunningServer], None]
) -> None:
    post(boris, "in main")
    wait_for_copy(anna, "main", "in main")
    act(server)
    anna.wait_for_selector("html[data-scene=login]")
    wait_for_no_copy(anna)


def test_a_ban_during_an_absence_drops_the_copies_when_the_server_says_so(
    server: RunningServer, anna: Page, boris: WireClient, cable: Cable
) -> None:
    post(boris, "in main")
    wait_for_copy(anna, "main", "in main")
    reopen(anna, cable)
    wait_for_kept(anna, "in main")
    admin(server, "ban", "Anna")
    cable.put_in()
    anna.evaluate("dispatchEvent(new Event('online'))")
    expect(anna.get_by_role("heading", name="You are banned")).to_be_visible()
    wait_for_no_copy(anna)


def test_a_withdrawn_key_drops_the_copies(make_server: ServerMaker, tmp_path: Path, visit: Visit) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("a-key_of.the~chat+0123 for the tests\n", encoding="utf-8")
    keys.chmod(0o600)
    server = make_server("--lang", "en", "--key-file", str(keys)).start()
    page = visit(f"{server.page}#;key=a-key_of.the~chat+0123")
    come_in(page, "Anna")
    say(page, "for those with a key")
    wait_for_text(page, "for those with a key")
    wait_for_copy(page, "main", "for those with a key")
    edit(keys, "another-key_of.the~chat+0123\n")
    keys.chmod(0o600)
    expect(page.get_by_role("heading", name="A key is needed")).to_be_visible()
    wait_for_no_copy(page)


@pytest.mark.parametrize("is_away", [False, True])
def test_a_room_that_becomes_private_loses_its_copy(
    server: RunningServer, anna: Page, boris: WireClient, cable: Cable, *, is_away: bool
) -> None:
    boris.join("Boris", "dev", secret=BORIS)
    anna.evaluate("location.hash = '#dev'")
    expect(anna.locator("#room")).to_have_text("# dev")
    post(boris, "in dev", room="dev")
    wait_for_text(anna, "in dev")
    wait_for_copy(anna, "dev", "in dev")
    if is_away:
        reopen(anna, cable)
        wait_for_kept(anna, "in dev")
        # What is unsent stays in sight, and the room with it.
        say(anna, "unsent")
        expect(anna.locator(".waiting")).to_have_count(1)
    hashed = next(line for line in server.lines_of("known_names.txt") if "Boris" in line).split("\t")[1]
    with (server.directory / "private_rooms.txt").open("a", encoding="utf-8") as file:
        file.write(f"dev\towner\tBoris\t{hashed}\n")
    with WireClient(server) as eve:
        # The server has read it: she is refused, or has to leave.
        eve.send_frame("join", user="Eve", room="dev")
        eve.receive_until(lambda frame: frame.get("code") == "not_invited")
    if is_away:
        reconnect(anna, cable)
        expect(anna.locator("#hint")).to_contain_text("dev is private")
        expect(anna.locator(".kept")).to_have_count(0)
    else:
        expect(anna.locator("#room")).to_have_text("# main")
    wait_for_no_copy(anna, "dev")


def test_the_copies_of_two_tabs_are_whole_and_leaving_in_one_leaves_none(
    anna: Page, boris: WireClient, cable: Cable
) -> None:
    other = anna.context.new_page()
    other.goto(cable.page)
    come_back(other, "Anna")
    post(boris, "one", "two")
    for page in (anna, other):
        wait_for_text(page, "two")
    wait_for_copy(anna, "main", "one", "two")
    post(boris, "three")
    for page in (anna, other, anna):
        wait_for_text(page, "three")
        wait_for_copy(page, "main", "one", "two", "three")
    anna.get_by_role("button", name="Leave", exact=True).click()
    anna.wait_for_selector("html[data-scene=login]")
    post(boris, "four")
    wait_for_text(other, "four")
    wait_for_no_copy(other)
    assert copied(other) == {}


def test_the_copy_of_another_epoch_goes_with_the_welcome(
    server: RunningServer, anna: Page, boris: WireClient, cable: Cable
) -> None:
    post(boris, "of the old log", "of the old log, too")
    wait_for_copy(anna, "main", "of the old log", "of the old log, too")
    reopen(anna, cable)
    wait_for_kept(anna, "of the old log", "of the old log, too")
    server.stop()
    for file in server.directory.glob("chat_history*"):
        file.unlink()
    server.start()
    with WireClient(server) as again:
        again.join("Boris", secret=BORIS)
        post(again, "of the new log")
    reconnect(anna, cable)
    wait_for_log(anna, "of the new log")
    assert not anna.title().startswith("(")
    wait_for_copy(anna, "main", "of the new log")


NO_STORAGE: Final = {
    "missing": "delete window.indexedDB; Object.defineProperty(window, 'indexedDB', { value: undefined })",
    "forbidden": "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }",
    "failing": "IDBFactory.prototype.open = () => { const request = {}; queueMicrotask(() => request.onerror()); return request; }",
    "closed": "IDBDatabase.prototype.transaction = () => { throw new DOMException('closing', 'InvalidStateError'); }",
    "full": "IDBObjectStore.prototype.put = function () { this.transaction.abort(); return {}; }; IDBTransaction.prototype.commit = () => {}",
}


@pytest.mark.parametrize("how", NO_STORAGE if LONG else ("full",))
def test_where_nothing_can_be_copied_the_page_works_as_before(
    boris: WireClient, server: RunningServer, visit: Visit, how: str
) -> None:
    page = visit("about:blank")
    page.add_init_script(NO_STORAGE[how])
    # Any error fails the test, also a rejection that nobody handles.
    page.goto(server.page)
    come_in(page, "Anna")
    post(boris, "one")
    wait_for_text(page, "one")
    page.evaluate(HIDE)
    page.route_web_socket("**/ws", lambda socket: socket.close())
    page.reload()
    recognized(page, "Anna")
    expect(page.locator("#hint")).to_contain_text("No connection")
    expect(page.locator(".message, .from-device:not(:empty)")).to_have_count(0)
    page.get_by_role("button", name="Leave", exact=True).click()
    page.wait_for_selector("html[data-scene=login]")


def test_a_server_that_takes_long_to_answer_is_bridged_by_the_copy(anna: Page, boris: WireClient) -> None:
    post(boris, "one")
    wait_for_copy(anna, "main", "one")
    anna.add_init_script(
        """{
            const real = window.WebSocket;
            let silent;
            window.WebSocket = class { readyState = 0; constructor() { silent = this; } close() {} };
            window.letIn = () => {
                window.WebSocket = real;
                silent.onclose({ code: 1006 });
            };
        }"""
    )
    anna.reload()
    anna.wait_for_selector("html[data-scene=chat]")
    settled(anna)
    expect(anna.locator(".message.kept .text")).to_have_text(["one"])
    expect(anna.locator(".from-device")).to_have_text("Saved on this device: connecting …")
    anna.evaluate("letIn()")
    wait_for_log(anna, "one")
    assert texts(anna) == ["one"]
