"""A real Chromium, headless, with nothing of its own on the network."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, ViewportSize, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.residents import USUAL, Motion, Residents
from tests.running import RunningServer, running
from tests.talking import WireClient

ANOTHER_HOST = "besedka.test"
"""A host that the browser takes for another machine (RFC 6761 keeps the name from being one): no secure context, unlike localhost."""

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {ANOTHER_HOST} 127.0.0.1",
)

expect.set_options(timeout=60_000)

Visit = Callable[..., Page]
Borrow = Callable[..., Page]

HAS_FAILED: Final = pytest.StashKey[bool]()

THREADS: Final = ["ps", "-eLo", "pid,ppid,tid,stat,pcpu,time,wchan:32,comm,args"]
"""All threads of this machine, with what each waits for in the kernel."""

COUNTED: Final = re.compile(r"^[1-9]")
"""How the number of people begins once the server has answered."""

CLIENT = Path(__file__).parent.parent.parent / "besedka" / "client"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a browser has not answered in time, the report says what its processes were doing: a page must never hang."""
    report = yield
    item.stash[HAS_FAILED] = item.stash.get(HAS_FAILED, False) or report.failed
    if call.excinfo and call.excinfo.errisinstance(PlaywrightTimeout) and shutil.which(THREADS[0]):
        threads = subprocess.run(THREADS, capture_output=True, text=True, check=False).stdout
        own = [line[:200] for line in threads.splitlines() if "chrom" in line or "TID" in line]
        report.sections.append(("threads of browsers", "\n".join(own)))
    return report


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser that ``make test`` has found."""
    path = os.environ.get("BESEDKA_TEST_BROWSER")
    if not path:
        pytest.fail(
            "no browser was named: run the tests by `make test`, or set BESEDKA_TEST_BROWSER to a Chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests that leave it alone: each has a room of its own there."""
    # In each test other people have the same names.
    options = ("--lang", "en", "--rate", "0", "--names", "open")
    yield from running(RunningServer(tmp_path_factory.mktemp("house"), *options))


ROOMS = itertools.count(1)


@pytest.fixture
def room() -> str:
    """A room in which nobody has been."""
    return f"r{os.getpid()}-{next(ROOMS)}"


@pytest.fixture
def motion() -> Motion:
    """The visitors' ``prefers-reduced-motion``.

    A browser without a graphics card draws what moves in software: a third of all its time. So only in some files things move.
    """
    return "reduce"


@pytest.fixture
def visit(chromium: Browser, motion: Motion) -> Iterator[Visit]:
    """Opens a page as a new visitor with an empty profile; any error in it fails the test."""
    contexts = []
    problems: list[str] = []

    def open_page(url: str, **options: object) -> Page:
        context = new_context(chromium, **{"reduced_motion": motion, **options})
        contexts.append(context)
        return watched(context.new_page(), url, problems)

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def visit_as(visit: Visit) -> Visit:
    """Opens a page as a user with this name whom the browser knows: it is in at once, which takes half as long as with a login."""

    def open_page(name: str, url: str, **options: object) -> Page:
        page = visit("about:blank", **options)
        introduce(page.context, name)
        page.goto(url)
        come_back(page, name)
        return page

    return open_page


@pytest.fixture(scope="session")
def residents(chromium: Browser, house: RunningServer) -> Iterator[Residents]:
    """The people who stay in the house; a name is given only once there, so no visitor has theirs."""

    def open_page(name: str, problems: list[str], **options: object) -> Page:
        context = new_context(chromium, **options)
        introduce(context, name)
        page = watched(context.new_page(), house.page, problems)
        come_back(page, name)
        return page

    people = Residents(open_page)
    yield people
    people.close()


@pytest.fixture
def borrow(
    residents: Residents, room: str, motion: Motion, request: pytest.FixtureRequest
) -> Iterator[Borrow]:
    """Has a resident of the house come into the room of this test, and gives their page; see `tests.browser.residents`."""
    with ExitStack() as ends:

        def bring(name: str, viewport: ViewportSize = USUAL, **options: object) -> Page:
            resident = residents.borrow(name, room, motion, viewport, **options)
            ends.callback(lambda: residents.give_back(resident, has_failed=request.node.stash[HAS_FAILED]))
            return resident.page

        yield bring


def new_context(chromium: Browser, **options: object) -> BrowserContext:
    """A profile of its own, with nothing in it."""
    # Service workers would keep requests from the tests that look at them.
    usual = {"locale": "en-GB", "service_workers": "block"}
    context = chromium.new_context(**{**usual, **options})  # type: ignore[arg-type]
    context.on("dialog", agree_to_new_rooms)
    return context


