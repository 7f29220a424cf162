"""How long the tests try: `make test` takes a slice of some proofs, `make torture` (BESEDKA_TORTURE=1) all of them."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import settings

LONG: Final = bool(os.environ.get("BESEDKA_TORTURE"))
"""Whether this is `make torture`."""

EXAMPLES: Final = 250 if LONG else 30
"""Examples of a property that says nothing else."""


def often(examples: int) -> settings:
    """Settings of a property that is tried more often than others: with so many examples, in `make torture` with thirty times as many."""
    return settings(max_examples=examples * (30 if LONG else 1))
