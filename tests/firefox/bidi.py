"""A Firefox that is driven over WebDriver BiDi (W3C, https://w3c.github.io/webdriver-bidi/), by the remote agent that it has itself.

There is no program in between: Firefox names a WebSocket, and a command is a JSON object with a number that the response repeats.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from websockets.sync.client import connect

from tests.commanding import wait_until

TIMEOUT_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.03

PREFERENCES: Final[Mapping[str, bool | int | str]] = {
    # All names are this machine, where nobody listens for what a browser asks of its maker.
    "network.dns.native-is-localhost": True,
    "network.trr.mode": 5,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.prefetch-next": False,
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.blockedURIs.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.region.network.url": "",
    "browser.search.update": False,
    "browser.topsites.contile.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "data:,",
    "toolkit.telemetry.unified": False,
    "ui.prefersReducedMotion": 1,
    "layout.css.prefers-color-scheme.content-override": 1,
}
"""An empty profile's: nothing of the browser's own is on the network."""

KEYS: Final = {
    "Alt": "\ue00a",
    "Control": "\ue009",
    "Shift": "\ue008",
    "Tab": "\ue004",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "ArrowUp": "\ue013",
    "ArrowDown": "\ue015",
    "PageUp": "\ue00e",
    "End": "\ue010",
    "Home": "\ue011",
    "Backspace": "\ue003",
}
"""The keys without a character of their own (WebDriver, section 17.4.2)."""


class BidiError(Exception):
    """A command that the browser has refused: its name, the kind of the error, and the browser's sentence."""


