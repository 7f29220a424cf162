"""Characters of which nothing is seen."""

from __future__ import annotations

from typing import Final

UNSEEN: Final = (
    # Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties).
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # Glyphs without ink: a Braille cell, an object's place, a Khitan filler, two Egyptian blanks, a note without a head.
    "\u2800\ufffc\U00016fe4\U00013441\U00013442\U0001d159"
)
"""Invisible characters, as the inside of a character class of `re`; spaces and controls are not among them."""

STACKERS: Final = frozenset(
    # Indic_Syllabic_Category Invisible_Stacker and Number_Joiner (Unicode, IndicSyllabicCategory), and the joiner of Tifinagh.
    "\u1039\u17d2\u1a60\u2d7f\uaaf6\U00010a3f\U0001107f\U00011133\U0001193e\U00011a47\U00011a99\U00011d45\U00011d97\U00011f42"
)
"""Marks that join the letters around them, and of which nothing is seen elsewhere."""

BLANK: Final = f"\\t\\x0b-\\r\\x1c-\\x1f \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000{UNSEEN}"
"""Invisible characters, and white space but LF, as the inside of a character class."""
