"""The browser of ``tests/browser``, for what goes on around the talk."""

from tests.browser.conftest import chromium, visit

__all__ = ["chromium", "visit"]