class Firefox:
    """A headless Firefox with an empty profile, and a session with it.

    Args:
        program: its path.
        profile: a new directory.
    """

    def __init__(self, program: str, profile: Path) -> None:
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()
        ]
        (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
        arguments = ("--headless", "-no-remote", "--profile", str(profile), "--remote-debugging-port", "0")
        self._numbers = itertools.count()
        self.problems: list[str] = []
        self._open = ExitStack()
        printed = profile / "stderr.txt"
        with printed.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen([program, *arguments], stdout=errors, stderr=errors)
        self._open.enter_context(process)
        self._open.callback(process.terminate)

        def address() -> re.Match[str] | None:
            assert process.poll() is None, printed.read_text(encoding="utf-8")
            return re.search(r"listening on (ws://\S+)\n", printed.read_text(encoding="utf-8"))

        wait_until(address, LOOK_SECONDS)
        found = address()
        assert found
        self._socket = self._open.enter_context(
            connect(f"{found[1]}/session", max_size=None, ping_interval=None)
        )
        # It asks whether to create a room.
        self.command(
            "session.new", capabilities={"alwaysMatch": {"unhandledPromptBehavior": {"default": "accept"}}}
        )
        self.command("session.subscribe", events=["log.entryAdded"])

    def close(self) -> None:
        """End it."""
        self._open.close()

    def command(self, method: str, **parameters: object) -> dict[str, Any]:
        """The result of a command.

        Raises:
            BidiError: where the browser refuses it.
        """
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            received = json.loads(self._socket.recv(TIMEOUT_SECONDS))
            if received.get("method") == "log.entryAdded":
                self._note(received["params"])
            elif received.get("id") == number:
                if received["type"] == "error":
                    raise BidiError(f"{method}: {received['error']}: {received['message']}")
                result: dict[str, Any] = received["result"]
                return result

    def _note(self, entry: dict[str, Any]) -> None:
        # Without a stack they are the browser's own remarks, as on a WebSocket without a server.
        if entry["type"] == "javascript" and entry.get("stackTrace"):
            self.problems.append(f"{entry['level']}: {entry['text']}")

    def person(self) -> str:
        """An empty profile within the profile, which its tabs share: the id of a user context."""
        return str(self.command("browser.createUserContext")["userContext"])

    def forget(self, person: str) -> None:
        """Close all that a person has opened."""
        self.command("browser.removeUserContext", userContext=person)


class Tab:
    """A page in a window of its own: a tab behind another would draw nothing.

    Args:
        person: whose it is (`Firefox.person`).
        locale: the language that the page is told, as in `navigator.language`.
        size: the width and the height of what is seen, in CSS pixels.
    """

    def __init__(
        self, firefox: Firefox, person: str, *, locale: str = "en-GB", size: tuple[int, int] = (1100, 700)
    ) -> None:
        self._firefox = firefox
        self._id = firefox.command("browsingContext.create", type="window", userContext=person)["context"]
        firefox.command("emulation.setLocaleOverride", locale=locale, contexts=[self._id])
        viewport = {"width": size[0], "height": size[1]}
        firefox.command("browsingContext.setViewport", context=self._id, viewport=viewport)

    def open(self, url: str) -> Self:
        """Go to an address, and wait until it has loaded."""
        self._firefox.command("browsingContext.navigate", context=self._id, url=url, wait="complete")
        return self

    def reload(self) -> None:
        """Load the page again, and wait until it has loaded."""
        self._firefox.command("browsingContext.reload", context=self._id, wait="complete")

    def close(self) -> None:
        """Close the window."""
        self._firefox.command("browsingContext.close", context=self._id)

    def call(self, function: str, *arguments: object) -> Any:
        """The result of a function in the page, which may be a promise; it and the arguments are JSON.

        Raises:
            BidiError: where the function throws.
        """
        done = self._firefox.command(
            "script.callFunction",
            functionDeclaration=f"async (json) => JSON.stringify([await ({function})(...JSON.parse(json))])",
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            target={"context": self._id},
            awaitPromise=True,
            userActivation=True,
        )
        if done["type"] == "exception":
            raise BidiError(f"{function}: {done['exceptionDetails']['text']}")
        return json.loads(done["result"]["value"])[0]

    def wait_for(self, function: str, *arguments: object) -> Any:
        """The first result of a function in the page that is truthy; a page that is being left has none."""
        results: list[object] = []

        def is_so() -> object:
            try:
                results.append(self.call(function, *arguments))
            except BidiError as error:
                if not re.search(
                    r"no such frame|realm|destroyed|unloaded|aborted", str(error), re.IGNORECASE
                ):
                    raise
                return False
            return results[-1]

        try:
            wait_until(is_so, LOOK_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{function} {arguments}: {results[-1:]}") from error
        return results[-1]

    def press(self, *combinations: str) -> None:
        """Press keys one after the other: a character, a name in `KEYS`, or several with a ``+``, as in ``Control+k``."""
        actions = []
        for combination in combinations:
            keys = (
                [KEYS.get(key, key) for key in combination.split("+")]
                if len(combination) > 1
                else [combination]
            )
            actions += [{"type": "keyDown", "value": key} for key in keys]
            actions += [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self._act({"type": "key", "id": "keyboard", "actions": actions})

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.press(*text)

    def click(self, selector: str, text: str = "") -> None:
        """Click the first element of these that contains the text, once it is there and nothing covers it."""
        x, y = self.wait_for(POINT, selector, text)
        self._point(x, y, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0})

    def hover(self, selector: str, text: str = "") -> None:
        """Point at an element as `click` does."""
        self._point(*self.wait_for(POINT, selector, text))

    def scroll(self, selector: str, pixels: int) -> None:
        """Turn the mouse wheel over an element."""
        x, y = self.call(MIDDLE, selector)
        turn = {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": pixels}
        self._act({"type": "wheel", "id": "wheel", "actions": [turn]})

    def screenshot(self, path: Path) -> None:
        """Take a picture of what is seen, as PNG."""
        taken = self._firefox.command("browsingContext.captureScreenshot", context=self._id)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _point(self, x: float, y: float, *then: object) -> None:
        actions = [{"type": "pointerMove", "x": x, "y": y}, *then]
        self._act({"type": "pointer", "id": "mouse", "actions": actions})

    def _act(self, source: object) -> None:
        # Whoever acts in a window looks at it: that has the focus.
        self._firefox.command("browsingContext.activate", context=self._id)
        self._firefox.command("input.performActions", context=self._id, actions=[source])


# Where an element may be clicked: its middle, if that is not covered.
POINT: Final = """(selector, text) => {
    const one = [...document.querySelectorAll(selector)].find((some) => some.textContent.includes(text) && some.checkVisibility());
    if (!one) return null;
    one.scrollIntoView({ block: "nearest" });
    const { x, y, width, height } = one.getBoundingClientRect();
    const point = [Math.floor(x + width / 2), Math.floor(y + height / 2)];
    const above = document.elementFromPoint(...point);
    return above && (one.contains(above) || above.closest("label")?.contains(one)) ? point : null;
}"""

MIDDLE: Final = """(selector) => {
    const { x, y, width, height } = document.querySelector(selector).getBoundingClientRect();
    return [x + width / 2, y + height / 2].map(Math.floor);
}"""
