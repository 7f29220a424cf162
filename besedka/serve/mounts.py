"""Files that are mounted one by one, as ``-v ./known_names.txt:/data/known_names.txt`` has a container do (proc_pid_mountinfo(5)).

No other file can take the place of such a one, neither from here (rename(2): EBUSY) nor, so that it would be seen here, from outside.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from besedka.serve.settings import Settings

log = logging.getLogger(__name__)

MOUNTS: Final = Path("/proc/self/mountinfo")

COMPACTED: Final = (
    "known_names.txt",
    "private_rooms.txt",
    "blocks.txt",
    "invitations.txt",
    "read_marks.txt",
)
"""Files that the server sometimes replaces by a compact copy; in between it appends to them."""

_MOUNT_POINT: Final = 4
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def warn_of_mounted(settings: Settings) -> None:
    """Say at the start, in a line for each file that is mounted by itself, what will not work, and what to do."""
    mounted = _mounted()
    read = [settings.history, settings.people_folder / "audit.txt", settings.access_keys]
    for path in (settings.people_folder / name for name in COMPACTED):
        if _is_among(path, mounted):
            log.warning(
                "%s is mounted as a single file, which cannot be replaced: it takes changes, but grows with each; and "
                "where another takes its place outside, as most editors have it, that is never seen here; mount the "
                "folder that it is in",
                path,
            )
    for path in filter(None, read):
        if _is_among(path, mounted):
            log.warning(
                "%s is mounted as a single file: where another takes its place outside, as most editors have it, "
                "that is never seen here; mount the folder that it is in",
                path,
            )


def _is_among(path: Path, mounted: frozenset[Path]) -> bool:
    with suppress(OSError):  # whoever uses it tells what is wrong with it
        return path.resolve() in mounted and not path.is_dir()
    return False


def _mounted() -> frozenset[Path]:
    """Where something is mounted; nothing where the system does not tell."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return frozenset()
    fields = (line.split(" ") for line in lines)
    return frozenset(Path(_unescaped(one[_MOUNT_POINT])) for one in fields if len(one) > _MOUNT_POINT)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)
