"""Find a browser for the browser tests, or get one, and print its path: a Chromium, or a Firefox (``find_browser.py firefox``).

A Firefox is one that is installed, or Debian's, through apt, where we may (root). A Chromium, in this order: its headless shell, if that is installed; Debian's, through apt, where we may (root); a whole Chromium that is installed;
Debian's; Playwright's own. The shell is the same engine without the windows of a browser: a page in it costs a third of the CPU.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
FIREFOXES = ("firefox-esr", "firefox")
MAC_FIREFOX = "/Applications/Firefox.app/Contents/MacOS/firefox"
MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def installed_shell() -> str | None:
    """A headless shell that is there."""
    return next(filter(None, map(shutil.which, SHELLS)), None)


def installed() -> str | None:
    """A browser that is there."""
    return next(filter(None, map(shutil.which, NAMES)), None) or next(filter(os.path.exists, MAC), None)


def shell_from_apt() -> str | None:
    """Debian's headless shell, if this is Debian and we are root."""
    return installed_shell() if install(SHELLS[0]) else None


def from_apt() -> str | None:
    """Debian's browser, if this is Debian and we are root."""
    return installed() if install(NAMES[0]) else None


def installed_firefox() -> str | None:
    """A Firefox that is there."""
    return next(filter(None, map(shutil.which, FIREFOXES)), None) or next(
        filter(os.path.exists, [MAC_FIREFOX]), None
    )


def firefox_from_apt() -> str | None:
    """Debian's Firefox, if this is Debian and we are root."""
    return installed_firefox() if install(FIREFOXES[0]) else None


def install(package: str) -> bool:
    """Install a package of Debian; whether that was done."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", package]):
        done = subprocess.run([apt, *arguments], env=environment, stdout=sys.stderr, check=False)
        if done.returncode:
            print(f"apt-get {arguments[0]} failed", file=sys.stderr)
            return False
    return True


def from_playwright() -> str | None:
    """Playwright's own browser, downloaded if it is not there yet."""
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if not Path(path).exists():
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(command, stdout=sys.stderr, check=False)
    return path if Path(path).exists() else None


SEARCHES = {
    "chromium": (installed_shell, shell_from_apt, installed, from_apt, from_playwright),
    "firefox": (installed_firefox, firefox_from_apt),
}

if __name__ == "__main__":
    (wanted,) = sys.argv[1:] or ["chromium"]
    for search in SEARCHES[wanted]:
        found = search()
        if found:
            print(found)
            sys.exit(0)
    print(f"no browser: install {wanted}, and run this again", file=sys.stderr)
    sys.exit(1)
