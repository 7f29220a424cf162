"""``docs/tutorial.md`` is gone through as it stands: what it shows in boxes is what is typed here, and in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit, come_in, say, texts, wait_for_text
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.running import ROOT, RunningServer

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


class Tour:
    """The boxes of the tutorial, one after the other.

    Attributes:
        server: the one that was started by the first of them.
    """

    def __init__(self, make_server: ServerMaker, directory: Path) -> None:
        self._boxes: Iterator[tuple[str, str]] = iter(
            re.findall(r"^```(\w+)\n(.*?)\n```$", TUTORIAL, re.MULTILINE | re.DOTALL)
        )
        self._directory = directory
        _, serve, *options = self._next("bash").split()
        assert serve == "serve"
        self.server: RunningServer = make_server(*options).start()

    def name(self) -> str:
        """The next box, which is a name."""
        return self._next("name")

    def text(self) -> str:
        """The next box, which is typed into the page."""
        return self._next("text")

    def run(self) -> str:
        """Run the next box in a shell, in the server's folder; give what it prints."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", self._next("bash")],
            cwd=self._directory,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def is_over(self) -> bool:
        """Whether there is no further box."""
        return next(self._boxes, None) is None

    def _next(self, kind: str) -> str:
        found, box = next(self._boxes)
        assert found == kind, box
        return box


def label(words: str) -> str:
    """Words on the page, which the tutorial has in bold."""
    assert f"**{words}**" in TUTORIAL.replace("\n", " ")
    return words


def test_the_tutorial_works_as_written(  # noqa: PLR0915 - it is a long one
    make_server: ServerMaker, visit: Visit, tmp_path: Path
) -> None:
    tour = Tour(make_server, tmp_path)
    link = tour.server.link

    # 2. Come in.
    stranger = visit(link.split("#")[0])
    stranger.fill("#login-name", "Stranger")
    stranger.press("#login-name", "Enter")
    expect(stranger.get_by_role("heading", name=label("A key is needed"))).to_be_visible()
    anna = visit(link)
    come_in(anna, tour.name())
    assert "key" not in anna.url
    said_in_public = tour.text()
    say(anna, said_in_public)
    wait_for_text(anna, said_in_public)

    # 3. The name is yours.
    wait_until((tmp_path / "known_names.txt").exists)
    assert "Anna\t" in tour.run()
    eve = visit(link)
    eve.fill("#login-name", tour.name())
    eve.press("#login-name", "Enter")
    expect(eve.locator("#login-problem")).to_contain_text("belongs to somebody else")
    come_in(eve, tour.name())

    # 4. Take it along.
    anna.get_by_role("button", name=label("Add a device")).click()
    device = anna.get_by_role("dialog").get_by_role("textbox").input_value()
    anna.keyboard.press("Escape")
    phone = visit(device)
    phone.get_by_role("button", name=label("Yes, that is me")).click()
    phone.wait_for_selector("html[data-scene=chat]")
    expect(phone.locator("#me")).to_have_text("Anna")
    phone.context.close()

    # 5. A room of your own.
    say(anna, tour.text())
    expect(anna.get_by_role("heading", name="plans, a private room")).to_be_visible()
    say(anna, tour.text())
    invitation = anna.get_by_role("dialog").get_by_role("textbox").input_value()
    anna.keyboard.press("Escape")
    boris = visit(invitation)
    come_in(boris, tour.name())
    say(eve, tour.text())
    expect(eve.get_by_text("is private").first).to_be_visible()
    secret = tour.text()
    say(anna, secret)
    wait_for_text(boris, secret)
    assert secret in tour.run()

    # 6. Moderate.
    assert "Anna" in tour.run()
    say(anna, tour.text())
    wait_for_text(anna, said_in_public)
    say(eve, spoken := tour.text())
    wait_for_text(anna, spoken)
    anna.once("dialog", lambda dialog: dialog.accept())
    anna.locator(".message", has_text=spoken).hover()
    anna.get_by_role("button", name=label("Remove this message")).click()
    for page in (anna, eve):
        expect(page.locator(".message .text").last).to_contain_text("removed")
        assert texts(page)[0] == said_in_public
    file = tour.run()
    assert said_in_public in file
    assert spoken not in file
    assert "[removed]" in file
    tour.run()
    expect(eve.get_by_role("heading", name="You are banned")).to_be_visible()
    deeds = tour.run()
    assert [act in deeds for act in (" appoint ", " redact ", " ban ")] == [True] * 3
    assert "that was enough" in deeds
    assert tour.is_over()
