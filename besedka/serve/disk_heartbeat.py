"""Whether the disk answers: each system call that waits for it notes when it has come back. Any thread may."""

from __future__ import annotations

import time


class Disk:
    """All disks under the files of this process.

    Attributes:
        answered_at: when one has answered last, by `time.monotonic`.
    """

    def __init__(self) -> None:
        self.answered_at = float("-inf")

    def answered(self) -> None:
        """It has answered now."""
        self.answered_at = time.monotonic()


DISK = Disk()
