"""Draw the page's icons for phones from ``icon.svg``: ``make icons``.

Phones and their launchers take no SVG. A launcher cuts a maskable icon into a shape of its own, of which a circle of four fifths is sure to
be seen (W3C, Web Application Manifest, "Icon masks and safe zone"); iOS rounds the corners by itself, and takes no transparent ones.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

CLIENT: Final = Path(__file__).parent.parent / "besedka" / "client"
CORNERS: Final = ' rx="15"'
DRAWING: Final = "<g "
SAFE: Final = '<g transform="translate(32 32) scale(.8) translate(-32 -32)" '

Change = tuple[str, str]

ICONS: Final[dict[str, tuple[int, list[Change]]]] = {
    "icon-192.png": (192, []),
    "icon-512.png": (512, []),
    "icon-maskable.png": (512, [(CORNERS, ""), (DRAWING, SAFE)]),
    "apple-touch-icon.png": (180, [(CORNERS, "")]),
}
"""For each file its width and height in pixels, and its changes to the drawing."""


def main() -> None:
    """Draw all icons."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["BESEDKA_TEST_BROWSER"])
        page = browser.new_page()
        for name, (size, changes) in ICONS.items():
            page.set_viewport_size({"width": size, "height": size})
            page.set_content(
                f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{drawing(changes)}"
            )
            page.screenshot(path=CLIENT / name, omit_background=True)
            print(f"besedka/client/{name}")
        browser.close()


def drawing(changes: list[Change]) -> str:
    """The icon with these changes."""
    svg = (CLIENT / "icon.svg").read_text(encoding="utf-8")
    for old, new in changes:
        if svg.count(old) != 1:
            message = f"icon.svg has {old!r} not once"
            raise ValueError(message)
        svg = svg.replace(old, new)
    return svg


if __name__ == "__main__":
    main()
