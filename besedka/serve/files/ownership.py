"""The owner of a file, and who else can change or read it: what the operator is warned of. `trust` says which files are not read at all."""

from __future__ import annotations

import os
import stat
from enum import Enum, auto
from pathlib import Path
from typing import Final

from besedka.serve.files.descriptor import PRIVATE, Descriptor

_ROOT: Final = 0


class Care(Enum):
    """The access that others may have to a file.

    A *shared* one they may read, as the log of an open room, which is meant for `cat`; a *private* one they may not; a *trusted* one
    decides who may come in and who moderates.
    """

    SHARED = auto()
    PRIVATE = auto()
    TRUSTED = auto()


def concern(path: Path, file: Descriptor, care: Care) -> str:
    """A warning about a file that belongs to somebody else, or that others can change or read; empty if there is none."""
    status = os.fstat(file.number)
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid not in {os.geteuid(), _ROOT}:
        return f"{path} belongs to another user of this machine (uid {status.st_uid}), who can change and read it"
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        can = "change"
    elif care is not Care.SHARED and mode & ~PRIVATE:
        can = "read"
    else:
        return ""
    wanted = mode & ~0o022 if care is Care.SHARED else PRIVATE
    return f"other users of this machine can {can} {path} (mode {mode:04o}): chmod {wanted:o} {path}"
