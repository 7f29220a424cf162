"""Claimed names, other devices, private rooms, direct messages."""

from __future__ import annotations

import re
from contextlib import ExitStack

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, come_back, come_in, say, settled, texts, wait_for_text
from tests.running import RunningServer
from tests.talking import WireClient


def test_another_browser_cannot_have_the_name_nor_one_that_looks_like_it(
    server: RunningServer, visit: Visit, visit_as: Visit
) -> None:
    anna = visit_as("Anna", server.page)
    impostor = visit(server.page)
    for name in ("Anna", "Аnnа"):
        impostor.reload()
        impostor.wait_for_selector("html[data-scene=login]")
        impostor.fill("#login-name", name)
        impostor.press("#login-name", "Enter")
        expect(impostor.locator("#login-problem")).to_contain_text("belongs to somebody else")
        expect(impostor.locator("#login-name")).to_be_focused()
    come_in(impostor, "Clara")
    say(impostor, "I am not Anna")
    wait_for_text(anna, "I am not Anna")
    # Whose it is may write it in another way, and is known by it as it was.
    anna.get_by_role("button", name="Leave", exact=True).click()
    come_in(anna, "ANNA")
    expect(anna.locator("#me")).to_have_text("Anna")


def test_a_refused_name_changes_nothing_and_a_welcome_one_is_taken(
    server: RunningServer, visit_as: Visit
) -> None:
    anna = visit_as("Anna", server.page)
    with WireClient(server) as boris:
        boris.join("Boris", secret="the secret of Boris")
        say(anna, "before")
        assert boris.receive("chat")["text"] == "before"
        say(anna, "/name Boris")
        expect(anna.locator("#hint")).to_contain_text("belongs to somebody else")
        expect(anna.locator("#me")).to_have_text("Anna")
        say(anna, "still Anna")
        assert boris.receive("chat")["text"] == "still Anna"
    server.stop()
    say(anna, "waits")
    say(anna, "/name Clara")
    expect(anna.locator("#hint")).to_have_text("No connection; this was not done.")
    expect(anna.locator(".waiting .text")).to_have_text("waits")
    server.start()
    anna.evaluate("dispatchEvent(new Event('online'))")
    wait_for_text(anna, "waits")
    with WireClient(server) as boris:
        boris.join("Boris", secret="the secret of Boris")
        say(anna, '/name "Clara"')
        expect(anna.locator("#me")).to_have_text("Clara")
        *_, change = boris.receive_until(lambda frame: "renamed" in frame)
        assert change["renamed"] == {"Anna": "Clara"}
        expect(anna.locator("#rows .system").last).to_have_text(re.compile("Anna.* is now .*Clara"))
        say(anna, "as Clara")
        assert boris.receive("chat")["user"] == "Clara"
    anna.reload()
    expect(anna.locator("#me")).to_have_text("Clara")
    assert [line.split("] ", 1)[1] for line in server.lines] == [
        "Anna: before",
        "Anna: still Anna",
        "Anna: waits",
        "Clara: as Clara",
    ]


def test_unverified_names_are_marked_and_no_others(server: RunningServer, visit_as: Visit) -> None:
    anna = visit_as("Anna", server.page)
    with WireClient(server) as guest:
        guest.join("Guest")
        guest.send_frame("chat", text="hello")
        guest.send_frame("chat", text="/me waves")
        wait_for_text(anna, "waves")
    say(anna, "hello, guest")
    for _ in range(2):
        wait_for_text(anna, "hello, guest")
        expect(anna.locator("#rows .unverified")).to_have_count(2)
        expect(anna.locator(".own .unverified")).to_have_count(0)
        expect(anna.locator(".name").first).to_have_text("Guest? (not verified)")
        expect(anna.get_by_title("This name is not verified").first).to_be_visible()
        # It is so in the history as well.
        anna.reload()
        come_back(anna, "Anna")
    anna.click("[data-open=search]")
    anna.fill(".search input", "hello")
    expect(anna.locator(".search b")).to_have_text(["Anna", "Guest? (not verified)"])


