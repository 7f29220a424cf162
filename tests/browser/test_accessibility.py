"""Nothing hinders anybody: axe-core finds nothing in any view, and all texts have contrast.

`make test` goes once through all views, which have one colour scheme and then the other, and leaves the contrast to `FAINT`;
`make torture` looks at each view in both schemes and in forced colours, in both languages, and asks axe for the contrast as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, wait_for_animations
from tests.browser.views import all_views, with_all_kinds_of_messages
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.running import ROOT, RunningServer

KEY: Final = "a-key_of.the~chat+0123"

Look = dict[str, Any]
LOOKS: Final[tuple[Look, ...]] = (
    {"color_scheme": "light", "forced_colors": "none"},
    {"color_scheme": "dark", "forced_colors": "none"},
    {"color_scheme": "light", "forced_colors": "active"},
    {"color_scheme": "dark", "forced_colors": "active"},
)
"""How the system wants its colours, as `Page.emulate_media` takes it."""


@pytest.fixture(scope="module")
def axe() -> str:
    """The program that tells what hinders people (of package.json: `make` installs it before any test starts)."""
    return (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("locale", ["en-GB", "ru-RU"] if LONG else ["en-GB"])
def test_axe_finds_nothing_and_all_texts_have_contrast_in_all_views(
    make_server: ServerMaker, tmp_path: Path, visit: Visit, axe: str, locale: str
) -> None:
    server = with_all_kinds_of_messages(make_server, tmp_path)
    page = visit(server.page, locale=locale, viewport={"width": 1200, "height": 800})
    page.evaluate(axe)
    faults = {}
    turns = itertools.cycle(LOOKS[:2])
    for view in all_views(page, server):
        for look in LOOKS if LONG else (next(turns),):
            page.emulate_media(**look)
            faults[f"{view}: {look}"] = judge(page)
    assert {name: found for name, found in faults.items() if found} == {}


def test_axe_finds_nothing_on_the_cards_that_ask_for_a_key_an_invitation_or_a_confirmation(
    make_server: ServerMaker, tmp_path: Path, visit: Visit, axe: str
) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text(f"{KEY} for the tests\n", encoding="utf-8")
    keys.chmod(0o600)
    server = make_server("--lang", "en", "--names", "invited", "--key-file", str(keys)).start()
    page = visit(server.page, locale="ru-RU" if LONG else "en-GB")
    faults = {}
    turns = itertools.cycle(LOOKS)
    for view in cards(page, server):
        page.evaluate(axe)
        for look in LOOKS if LONG else (next(turns),):
            page.emulate_media(**look)
            faults[f"{view}: {look}"] = judge(page)
    assert {name: found for name, found in faults.items() if found} == {}


def cards(page: Page, server: RunningServer) -> Iterator[str]:
    """Show one of the cards in place of the login after the other, and yield its name."""
    card = page.locator(".access:visible")
    for fragment, name in (("", "a key is needed"), (f"#;key={KEY}", "by invitation only")):
        page.goto("about:blank")
        page.goto(f"{server.page}{fragment}")
        page.fill("#login-name", "Anna")
        page.press("#login-name", "Enter")
        card.wait_for()
        yield name
    card.locator("input").fill("what?")
    page.keyboard.press("Enter")
    expect(card.get_by_role("alert")).not_to_be_empty()
    yield "a mistake"
    for token, code in (
        (f"invite={'x' * 43}", "a link that is no longer valid"),
        (f"device={'x' * 43}", "a link of another device"),
    ):
        page.goto("about:blank")
        page.goto(f"{server.page}#;{token}")
        page.locator(":is(.access, #login-form):visible").first.wait_for()
        yield code


def test_the_contrast_of_all_texts_is_looked_at(house: RunningServer, visit: Visit) -> None:
    page = visit(house.page)
    page.wait_for_selector("html[data-scene=login]")
    wait_for_animations(page)
    assert judge_contrast(page) == []
    page.evaluate("document.documentElement.style.setProperty('--ink-soft', 'rgb(150 150 150)')")
    assert "your name" in " ".join(map(str, judge_contrast(page))).lower()


def judge(page: Page) -> list[object]:
    """All findings of axe, and texts with less contrast than WCAG AA requires."""
    wait_for_animations(page)
    found: list[object] = page.evaluate(AXE, LONG)
    return found + judge_contrast(page)


def judge_contrast(page: Page) -> list[object]:
    faint: list[object] = page.evaluate(FAINT)
    return faint


# All rules for which it has a verdict, also best practices; that on the size of targets is off unless asked for. In forced colours axe takes
# -webkit-text-fill-color for the colour of a text, and that is still the page's: there `FAINT` alone judges. For axe the contrast is most of
# the work.
AXE = """async (isLong) => {
    const isForced = matchMedia("(forced-colors: active)").matches;
    const rules = { "target-size": { enabled: true }, "color-contrast": { enabled: isLong && !isForced } };
    const { violations } = await axe.run(document, { resultTypes: ["violations"], rules });
    return violations.map(({ id, impact, nodes }) => [id, impact, nodes.slice(0, 3).map(({ html }) => html)]);
}"""

# Texts whose colour is too near to what is behind them, as the canvas sees both.
FAINT = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const paint = (...colors) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const color of colors) {
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
        }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb) => {
        const [r, g, b] = rgb.map((value) => value / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const faint = [];
    for (const element of document.querySelectorAll("body *")) {
        const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("")
            || element.placeholder;
        const box = element.getBoundingClientRect();
        if (!text || box.width < 2 || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        const style = getComputedStyle(element);
        const behind = [];
        for (let one = element; one; one = one.parentElement) behind.unshift(getComputedStyle(one).backgroundColor);
        const color = element.placeholder && !element.value ? getComputedStyle(element, "::placeholder").color : style.color;
        const [light, dark] = [luminance(paint(...behind, color)), luminance(paint(...behind))].sort((a, b) => b - a);
        const size = parseFloat(style.fontSize);
        const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
        const ratio = (light + 0.05) / (dark + 0.05);
        if (ratio < least) faint.push(`${text.slice(0, 20)} (${element.localName}.${element.className}): ${ratio.toFixed(2)}`);
    }
    return [...new Set(faint)];
}"""