def introduce(context: BrowserContext, name: str) -> None:
    """Have the browser know a user, as after an earlier visit; whoever has this name in another one is the same person."""
    stored = {"besedka.name": name, "besedka.secret": hashlib.sha256(name.encode()).hexdigest()}
    context.add_init_script(
        f"if (location.protocol.startsWith('http') && !localStorage.length) Object.assign(localStorage, {json.dumps(stored)})"
    )


def agree_to_new_rooms(dialog: Dialog) -> None:
    """Most tests begin in a room of their own, which is not there yet: the page asks whether to create it."""
    if dialog.message.startswith(("There is no room", "Комнаты #")):
        dialog.accept()


def watched(page: Page, url: str, problems: list[str]) -> Page:
    """Go there, and note what goes wrong in the page."""
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(url)
    return page


def come_in(page: Page, name: str) -> None:
    """Pass the login, and wait for all parts of the page."""
    page.wait_for_selector("html[data-scene=login]")
    page.fill("#login-name", name)
    page.press("#login-name", "Enter")
    page.wait_for_selector("html[data-scene=chat]")
    settled(page)


def come_back(page: Page, name: str) -> None:
    """Wait until somebody whom the browser knows is in again, without a login."""
    recognized(page, name)
    expect(page.locator("#people")).to_have_text(COUNTED)


def recognized(page: Page, name: str) -> None:
    """Wait until the page is open for somebody whom the browser knows, which takes no answer of the server."""
    page.wait_for_selector("html[data-scene=chat]")
    settled(page)
    expect(page.locator("#me")).to_have_text(name)


def settled(page: Page) -> None:
    """Wait for the parts of the page that come when one has come in."""
    page.wait_for_selector("#chat[aria-busy=false]")


def say(page: Page, text: str) -> None:
    """Write a message and send it."""
    page.fill("#say-text", text)
    page.press("#say-text", "Enter")


def texts(page: Page, which: str = ".message") -> list[str]:
    """The texts of the messages that are shown."""
    return page.locator(f"{which} .text").all_text_contents()


def wait_for_text(page: Page, text: str) -> None:
    """Wait until a message with just this text is shown as told."""
    page.locator(".message.delivered .text", has_text=text).first.wait_for()


def receive_numbered(page: Page, server: RunningServer, room: str, count: int) -> None:
    """Have somebody else post "message 0" and so on, and wait until the page shows the last."""
    with WireClient(server, max_queue=None) as boris:
        boris.join("Boris", room)
        for number in range(count):
            boris.send_frame("chat", room=room, text=f"message {number}")
        wait_for_text(page, f"message {count - 1}")


def wait_for(page: Page, predicate: str, arg: object = None) -> None:
    """Wait until an async function in the page returns true; `wait_for_function` is content with its promise."""
    page.evaluate(
        f"""async (arg) => {{
            const deadline = performance.now() + 60_000;
            while (!(await ({predicate})(arg))) {{
                if (performance.now() > deadline) throw new Error("it did not become true");
                await new Promise((resolve) => setTimeout(resolve, 20));
            }}
        }}""",
        arg,
    )


def wait_for_frames(page: Page, count: int) -> None:
    """Wait until the page has been drawn so many times more."""
    page.evaluate(
        "async (count) => { while (count--) await new Promise(requestAnimationFrame); }",
        count,
    )


def wait_for_animations(page: Page) -> None:
    """Wait until all movement has ended."""
    page.wait_for_function("() => !document.getAnimations().some(one => one.playState === 'running')")


def turn_wheel(page: Page, pixels: int) -> None:
    """Scroll the log by the mouse wheel, and wait until it stands still."""
    page.locator("#log").hover()
    page.evaluate(
        """() => {
            const log = document.getElementById("log");
            window.scrolled = new Promise((resolve) => log.addEventListener("scrollend", resolve, { once: true }));
        }"""
    )
    page.mouse.wheel(0, pixels)
    page.evaluate("() => window.scrolled.then(() => { delete window.scrolled; })")


def ask_for_older(page: Page) -> None:
    """Press the button at the top of the log; on the way there a mouse would scroll, and older ones come by themselves."""
    page.locator("#older").evaluate("button => button.click()")


def ids(page: Page) -> list[int]:
    """The ids of the messages that are shown."""
    found: list[int] = page.locator(".message[data-id]").evaluate_all(
        "rows => rows.map(row => Number(row.dataset.id))"
    )
    return found


def distance_from_bottom(page: Page) -> float:
    """How far the log is from its end, in pixels."""
    distance: float = page.locator("#log").evaluate(
        "log => log.scrollHeight - log.scrollTop - log.clientHeight"
    )
    return distance


def history_of(server: RunningServer) -> str:
    """The history file's text."""
    return server.history.read_text(encoding="utf-8")


def log_of(server: RunningServer, room: str) -> Path:
    """The file of a room; the server reads it when somebody enters the room first."""
    return server.directory / f"chat_history.{room}.txt"
