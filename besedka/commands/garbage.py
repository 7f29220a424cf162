"""Python's search for garbage, while a command starts and when it ends: a module that was imported stays, and holds none."""

from __future__ import annotations

import gc
from typing import Final

OBJECTS_AT_A_START: Final = 50_000
"""So many new objects (lists, dictionaries, instances …) begin a search: more than a client imports, and some megabytes at most."""

_DEFAULT: Final = gc.get_threshold()


def postpone() -> None:
    """Search rarely: by default some seventy searches go through what `besedka send` imports, which takes a twentieth of its time."""
    gc.set_threshold(OBJECTS_AT_A_START)


def resume() -> None:
    """Search as usual, but for what is there now. For a command that runs for long."""
    gc.freeze()
    gc.set_threshold(*_DEFAULT)


def skip_at_exit() -> None:
    """Do not search at the end of the process, when Python takes its modules apart: nobody needs that memory."""
    gc.freeze()
