"""Programs whose mounts and processes end with them, in whatever way they end: mount and PID namespaces of their own.

``python -m tests.torture.disk.namespace`` says what is missing for that, if anything is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

UNSHARE: Final = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
NEEDED: Final = ("unshare", "losetup", "mkfs.ext4", "mkfs.xfs", "mkfs.btrfs")


def missing() -> str:
    """The reason why this machine cannot have disks that can be cut; empty if it can."""
    if os.geteuid() != 0:
        return "root"
    for path in ("/dev/fuse", "/dev/loop-control"):
        if not Path(path).exists():
            return path
    programs = [program for program in NEEDED if shutil.which(program) is None]
    if programs:
        return ", ".join(programs)
    return _forbidden()


def _forbidden() -> str:
    tried = subprocess.run(
        [*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True, text=True
    )
    return tried.stderr.strip()


if __name__ == "__main__":
    if lacking := missing():
        sys.exit(lacking)
