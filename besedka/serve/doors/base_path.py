"""The path of its host below which the chat is served: empty, or such as ``/chat``. Pure."""

from __future__ import annotations

import re


def clean_base_path(text: str) -> str:
    """Normalize a base path: a leading slash, no trailing one; empty for the whole host.

    Raises:
        ValueError: if it is not a path.
    """
    parts = text.strip("/").split("/") if text.strip("/") else []
    if "//" in text or not all(
        re.fullmatch(r"[\w.~-]+", part, re.ASCII) and part.strip(".") for part in parts
    ):
        raise ValueError(
            f"{text!r} is not a path; it looks like /chat and has letters, digits, and -._~ between slashes"
        )
    return "".join(f"/{part}" for part in parts)
