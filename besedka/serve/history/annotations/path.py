"""The name of the file beside a log that says which entries are about which messages."""

from __future__ import annotations

from pathlib import Path


def annotations_path(log: Path) -> Path:
    """The file that says which entries of a log are about which messages."""
    return log.with_name(f"{log.name}.annotations")


def journal_path(log: Path) -> Path:
    """The file with what SQLite takes back of that one after a crash."""
    return log.with_name(f"{log.name}.annotations-journal")


def remove_annotations(log: Path) -> None:
    """Remove the file; it is made anew when it is asked for.

    Raises:
        OSError: from the system.
    """
    # The journal last: without it the file might be taken for whole.
    annotations_path(log).unlink(missing_ok=True)
    journal_path(log).unlink(missing_ok=True)
