"""Moderation in the page: rights, what the others see, and what the person concerned is told."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Dialog, Page, WebSocket, expect

from tests import prefork
from tests.browser.conftest import (
    Borrow,
    Visit,
    come_back,
    come_in,
    history_of,
    introduce,
    say,
    wait_for_text,
)
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server whose language is Russian: the sentences here are English, because the pages are."""
    return make_server("--lang", "ru").start()


def admin(server: RunningServer, *words: str) -> str:
    """Do something as the operator; returns what is printed."""
    done = prefork.run_as_text(["admin", *words], cwd=server.directory, env=server.environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def moderated(server: RunningServer, visit_as: Visit) -> tuple[Page, Page]:
    """The page of Anna, a moderator, and the page of Boris."""
    anna, boris = visit_as("Anna", server.page), visit_as("Boris", server.page)
    admin(server, "appoint", "Anna")
    expect(anna.locator(".toast")).to_contain_text("moderator")
    return anna, boris


def test_a_redaction_shows_on_every_page_and_changes_the_file(
    server: RunningServer, moderated: tuple[Page, Page]
) -> None:
    anna, boris = moderated
    say(boris, "something that should not have been said")
    wait_for_text(anna, "should not have been said")
    boris.hover(".message")
    expect(boris.get_by_role("button", name="Copy the text")).to_be_visible()
    expect(boris.get_by_role("button", name="Remove this message")).to_be_hidden()
    boris.click("[data-open=search]")
    boris.fill(".search input", "something")
    expect(boris.locator(".search li")).to_have_count(1)

    # It is asked first.
    asked = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    anna.once("dialog", refuse)
    anna.hover(".message")
    anna.get_by_role("button", name="Remove this message").click()
    assert "cannot be undone" in asked[0]
    assert "should not" in history_of(server)
    anna.once("dialog", lambda dialog: dialog.accept())
    anna.get_by_role("button", name="Remove this message").click()
    for page in (anna, boris):
        expect(page.locator("#rows .removed .text")).to_have_text("removed")
    expect(boris.locator(".search li .removed")).to_have_text("removed")
    assert "should not" not in history_of(server)
    # Whoever comes later sees it so, too.
    boris.reload()
    come_back(boris, "Boris")
    expect(boris.locator("#rows .removed .text")).to_have_text("removed")


def test_a_kick_is_explained_and_the_page_does_not_reconnect(moderated: tuple[Page, Page]) -> None:
    # Only who may is shown how.
    for page, count in zip(moderated, (1, 0), strict=True):
        say(page, "/help")
        expect(page.locator("dialog dt", has_text="/help")).to_be_visible()
        expect(page.locator("dialog dt", has_text="/redact")).to_have_count(count)
        page.keyboard.press("Escape")
    anna, boris = moderated
    say(boris, "/kick Anna")
    expect(boris.locator(".toast")).to_contain_text("only moderators may do this")

    say(boris, "good morning")
    wait_for_text(anna, "good morning")
    anna.locator("#rows .name", has_text="Boris").click()
    anna.get_by_label("Reason").fill("that was rude")
    boris.clock.install()
    anna.get_by_role("button", name="Kick").click()
    expect(anna.locator(".toast")).to_contain_text("Boris was disconnected")
    expect(boris.get_by_role("heading", name="You were disconnected by a moderator")).to_be_visible()
    expect(boris.locator(".access").get_by_role("alert")).to_have_text("Reason: that was rude")
    expect(boris.locator(".access")).to_contain_text("You may join again")
    boris.clock.run_for(60_000)
    expect(anna.locator("#people")).to_have_text("1 person")
    boris.get_by_role("button", name="Join again").click()
    expect(anna.locator("#people")).to_have_text("2 people")

    say(anna, "/mute Boris 10 too loud")
    expect(anna.locator("#hint")).to_contain_text("10: it must be a time, as in 30s, 10m, 2h, 3d, 1w")
    say(anna, "/mute Boris 10m too loud")
    expect(anna.locator(".toast")).to_contain_text("Boris is muted")
    say(boris, "but I")
    # Once is enough.
    expect(boris.locator(".failed .why")).to_contain_text("too loud")
    expect(boris.locator("#hint")).to_be_empty()
    boris.get_by_role("button", name="Discard").click()


def test_a_ban_asks_first_and_says_what_else_it_blocks(moderated: tuple[Page, Page]) -> None:
    anna, boris = moderated
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    # A name cannot pass for the rest of the question.
    anna.once("dialog", refuse)
    say(anna, '/ban "Clara? Never. Ban Dora" 1h spam')
    assert asked.pop().startswith("Ban “Clara? Never. Ban Dora”? They")
    # A command that was not meant stays in the box.
    anna.once("dialog", refuse)
    say(anna, "/ban Boris 1h spam")
    expect(anna.locator("#say-text")).to_have_value("/ban Boris 1h spam")
    asked.clear()
    anna.once("dialog", agree)
    anna.press("#say-text", "Enter")
    expect(boris.get_by_role("heading", name="You are banned")).to_be_visible()
    expect(boris.locator(".access").get_by_role("alert")).to_contain_text("spam")
    boris.get_by_role("button", name="Try again").click()
    expect(boris.locator(".access").get_by_role("alert")).to_contain_text("spam")
    assert "cannot join from their address" in asked[0]
    say(anna, "/unban Boris")
    expect(anna.locator(".toast")).to_contain_text("Boris is no longer banned")
    boris.get_by_role("button", name="Try again").click()
    expect(anna.locator("#people")).to_have_text("2 people")


def test_changed_rights_apply_at_once(server: RunningServer, visit_as: Visit) -> None:
    anna = visit_as("Anna", server.page)
    # Else they may come in together, and nobody's coming is told.
    expect(anna.locator("#people")).to_have_text("1 person")
    # They stay: a notice that they have left would move the message away from under the mouse.
    with WireClient(server) as boris:
        boris.join("Boris")
        boris.send_frame("chat", text="hello")
        wait_for_text(anna, "hello")
        expect(anna.locator(".system")).to_have_count(1)
        check_that_rights_apply_at_once(server, anna)


def check_that_rights_apply_at_once(server: RunningServer, anna: Page) -> None:
    """Appoint and dismiss Anna; somebody else has posted a message."""
    remove = anna.get_by_role("button", name="Remove this message")
    anna.hover(".message")
    expect(anna.get_by_role("button", name="Copy the link")).to_be_visible()
    expect(remove).to_be_hidden()
    admin(server, "appoint", "Anna")
    expect(remove).to_be_visible()
    expect(anna.locator(".toast")).to_have_text("You are now a moderator.")
    anna.locator("#rows .name").click()
    expect(anna.get_by_role("button", name="Kick")).to_be_visible()
    admin(server, "dismiss", "Anna")
    expect(anna.get_by_role("button", name="Kick")).to_have_count(0)
    expect(anna.locator(".toast")).to_have_text("You are no longer a moderator.")


def test_typing_a_command_is_not_shown_to_the_others(
    house: RunningServer, room: str, visit: Visit, borrow: Borrow
) -> None:
    anna, nina = visit("about:blank"), borrow("Nina")
    sent: list[str] = []

    def watch(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.append(json.loads(frame)["type"]))

    anna.on("websocket", watch)
    introduce(anna.context, "Anna")
    anna.goto(house.page + f"#{room}")
    come_back(anna, "Anna")
    box = anna.locator("#say-text")
    box.press_sequentially("/msg Nina psst")
    # The switcher asks for the rooms: whatever was sent before has been noted by then.
    asked = sent.count("rooms")
    anna.keyboard.press("Control+K")
    wait_until(lambda: sent.count("rooms") > asked or anna.evaluate("() => false"))
    assert "typing" not in sent
    anna.keyboard.press("Escape")
    anna.fill("#say-text", "/me waves")
    expect(nina.locator("#hint")).to_contain_text("is typing")


def test_a_chat_for_known_people_needs_an_invitation_to_a_name(
    make_server: ServerMaker, visit: Visit
) -> None:
    server = make_server("--lang", "en", "--names", "invited").start()
    page = visit(server.page)
    page.fill("#login-name", "Anna")
    page.press("#login-name", "Enter")
    expect(page.get_by_role("heading", name="By invitation only")).to_be_visible()
    printed = admin(server, "admit", "Boris", "--url", server.page)
    link = next(word for word in printed.split() if "invite=" in word)
    page.get_by_label("The link, or the key").fill(link)
    page.keyboard.press("Enter")
    expect(page.locator("#login-name")).to_have_value("Boris")
    come_in(page, "Boris")
    expect(page.locator("#me")).to_have_text("Boris")
    page.reload()
    come_back(page, "Boris")
