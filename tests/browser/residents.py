"""People who stay in the chat of the house: a test that only needs somebody in a room of its own borrows their page, and opens none.

A visit costs a second of the processor, a change of the room a tenth of that. So that no test sees what another has done, each has a
room that is new, and the only one of the resident; what outlasts a room must be as it was when the test ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

from playwright.sync_api import Page, ViewportSize, expect

Motion = Literal["no-preference", "reduce"]
USUAL: Final[ViewportSize] = {"width": 1280, "height": 720}


class Residents:
    """The residents of a server, each of whom comes in when a test needs them first.

    Args:
        open_page: opens a page on the server as a user whom the browser knows; the list gets the errors in it.
    """

    def __init__(self, open_page: Callable[..., Page]) -> None:
        self._open_page = open_page
        self._at_home: dict[str, Resident] = {}

    def borrow(
        self, name: str, room: str, motion: Motion, viewport: ViewportSize, **options: object
    ) -> Resident:
        """Have a resident go to a room; with other options it is another device of theirs."""
        device = f"{name} {options}"
        resident = self._at_home.pop(device, None) or self._welcome(device, name, **options)
        with resident.leaving_after_errors():
            resident.go_to(room, motion, viewport)
        return resident

    def give_back(self, resident: Resident, *, has_failed: bool = False) -> None:
        """Let other tests have the resident, unless the test has failed: then the page may be anything.

        Raises:
            AssertionError: the page is not as it was, or there was an error in it; nobody gets it any more.
        """
        if has_failed:
            resident.leave()
            return
        with resident.leaving_after_errors():
            resident.restore()
            resident.check()
        self._at_home[resident.device] = resident

    def close(self) -> None:
        """Have all of them leave."""
        for resident in self._at_home.values():
            resident.leave()

    def _welcome(self, device: str, name: str, **options: object) -> Resident:
        problems: list[str] = []
        return Resident(device, self._open_page(name, problems, **options), problems)


class Resident:
    """A page that one test after another borrows.

    Attributes:
        device: whose it is, and on which device.
        page: the page.
    """

    def __init__(self, device: str, page: Page, problems: list[str]) -> None:
        self.device = device
        self.page = page
        self._problems = problems
        self._before = page.evaluate(LASTING)

    def go_to(self, room: str, motion: Motion, viewport: ViewportSize) -> None:
        """Make a room the only one, with the focus where it is after a login."""
        self.page.emulate_media(reduced_motion=motion)
        self.page.set_viewport_size(viewport)
        self.page.evaluate(OPEN, room)
        expect(self.page.locator("#room")).to_have_text(f"# {room}")
        expect(self.page.locator("#people")).not_to_have_text("0 people")
        self.page.evaluate(LEAVE_THE_OTHERS)
        expect(self.page.locator("#rooms li")).to_have_count(1)
        self.page.evaluate(DISMISS_TOAST)
        expect(self.page.locator(".toast")).to_be_hidden()

    def restore(self) -> None:
        """Undo what a test may have done to the browser."""
        for other in self.page.context.pages:
            if other != self.page:
                other.close()
        self.page.context.clear_permissions()
        self.page.emulate_media(color_scheme="null")
        self.page.mouse.move(0, 0)

    def check(self) -> None:
        """Compare what outlasts the room with what there was before.

        Raises:
            AssertionError: it is not the same, or there was an error in the page.
        """
        after = self.page.evaluate(LASTING)
        changed = {part: {*was} ^ {*after[part]} for part, was in self._before.items() if after[part] != was}
        assert changed == {}, (
            f"on a resident's page a test must undo what outlasts its room, or open a page: {changed}"
        )
        assert self._problems == [], self._problems

    @contextmanager
    def leaving_after_errors(self) -> Iterator[None]:
        """Close the page if something fails."""
        try:
            yield
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Close the page."""
        self.page.context.close()


# As the sidebar does it: a new room is meant, and nobody asks.
OPEN = """room => {
    const form = document.getElementById("room-form");
    form.querySelector("input").value = room;
    form.requestSubmit();
    document.getElementById("say-text").focus();
}"""
LEAVE_THE_OTHERS = "() => document.querySelectorAll('#rooms li:not(:has([aria-current=page])) button').forEach((one) => one.click())"
DISMISS_TOAST = "() => document.querySelector('.toast').click()"
# What outlasts a room: the storage, variables of the page, what is open, filled in, or changed around the log.
LASTING = """() => {
    const outline = (one) => one.cloneNode().outerHTML.replace(' style=""', "");
    const all = (selector) => [...document.querySelectorAll(selector)];
    const entries = Object.entries(localStorage).filter(([key]) => !/^besedka[.](room|draft)[.]/.test(key));
    return {
        storage: entries.map((entry) => entry.join(" = ")).sort(),
        variables: Object.keys(window).filter((name) => name !== "BESEDKA_FILES"), // some seconds after the start
        frame: ["html", "body", "#login", "#chat", "#side", "#pane", "#log", "#rows"].map((one) => outline(document.querySelector(one))),
        open: all("dialog[open], .search:not([hidden]), :popover-open:not(.toast), [aria-label='Copied.']").map(outline),
        filled: all("input:is([type=search], :not([type])):not(#login-name, dialog:not([open]) *)").filter(({ value }) => value).map(outline),
        checked: all(".search :checked").map(outline),
        unsent: all(".waiting, .failed").map(outline),
    };
}"""
