"""The rules for names, rooms, texts and keys: here and nowhere else.

Each function takes what a client sent and returns the form in which it is used and stored, or raises `Refused`
with a sentence that says what is allowed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from besedka.wire.colons import colon_in
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.invisible import BLANK, STACKERS, UNSEEN
from besedka.wire.log_line import as_posted
from besedka.wire.reserved_words import holds_reserved_word
from besedka.wire.signs import forbidden_sign_in, is_sign_of_messages
from besedka.wire.skeletons import prototype, skeletons

NAME_CHARACTERS_AT_MOST = 32
"""Fits a line of the log and of a terminal beside its text."""

ROOM_CHARACTERS_AT_MOST = 32
"""At 4 bytes each, with the history's own name, still a file name (255 bytes)."""

TEXT_CHARACTERS_AT_MOST = 5_000
"""With every character written as a JSON escape pair (12 bytes) it still fits one frame."""

KEY_CHARACTERS_AT_MOST = 64
"""Room for a UUID or a hash in any usual spelling."""

SECRET_CHARACTERS_AT_MOST = 256
"""Clients make 64 (256 bits in hexadecimal); the rest is room for other programs."""

REASON_CHARACTERS_AT_MOST = 200
"""A sentence that says why somebody was disconnected."""

FRAME_BYTES_AT_MOST = 64 * 1024
"""One frame from a client; longer ones end the connection."""

IMPORT_MESSAGES_AT_MOST = 10_000
"""Messages in one request of `Import`: a message of two bytes on the wire takes a hundred in memory."""

SERVER_FRAME_BYTES_AT_MOST = 4 * 1024 * 1024
"""One frame from a server; a client ends the connection at a longer one. A page of the history is at most 64 KiB of the log and the keys
of 500 messages: 512 KiB with an escape of 6 bytes for each byte. The rest is room for lists of rooms: 10 000 of the longest names."""

MARKS_IN_A_ROW_AT_MOST = 3
"""No living script stacks more combining marks; more would overlap the neighbouring lines."""

DEFAULT_ROOM = "main"
"""The room whose log is the history file itself."""

SYSTEM_NAME = "System"
"""The sender of ``system`` frames. No user's name may look like it, in either language."""

# Composing makes a name shorter: at most, a letter and three marks become one character. Anything longer is not composed at
# all, because that takes time that grows with the square of the number of marks.
_COMPOSING_FACTOR = 4

# Nor is it looked at further: a frame may hold sixty thousand characters.
_GIVEN_NAME_AT_MOST = 8 * _COMPOSING_FACTOR * NAME_CHARACTERS_AT_MOST

_OF_THE_SERVER = (SYSTEM_NAME, "Система", "Besedka", "Беседка")

