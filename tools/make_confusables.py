"""Make ``besedka/wire/confusables.py``: which characters look like which.

The source is the Unicode Consortium's ``confusables.txt`` (UTS #39, section 4), as the package
``confusable-homoglyphs`` carries it. That package maps both ways; here each character is brought back to the one
prototype it has in the standard. Left out is what NFKC and case folding already bring together, and what no name
may hold anyway.

Run it with ``make confusables``; a test compares the result with the file that is committed.
"""

from __future__ import annotations

import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

from confusable_homoglyphs.confusables import confusables_data

TARGET = Path(__file__).parent.parent / "besedka" / "wire" / "confusables.py"
DIRECTIONS = "\u200e\u200f"
HEAD = '''"""Which characters look like which: made by tools/make_confusables.py, do not edit.

Data: Unicode confusables (UTS #39), (c) Unicode, Inc., under the Unicode License.
Each key is a prototype, each value holds the characters that look like it.
"""

PROTOTYPES = {
'''


def prototypes() -> dict[str, str]:
    """Each look-alike character with the prototype (one character or more) that it looks like."""
    found: dict[str, str] = {}
    # The standard's file has direction marks around what is written from right to left.
    everything = {key.strip(DIRECTIONS): likes for key, likes in confusables_data.items()}
    for character, likes in everything.items():
        # The standard names one prototype for each look-alike; prototypes are those with many likes.
        if len(character) != 1 or len(likes) != 1:
            continue
        prototype = likes[0]["c"].strip(DIRECTIONS)
        is_mutual = len(everything.get(prototype, [])) == 1
        if is_mutual and len(prototype) == 1 and prototype > character:
            continue
        if matters(character, prototype):
            found[character] = prototype
    return found


def matters(character: str, prototype: str) -> bool:
    """Whether a name could hold the character, and normalisation alone would not settle it."""
    if not character.isprintable() or unicodedata.normalize("NFKC", character) != character:
        return False
    return unicodedata.normalize("NFKC", prototype).casefold() != character.casefold()


def text() -> str:
    """The whole module, ready to be written."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for character, prototype in prototypes().items():
        groups[prototype].append(character)
    rows = (f"    {key!a}: {''.join(sorted(groups[key]))!a},\n" for key in sorted(groups))
    return HEAD + "".join(rows) + "}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    print(f"wrote {TARGET.name}: {len(prototypes())} characters", file=sys.stderr)