def test_another_device_becomes_the_same_person_by_a_link_that_works_once(
    server: RunningServer, visit: Visit, visit_as: Visit
) -> None:
    anna = visit_as("Anna", server.page)
    anna.get_by_role("button", name="Add a device").click()
    dialog = anna.get_by_role("dialog", name="Add a device")
    expect(dialog.get_by_role("timer")).to_contain_text("4:5")
    link = dialog.get_by_role("textbox").input_value()
    expect(dialog.get_by_role("button", name="Copy the link")).to_be_focused()
    anna.keyboard.press("Escape")

    phone = visit(link)
    expect(phone.get_by_role("heading", name="Use this device as Anna?")).to_be_visible()
    # What makes one Anna does not stand in the address.
    assert "device" not in phone.url
    phone.get_by_role("button", name="Yes, that is me").click()
    phone.wait_for_selector("html[data-scene=chat]")
    settled(phone)
    expect(phone.locator("#me")).to_have_text("Anna")
    say(phone, "from the phone")
    wait_for_text(anna, "from the phone")
    assert texts(anna, ".own") == ["from the phone"]
    phone.reload()
    come_back(phone, "Anna")

    # Whoever the browser was so far is in none of its tabs any more.
    tablet = visit_as("Nobody", server.page)
    tab = tablet.context.new_page()
    tab.goto(another_link(anna))
    tab.get_by_role("button", name="Yes, that is me").click()
    tab.wait_for_selector("html[data-scene=chat]")
    come_back(tablet, "Anna")

    thief = visit_as("Thief", server.page)
    # A user who is in a chat and opens such a link is told which identity they leave behind.
    thief.evaluate("link => { location.href = link; }", link)
    expect(thief.get_by_role("heading", name="Use this device as Anna?")).to_be_visible()
    expect(thief.get_by_role("alert").last).to_contain_text("You are Thief on this device now")
    thief.get_by_role("button", name="Yes, that is me").click()
    expect(thief.get_by_role("heading", name="This link is no longer valid")).to_be_visible()
    thief.get_by_role("button", name="Back").click()
    expect(thief.locator("#login-name")).to_be_focused()
    come_in(thief, "Thief")


def another_link(page: Page) -> str:
    """One more link by which a device is added."""
    page.get_by_role("button", name="Add a device").click()
    link = page.get_by_role("dialog", name="Add a device").get_by_role("textbox").input_value()
    page.keyboard.press("Escape")
    return link


def test_a_private_room_is_joined_by_invitation_and_listed_for_members_only(
    server: RunningServer, visit_as: Visit
) -> None:
    anna, boris, clara = (visit_as(name, server.page) for name in ("Anna", "Boris", "Clara"))
    anna.get_by_role("button", name="New private room …").click()
    anna.get_by_role("dialog").get_by_role("textbox").fill("Plans")
    anna.keyboard.press("Enter")
    expect(anna.get_by_role("heading", name="plans, a private room")).to_be_visible()
    say(anna, "the plan")
    wait_for_text(anna, "the plan")

    link = invitation(anna)
    boris.evaluate("link => { location.href = link; }", link)
    wait_for_text(boris, "the plan")
    assert boris.url == f"{server.page}#plans"
    expect(boris.get_by_role("navigation").get_by_role("link", name="plans, a private room")).to_be_visible()

    # By a command as well.
    say(anna, "/invite 5 2h")
    expect(anna.get_by_role("dialog", name="Invite to plans")).to_contain_text("5 people can join")
    anna.keyboard.press("Escape")
    say(boris, "/invite")
    expect(boris.locator(".toast")).to_contain_text("only the creator of the room")

    # Neither with what is used up nor without anything, and one is somewhere in the end.
    for hash_, why in ((link.partition("#")[2], "no longer valid"), ("plans", "you need an invitation")):
        clara.evaluate("hash => { location.hash = hash; }", hash_)
        expect(clara.locator("#hint")).to_contain_text(why)
        expect(clara.locator("#room")).to_have_text("# main")
        assert "invite" not in clara.url
    expect(clara.locator("#side")).not_to_contain_text("plans")

    # It is there after a reload, and till one is put out.
    boris.reload()
    come_back(boris, "Boris")
    expect(boris.locator("#room")).to_have_attribute("data-kind", "private")
    with boris.expect_download() as download:
        boris.click("[data-open=about]")
        boris.get_by_role("link", name="Download the history").click()
    assert download.value.path().read_text(encoding="utf-8").endswith("] Anna: the plan\n")
    boris.keyboard.press("Escape")
    anna.once("dialog", lambda dialog: dialog.accept())
    anna.click("#people")
    anna.locator("#people-list").get_by_role("button", name="Boris").click()
    anna.get_by_role("button", name="Remove from this room").click()
    expect(anna.locator(".toast")).to_contain_text("Boris is no longer a member")
    expect(boris.locator("#room")).to_have_text("# main")
    expect(boris.locator("#side")).not_to_contain_text("plans")


def invitation(page: Page) -> str:
    """A link into the private room that is shown."""
    page.click("[data-open=about]")
    page.get_by_role("button", name="Invite …").click()
    page.get_by_label("Valid for").select_option("an hour")
    page.get_by_role("button", name="Create a link").click()
    dialog = page.get_by_role("dialog", name="Invite to plans")
    link = dialog.get_by_role("textbox", name="The invitation").input_value()
    expect(dialog).to_contain_text("One person can join by this link")
    page.keyboard.press("Escape")
    return link