# Each control has a picture (U+2400 block); TAB and LF keep their meaning, CR and NEL are line ends.
_CONTROLS = {
    **{code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
_SURROGATES = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n|\r|\x85")
_INVISIBLE = re.compile(f"[{UNSEEN}]")
# The last of these are the controls of Egyptian hieroglyphs.
_BLANKS = re.compile(f"[{BLANK}\n\U00013430-\U0001343f]*+")
_JOINERS = re.compile("[\u200c\u200d]")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
# They only choose between two glyphs of the preceding character; phones add them to hearts and the like.
VARIATIONS = re.compile("[\ufe00-\ufe0f]")
"""Variation selectors: they choose how a character is drawn, and names are stored without them."""

_ROOM = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")
_ADDRESS = re.compile(r"\d+(\.\d+){3}(/\d+)?")  # the target of a ban by address
_TAGGED = re.compile("<[^>]*> ")  # a log's line that continues so is not understood as a message
_SIGNS_OF_ROOMS = "#\u266f"  # the second, of music, looks like the first
_KEY = re.compile(r"[\x21-\x7e]*")


def clean_name(given: str) -> str:
    """A person's name: composed (NFC), with single spaces inside.

    It may hold a joiner where a script needs it (RFC 5892, appendix A.1 and A.2), or between two emoji.

    Raises:
        Refused: `bad_name` or `name_reserved`.
    """
    return _remembered_name(given) if len(given) <= NAME_CHARACTERS_AT_MOST else _clean_name(given)


def _clean_name(given: str) -> str:
    name = stored_name(given)
    if why := _objection_to_entry(name):
        raise _bad_name(*why)
    if holds_reserved_word(name):
        raise Refused(ErrorCode.NAME_RESERVED, name=name)
    return name


# A name comes with each call of gRPC, and with each join.
_remembered_name = lru_cache(maxsize=1024)(_clean_name)


def stored_name(given: str) -> str:
    """A name from a file about people: as `clean_name`, without the rules that only keep people from joining under it.

    Whoever belongs to a room, or is banned, under a name that nobody may take any more, still does and is.

    Raises:
        Refused: `bad_name` or `name_reserved`.
    """
    name = _with_single_spaces(given)
    if len(name) > _GIVEN_NAME_AT_MOST:
        raise _name_too_long()
    name = _with_single_spaces(VARIATIONS.sub("", name))
    if len(name) > _COMPOSING_FACTOR * NAME_CHARACTERS_AT_MOST:
        raise _name_too_long()
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise _bad_name("имя пустое", "it is empty")
    if len(name) > NAME_CHARACTERS_AT_MOST:
        raise _name_too_long()
    if why := _objection(name):
        raise _bad_name(*why)
    if not skeletons(name).isdisjoint(_looks_of_the_server(in_ascii=name.isascii())):
        raise Refused(ErrorCode.NAME_RESERVED, name=name)
    return name


def _with_single_spaces(name: str) -> str:
    return " ".join(filter(None, name.split(" ")))


def _objection(name: str) -> tuple[str, str] | None:
    """Why a name that is neither empty nor too long is invalid: in Russian, in English."""
    limit = MARKS_IN_A_ROW_AT_MOST
    seen = _JOINERS.sub("", name)
    rules = (
        (
            not seen.isprintable() or bool(_INVISIBLE.search(seen)),
            (
                "в нём есть невидимые или управляющие знаки, а можно буквы, цифры, знаки и пробелы",
                "it holds invisible or control characters; letters, digits, signs and spaces may be used",
            ),
        ),
        (":" in name, ("двоеточие отделяет имя от текста", "the colon parts a name from its text")),
        (
            bool(_TAGGED.match(name)),
            (
                "<…> с пробелом в начале — запись другой программы",
                "<…> and a space begin a line of another program",
            ),
        ),
        (name.startswith("*"), ("оно не может начинаться с *", "it cannot begin with *")),
        (
            name.endswith(("?", "\uff1f")),
            ("знаком вопроса отмечены имена без подтверждения", "a ? behind a name marks it as unverified"),
        ),
        (bool(_ADDRESS.fullmatch(name)), ("это адрес, а не имя", "it is an address")),
        (
            _stacks_marks(name),
            (f"надстрочных знаков подряд можно до {limit}", f"at most {limit} combining marks in a row"),
        ),
    )
    return next((why for is_so, why in rules if is_so), None)


def _objection_to_entry(name: str) -> tuple[str, str] | None:
    """Why nobody may join under a name, though it may stand in a file about people."""
    colon = colon_in(name)
    sign = forbidden_sign_in(name)
    rules = (
        (
            _misplaces_joiner(name) or _misplaces_stacker(name),
            (
                "невидимый соединитель может стоять только там, где он нужен письму, и внутри эмодзи",
                "an invisible joiner may stand only where a script needs it, and inside an emoji",
            ),
        ),
        (
            bool(colon),
            (
                f"{colon} похоже на двоеточие, которое отделяет имя от текста; можно - . , и другие знаки",
                f"{colon} looks like the colon that parts a name from its text; - . , and others may be used",
            ),
        ),
        (
            bool(sign),
            (
                f"знака {sign} в имени быть не может; можно буквы, цифры, эмодзи и знаки с клавиатуры",
                f"{sign} cannot stand in a name; letters, digits, emoji and the signs of a keyboard may be used",
            ),
        ),
        (
            prototype(name[-1]) == "?",
            (
                f"оно не может кончаться на {name[-1]}: знаком вопроса отмечены имена без подтверждения",
                f"it cannot end with {name[-1]}: a ? behind a name marks it as unverified",
            ),
        ),
        (
            prototype(unicodedata.normalize("NFKC", name[0])) == "*",
            (
                f"оно не может начинаться с {name[0]}: это похоже на *",
                f"it cannot begin with {name[0]}, which looks like *",
            ),
        ),
        (
            unicodedata.normalize("NFKC", name[0]) in _SIGNS_OF_ROOMS,
            (
                f"оно не может начинаться с {name[0]}: так показаны комнаты",
                f"it cannot begin with {name[0]}: rooms are shown like that",
            ),
        ),
        (
            is_sign_of_messages(name[0]),
            (
                f"оно не может начинаться с {name[0]}: так отмечены сообщения",
                f"it cannot begin with {name[0]}: messages are marked like that",
            ),
        ),
        (
            _marks_no_letter(_JOINERS.sub("", name)),
            (
                "надстрочный знак может стоять только над буквой или цифрой",
                "a combining mark may stand only on a letter or a digit",
            ),
        ),
    )
    return next((why for is_so, why in rules if is_so), None)


def clean_room(given: str) -> str:
    """A room's name, in lower case. It becomes a part of a file name.

    Raises:
        Refused: `bad_room`.
    """
    is_short = len(given) <= _COMPOSING_FACTOR * ROOM_CHARACTERS_AT_MOST
    room = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", given).casefold()) if is_short else ""
    if len(room) > ROOM_CHARACTERS_AT_MOST or not _ROOM.fullmatch(room) or _INVISIBLE.search(room):
        limit = ROOM_CHARACTERS_AT_MOST
        why = {
            Language.RU: f"можно до {limit} букв и цифр, внутри также - и _",
            Language.EN: f"at most {limit} letters and digits, with - and _ inside",
        }
        raise Refused(ErrorCode.BAD_ROOM, why=why)
    return room


def clean_text(given: str) -> str:
    """A message's text: lines end in LF, pictures replace controls, and blank ends are cut off.

    Half a surrogate pair, which is no character and cannot be encoded, becomes U+FFFD. A line that a redaction could have left
    becomes another one (`as_posted`).

    Nothing visible is ever removed, and cleaning a second time changes nothing.

    Raises:
        Refused: `empty_text` or `text_too_long`.
    """
    return as_posted(_clean_text(given))


def _clean_text(given: str) -> str:
    # The length first: all that follows looks at each character.
    if len(given) > TEXT_CHARACTERS_AT_MOST:
        given = given.rstrip().lstrip("\r\n\x85")
        if len(given) > 2 * TEXT_CHARACTERS_AT_MOST:  # two characters may end one line
            raise Refused(ErrorCode.TEXT_TOO_LONG, length=len(given), limit=TEXT_CHARACTERS_AT_MOST)
    # What is printable has none of these, as nearly all texts of one line.
    text = (
        given
        if given.isprintable()
        else show_controls(_LINE_ENDS.sub("\n", _SURROGATES.sub("\ufffd", given)))
    )
    text = text.strip("\n").rstrip()
    if len(text) > TEXT_CHARACTERS_AT_MOST:
        raise Refused(ErrorCode.TEXT_TOO_LONG, length=len(text), limit=TEXT_CHARACTERS_AT_MOST)
    if _BLANKS.fullmatch(text):
        raise Refused(ErrorCode.EMPTY_TEXT)
    return text


def clean_search(given: str) -> str:
    """The text of a search: cleaned like a message's text, so that it can match; tombstones can be searched for.

    Raises:
        Refused: `bad_search`.
    """
    try:
        return _clean_text(given)
    except Refused as refusal:
        limit = TEXT_CHARACTERS_AT_MOST
        whys = {
            ErrorCode.EMPTY_TEXT: {Language.RU: "текст пустой", Language.EN: "it is empty"},
            ErrorCode.TEXT_TOO_LONG: {
                Language.RU: f"можно до {limit} знаков",
                Language.EN: f"at most {limit} characters",
            },
        }
        raise Refused(ErrorCode.BAD_SEARCH, why=whys[refusal.code]) from None


def clean_author(given: str) -> str:
    """The name of an author to search for: any name that a log may hold, also one that nobody may take.

    Raises:
        Refused: `bad_name` if it is too long for one.
    """
    if len(given) > _GIVEN_NAME_AT_MOST:
        raise _name_too_long()
    return given.strip()


def clean_reason(given: str) -> str:
    """A moderator's reason, in one line; empty if none is given.

    Raises:
        Refused: `text_too_long`.
    """
    if not given.strip():
        return ""
    reason = " ".join(clean_text(given).split())
    if len(reason) > REASON_CHARACTERS_AT_MOST:
        raise Refused(ErrorCode.TEXT_TOO_LONG, length=len(reason), limit=REASON_CHARACTERS_AT_MOST)
    return reason


def show_controls(text: str) -> str:
    """The text with all controls but TAB and LF replaced by pictures."""
    return text.translate(_CONTROLS)


def clean_key(given: str) -> str:
    """A message's key, chosen by its sender; empty means none.

    Raises:
        Refused: `bad_key`.
    """
    if len(given) > KEY_CHARACTERS_AT_MOST or not _KEY.fullmatch(given):
        raise Refused(ErrorCode.BAD_KEY, limit=KEY_CHARACTERS_AT_MOST)
    return given


def clean_secret(given: str) -> str:
    """The secret that shows that two connections are the same person; empty means none.

    Raises:
        Refused: `bad_frame`.
    """
    if len(given) > SECRET_CHARACTERS_AT_MOST:
        raise Refused(
            ErrorCode.BAD_FRAME, detail=f"`secret` has at most {SECRET_CHARACTERS_AT_MOST} characters"
        )
    return given


@lru_cache(maxsize=2)
def _looks_of_the_server(*, in_ascii: bool) -> frozenset[str]:
    """The skeletons of the server's names; ``in_ascii``: of those that a name in ASCII may look like."""
    names = (name for name in _OF_THE_SERVER if name.isascii() or not in_ascii)
    return frozenset[str]().union(*map(skeletons, names))


def _misplaces_joiner(name: str) -> bool:
    return any(not _may_join(name, found.start()) for found in _JOINERS.finditer(name))


def _may_join(name: str, at: int) -> bool:
    from idna.core import valid_contextj  # noqa: PLC0415 - most processes need it never

    around = (*name[max(0, at - 1) : at], *name[at + 1 : at + 2])
    if name[at] == "\u200d" and len(around) == 2 and all(map(_is_emoji, around)):  # noqa: PLR2004 - both sides
        return True
    try:
        return valid_contextj(name, at)
    except ValueError:  # a neighbour without a name in Unicode
        return False


def _misplaces_stacker(name: str) -> bool:
    """Whether a sign that joins two letters to one, and shows only there, stands anywhere but between two of its own script."""
    return any(
        {_script(name[max(0, at - 1) : at]), _script(name[at + 1 : at + 2])} != {_script(each)}
        for at, each in enumerate(name)
        if each in STACKERS
    )


def _script(character: str) -> str:
    """The script of a letter, digit or mark, by the first word of its name; empty for anything else."""
    is_written = unicodedata.category(character or " ")[0] in "LMN"
    return unicodedata.name(character, "").partition(" ")[0] if is_written else ""


def _is_emoji(character: str) -> bool:
    return unicodedata.category(character) == "So" or ord(character) in _SKIN_TONES


def _marks_no_letter(name: str) -> bool:
    """Whether a combining mark stands on punctuation: a dot above a full stop is a colon."""
    if name.isascii():
        return False
    base = " "
    for character in name:
        if not unicodedata.category(character).startswith("M"):
            base = character
        elif not prototype(unicodedata.normalize("NFKC", base))[-1:].isalnum():
            return True
    return False


def _stacks_marks(name: str) -> bool:
    if name.isascii():
        return False
    run = 0
    for character in unicodedata.normalize("NFD", name):
        run = run + 1 if unicodedata.category(character).startswith("M") else 0
        if run > MARKS_IN_A_ROW_AT_MOST:
            return True
    return False


def _name_too_long() -> Refused:
    limit = NAME_CHARACTERS_AT_MOST
    return _bad_name(f"можно до {limit} знаков", f"at most {limit} characters")


def _bad_name(russian: str, english: str) -> Refused:
    return Refused(ErrorCode.BAD_NAME, why={Language.RU: russian, Language.EN: english})
