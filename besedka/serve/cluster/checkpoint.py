"""How far a node has applied the stream, in a file beside its history: ``cluster.txt``.

It is written now and then, and may be old: entries that come again are recognised by their ids. It must never be ahead of the logs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.errors import ClusterUnusable
from besedka.serve.files.descriptor import read_regular, reason, write_whole

CHECKPOINT: Final = "cluster.txt"

_FORM: Final = re.compile(
    r"cluster (?P<id>[0-9a-f]{1,64})\nsequence (?P<sequence>\d{1,20})\n(?:people (?P<people>\d{1,20})\n)?"
    r"(?:numbering (?P<numbering>[0-9a-f]{1,64})\n)?"
)


class Checkpoint(NamedTuple):
    """The content of the file.

    Attributes:
        id: identifies the cluster's stream.
        sequence: all entries up to this one are in this node's logs.
        people: all messages about people up to this one are in its files; 0 if none of them is.
        numbering: identifies the numbers of the entries, as `besedka.serve.cluster.jetstream.stream.StreamState`.
    """

    id: str
    sequence: int
    people: int = 0
    numbering: str = ""


def checkpoint_path(history: Path) -> Path:
    """The file of the node that has this history."""
    return history.with_name(CHECKPOINT)


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None if there is none.

    Raises:
        ClusterUnusable: if it cannot be read.
    """
    try:
        found = _FORM.fullmatch(read_regular(path).decode("utf-8", "replace"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClusterUnusable(f"{path} cannot be read: {reason(error)}") from error
    if not found:
        raise ClusterUnusable(
            f"{path} is not what Besedka has written; without it all entries are received again"
        )
    return Checkpoint(
        found["id"], int(found["sequence"]), int(found["people"] or 0), found["numbering"] or ""
    )


def keep_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; it is on disk on return.

    Raises:
        OSError: from the system.
    """
    lines = f"cluster {checkpoint.id}\nsequence {checkpoint.sequence}\npeople {checkpoint.people}\n"
    numbering = f"numbering {checkpoint.numbering}\n" if checkpoint.numbering else ""
    write_whole(path, f"{lines}{numbering}", replace=True)