def test_direct_messages_reach_the_other_person_only(server: RunningServer, visit_as: Visit) -> None:
    anna, boris = visit_as("Anna", server.page), visit_as("Boris B", server.page)
    anna.fill("#say-text", "/msg Bo")
    anna.keyboard.press("Tab")
    expect(anna.locator("#say-text")).to_have_value('/msg "Boris B" ')
    anna.keyboard.type("just between us")
    anna.keyboard.press("Enter")
    expect(anna.get_by_role("heading", name="Boris B, direct messages")).to_be_visible()
    wait_for_text(anna, "just between us")

    # It appears for the other user, who stays in the present room.
    talk = boris.locator("#rooms").get_by_role("link", name="Anna, direct messages, 1 unread")
    expect(talk.locator(".count")).to_have_text("@ 1")
    expect(boris.locator("#room")).to_have_text("# main")
    talk.click()
    wait_for_text(boris, "just between us")
    say(boris, "yes")
    wait_for_text(anna, "yes")
    assert "direct-" not in boris.title() + boris.content().replace(boris.url.partition("#")[2], "")

    boris.get_by_role("button", name="Leave the room Anna").click()
    boris.reload()
    come_back(boris, "Boris B")
    expect(boris.locator("#rooms li")).to_have_count(1)
    # Whoever has left it is asked back by the next one who begins it.
    anna.click("#rooms [data-room=main] a")
    anna.click("#people")
    anna.locator("#people-list").get_by_role("button", name="Boris B").click()
    anna.get_by_role("button", name="Message privately").click()
    expect(boris.locator("#rooms")).to_contain_text("Anna")
    for page, name in ((anna, "Anna"), (boris, "Boris B")):
        page.reload()
        come_back(page, name)
    expect(boris.locator("#rooms li")).to_have_count(2)


def test_of_many_strangers_few_rooms_are_joined_and_the_others_are_requests(
    server: RunningServer, visit_as: Visit
) -> None:
    anna = visit_as("Anna", server.page)
    strangers: dict[str, WireClient] = {}
    rooms: dict[str, str] = {}
    with ExitStack() as stack:
        for number in range(12):
            name = f"Stranger {number}"
            client = strangers[name] = stack.enter_context(WireClient(server))
            client.join(name, secret=f"{name:.<32}")
            rooms[name] = client.ask("direct", user="Anna")["room"]
            client.join(name, rooms[name], secret=f"{name:.<32}")
            client.send_frame("chat", room=rooms[name], text=f"hello from {name}")
        expect(anna.locator("#others li")).to_have_count(7)
        expect(anna.locator("#rooms li")).to_have_count(6)
        anna.reload()
        come_back(anna, "Anna")
        expect(anna.locator("#others li")).to_have_count(7)
        expect(anna.locator("#rooms li")).to_have_count(6)
        # She can join a room, open a request, and answer it.
        anna.fill("#room-form input", "dev")
        anna.press("#room-form input", "Enter")
        expect(anna.locator("#room")).to_have_text("# dev")
        request = anna.locator("#others li").first
        expect(request).to_contain_text("request")
        name = request.locator("a span").inner_text()
        request.locator("a").click()
        wait_for_text(anna, f"hello from {name}")
        say(anna, "who are you?")
        strangers[name].receive_until(lambda frame: frame.get("text") == "who are you?")

        # A blocked person is refused, and the room is left.
        anna.click("[data-open=about]")
        anna.get_by_role("button", name=f"Block: {name}").click()
        expect(anna.locator(".toast")).to_contain_text(f"no longer receive direct messages from “{name}”")
        expect(anna.locator("#rooms")).not_to_contain_text(name)
        strangers[name].send_frame("chat", room=rooms[name], text="well", key="well")
        refused = strangers[name].receive_until(lambda frame: frame.get("key") == "well")[-1]
        assert refused["code"] == "not_accepted"
        say_command(anna, "/block")
        expect(anna.locator(".toast")).to_contain_text(f"Blocked: “{name}”")
        say_command(anna, f'/unblock "{name}"')
        expect(anna.locator(".toast")).to_contain_text(f"direct messages from “{name}” again")
        strangers[name].send_frame("chat", room=rooms[name], text="well", key="well")
        again = strangers[name].receive_until(lambda frame: frame.get("key") == "well")[-1]
        assert again["type"] == "chat"


def say_command(page: Page, line: str) -> None:
    page.fill("#say-text", line)
    page.press("#say-text", "Enter")
