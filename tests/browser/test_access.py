"""The access key: asked for kindly, kept, brought along, and never left where others find it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ANOTHER_HOST, Visit, come_back, come_in, say, wait_for, wait_for_text
from tests.conftest import ServerMaker
from tests.running import RunningServer

KEY = "a-key_of.the~chat+0123"


@pytest.fixture
def locked(make_server: ServerMaker, tmp_path: Path) -> RunningServer:
    """A server that asks for a key."""
    file = tmp_path / "keys.txt"
    file.write_text(f"{KEY} for the tests\n", encoding="utf-8")
    file.chmod(0o600)
    return make_server("--lang", "en", "--key-file", str(file)).start()


def test_a_missing_key_is_explained_and_can_be_pasted(locked: RunningServer, visit: Visit) -> None:
    page = visit(locked.page)
    page.fill("#login-name", "Anna")
    page.press("#login-name", "Enter")
    expect(page.get_by_role("heading", name="A key is needed")).to_be_visible()
    field = page.get_by_label("The link, or the key")
    expect(field).to_be_focused()
    for given, expected in (
        (" ", "first"),
        ("what?", "neither a link of this chat nor a key"),
        (f"{locked.page}#dev", "no key or invitation in this link"),
        ("x" * 30, "wrong or no longer valid"),
    ):
        field.fill(given)
        field.press("Enter")
        expect(page.locator(".access").get_by_role("alert")).to_contain_text(expected)
    field.fill(f"{locked.page}#dev;key={KEY}")
    field.press("Enter")
    page.wait_for_selector("html[data-scene=chat]")
    expect(page.locator("#room")).to_have_text("# dev")
    say(page, "I am in")
    wait_for_text(page, "I am in")
    # It is known from now on.
    page.reload()
    come_back(page, "Anna")


def test_a_wrong_key_in_a_link_does_not_replace_the_right_one(locked: RunningServer, visit: Visit) -> None:
    page = visit(f"{locked.page}#;key={KEY}")
    come_in(page, "Anna")
    for key in ("y" * 30, KEY):
        page.goto("about:blank")
        page.goto(f"{locked.page}#;key={key}")
        come_back(page, "Anna")
        expect(page.locator("#room")).to_have_text("# main")
        assert page.evaluate("Object.values(localStorage)").count(KEY) == 1
        assert "y" * 30 not in page.evaluate("Object.values(localStorage)")
    page.reload()
    come_back(page, "Anna")


def test_a_link_with_the_key_is_enough_and_the_key_is_shown_only_to_share_it(
    locked: RunningServer, visit: Visit, visit_as: Visit
) -> None:
    page = visit(f"{locked.page}#;key={KEY}", permissions=["clipboard-read", "clipboard-write"])
    page.wait_for_selector("html[data-scene=login]")
    page.wait_for_url(f"{locked.page}#")
    come_in(page, "Anna")
    say(page, "for the file")
    wait_for_text(page, "for the file")
    assert KEY not in page.url + page.content()
    page.hover(".message")
    page.get_by_role("button", name="Copy the link").click()
    wait_for(page, "async () => (await navigator.clipboard.readText()).endsWith('#main/1')")

    with page.expect_download() as download:
        page.click("[data-open=about]")
        page.get_by_role("link", name="Download the history").click()
    assert download.value.suggested_filename == "main.txt"
    assert download.value.path().read_text(encoding="utf-8").endswith("] Anna: for the file\n")
    page.keyboard.press("Escape")

    link = shared(page)
    assert link == f"{locked.page}#;key={KEY.replace('+', '%2B')}"
    page.get_by_role("button", name="Add a device").click()
    device = page.get_by_role("dialog", name="Add a device").get_by_role("textbox").input_value()
    page.keyboard.press("Escape")

    guest = visit_as("Boris", link)
    wait_for_text(guest, "for the file")
    # The link for another device brings the key along.
    phone = visit(device)
    phone.get_by_role("button", name="Yes, that is me").click()
    phone.wait_for_selector("html[data-scene=chat]")
    expect(phone.locator("#me")).to_have_text("Anna")


def shared(page: Page) -> str:
    """The link by which others come in."""
    page.get_by_role("button", name="Invite to this chat").click()
    dialog = page.get_by_role("dialog", name="Invite to this chat")
    expect(dialog).to_contain_text("Anyone with this link can join")
    link = dialog.get_by_role("textbox").input_value()
    page.keyboard.press("Escape")
    return link


def test_a_link_that_only_this_computer_can_open_says_so_and_has_no_code(
    make_server: ServerMaker, visit_as: Visit
) -> None:
    server = make_server("--lang", "en", "--open", "--public-host", ANOTHER_HOST).start()
    visits = (("Anna", "localhost", True), ("Boris", "127.0.0.1", True), ("Clara", ANOTHER_HOST, False))
    for name, host, is_local in visits:
        page = visit_as(name, server.page.replace("localhost", host))
        for button in ("Invite to this chat", "Add a device", "About this room"):
            page.get_by_role("button", name=button).click()
            dialog = page.get_by_role("dialog")
            expect(dialog.get_by_role("textbox")).to_have_value(re.compile(re.escape(host)))
            expect(dialog.get_by_text("works on this computer only")).to_have_count(int(is_local))
            expect(dialog.get_by_text("--lan")).to_have_count(int(is_local))
            expect(dialog.get_by_role("img", name="The link as a QR code")).to_have_count(int(not is_local))
            page.keyboard.press("Escape")
        page.context.close()
