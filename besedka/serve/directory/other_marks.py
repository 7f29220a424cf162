"""Read marks at the other nodes of a cluster, as sessions see them. A server that is alone has none."""

from __future__ import annotations

from typing import Protocol

from besedka.serve.people.read_marks import ReadMark


class OtherMarks(Protocol):
    """The read marks of all nodes."""

    def move(self, mark: ReadMark) -> None:
        """Have the other nodes know of a mark that has moved here."""
