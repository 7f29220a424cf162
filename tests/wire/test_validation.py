"""Valid names, rooms, texts and keys."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from itertools import combinations, product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Say, decode_client
from besedka.wire.invisible import STACKERS
from besedka.wire.log_line import is_redacted, read_line, tombstone, write_line
from besedka.wire.message import Message
from besedka.wire.skeletons import skeletons
from besedka.wire.validation import (
    FRAME_BYTES_AT_MOST,
    KEY_CHARACTERS_AT_MOST,
    MARKS_IN_A_ROW_AT_MOST,
    NAME_CHARACTERS_AT_MOST,
    ROOM_CHARACTERS_AT_MOST,
    TEXT_CHARACTERS_AT_MOST,
    clean_key,
    clean_name,
    clean_room,
    clean_search,
    clean_text,
    stored_name,
)

ANYTHING = st.text(st.characters())
"""Any string that Python can hold, lone surrogates too."""

CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
BIDI_AND_ZERO_WIDTH = [
    0x061C,
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x206A),
    0xFEFF,
]
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
FORBIDDEN_IN_A_NAME = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff:]"
)


def answer(clean: Callable[[str], str], raw: str) -> str | Refused:
    try:
        return clean(raw)
    except Refused as refused:
        answered = refused
    assert all(answered.sentence(language) for language in Language)
    return answered


def code_point(number: int) -> str:
    return f"U+{number:04X}"


# Names.


@pytest.mark.parametrize(
    "name",
    ["Anna", "Пётр", "Анна-Мария", "O'Neil", "J. R.", "李小龍", "محمد", "Zoë", "x", "42", "Anna 🙂", "a*b"],
)
def test_an_ordinary_name_is_used_as_it_is(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize("letter", ["a", "я", "😀"])
def test_a_name_as_long_as_the_limit_is_taken(letter: str) -> None:
    name = letter * NAME_CHARACTERS_AT_MOST
    assert clean_name(name) == name


@pytest.mark.parametrize("letter", ["a", "я", "😀"])
def test_a_name_one_character_too_long_is_refused(letter: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(letter * (NAME_CHARACTERS_AT_MOST + 1))
    assert refused.value.code is ErrorCode.BAD_NAME
    for language in Language:
        assert str(NAME_CHARACTERS_AT_MOST) in refused.value.sentence(language)


def test_the_length_of_a_name_is_that_of_its_composed_form() -> None:
    assert clean_name("e\u0301" * NAME_CHARACTERS_AT_MOST) == "é" * NAME_CHARACTERS_AT_MOST


def test_the_length_of_a_name_is_taken_after_its_spaces_are_folded() -> None:
    assert clean_name("a" + " " * 1000 + "b" * (NAME_CHARACTERS_AT_MOST - 2)) == "a " + "b" * (
        NAME_CHARACTERS_AT_MOST - 2
    )


@pytest.mark.parametrize(
    ("raw", "used"),
    [("Zoe\u0308", "Zoë"), ("Андреи\u0306", "Андрей"), ("\u212bsa", "Åsa"), ("가", "가")],
)
def test_a_name_is_composed(raw: str, used: str) -> None:
    assert clean_name(raw) == used


@pytest.mark.parametrize("raw", [" Anna B", "Anna B ", "Anna  B", "   Anna    B   "])
def test_spaces_in_a_name_are_folded(raw: str) -> None:
    assert clean_name(raw) == "Anna B"


@pytest.mark.parametrize("raw", ["", " ", "     ", "\t", "\n", "\u3000"])
def test_an_empty_name_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize("number", [*CONTROLS, *BIDI_AND_ZERO_WIDTH], ids=code_point)
def test_a_control_or_zero_width_character_inside_a_name_is_refused(number: int) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(f"An{chr(number)}na")
    assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize("number", [*CONTROLS, *BIDI_AND_ZERO_WIDTH], ids=code_point)
def test_a_control_or_zero_width_character_at_an_end_never_stays_in_a_name(number: int) -> None:
    for raw in (f"{chr(number)}Anna", f"Anna{chr(number)}"):
        name = answer(clean_name, raw)
        assert name == "Anna" or (isinstance(name, Refused) and name.code is ErrorCode.BAD_NAME)


@pytest.mark.parametrize("space", [0xA0, 0x1680, 0x2003, 0x2028, 0x2029, 0x202F, 0x3000], ids=code_point)
def test_only_the_plain_space_parts_the_words_of_a_name(space: int) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(f"Anna{chr(space)}B")
    assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize(
    "number",
    [0x034F, 0x115F, 0x1160, 0x17B4, 0x180B, 0x3164, 0xFE00, 0xFE0F, 0xFFA0, 0xE0100],
    ids=code_point,
)
def test_a_character_that_shows_nothing_does_not_hide_a_reserved_name(number: int) -> None:
    # All of these are Default_Ignorable_Code_Point in Unicode, and printable to Python.
    invisible = chr(number)
    for raw in (f"System{invisible}", f"Sys{invisible}tem", f"Система{invisible}", f"Сис{invisible}тема"):
        assert isinstance(answer(clean_name, raw), Refused)


@pytest.mark.parametrize("number", [0x034F, 0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0], ids=code_point)
def test_a_name_that_shows_nothing_is_refused(number: int) -> None:
    with pytest.raises(Refused):
        clean_name(chr(number))


@pytest.mark.parametrize("raw", ["Anna: hi", "Anna:", ":Anna", "a:b", ":"])
def test_a_colon_in_a_name_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code is ErrorCode.BAD_NAME
    assert "colon" in str(refused.value)


@pytest.mark.parametrize("raw", ["*Anna", " *Anna", "*", "* edit"])
def test_a_name_does_not_begin_with_a_star(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code is ErrorCode.BAD_NAME
    assert "*" in str(refused.value)


def test_as_many_combining_marks_as_the_limit_are_taken() -> None:
    name = "q" + "\u0331\u0323\u0300"[:MARKS_IN_A_ROW_AT_MOST]
    assert clean_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "raw",
    [
        "q" + "\u0300" * (MARKS_IN_A_ROW_AT_MOST + 1),
        "Z\u0351\u036b\u0343\u036a\u0302algo",
        "e\u0301" + "\u0302" * MARKS_IN_A_ROW_AT_MOST,  # the first mark becomes a part of é
        "\u0300" * (MARKS_IN_A_ROW_AT_MOST + 1),
    ],
    ids=ascii,
)
def test_stacked_marks_are_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize(
    "raw",
    ["ก" + "\u0e47" * 20, "a" + "\u0488" * 20, "a" + "\u20dd" * 20],
    ids=["thai", "cyrillic hundred thousands", "enclosing circle"],
)
def test_stacked_marks_of_combining_class_zero_are_refused_too(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize(
    "raw",
    [
        "System",
        "system",
        "SYSTEM",
        "sYsTeM",
        " System ",
        "S y s t e m",
        "Sys tem",
        "Systern",
        "ＳＹＳＴＥＭ",
        "Ｓｙｓｔｅｍ",
        "Ｓ ｙｓtem",
        "𝐒𝐲𝐬𝐭𝐞𝐦",
        "Ⓢystem",
        "Ѕуѕtеm",
        "ЅУЅТЕМ",
        "SYSTΕM",
        "ᏚᎩᏚᎢᎬᎷ",
        "ꓢꓬꓢꓔꓰꓟ",
        "Система",
        "система",
        "СИСТЕМА",
        "СиСтЕмА",
        "С и с т е м а",
        "Систе ма",
        "Cиcтeмa",
        "Besedka",
        "BESEDKA",
        "Веsеdkа",
        "Беседка",
        "БЕСЕДКА",
        "Бeceдкa",
    ],
)
def test_a_name_that_looks_like_system_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code is ErrorCode.NAME_RESERVED
    for language in Language:
        assert raw.strip() in refused.value.sentence(language)


TWINS = {
    **dict(zip("SYTEMBKA", "ЅУТЕМВКА", strict=True)),
    **dict(zip("syea", "ѕуеа", strict=True)),
    **dict(zip("СТЕМАКВ", "CTEMAKB", strict=True)),
    **dict(zip("сеа", "cea", strict=True)),
}
"""Letters of one script that are drawn like a letter of the other."""


@pytest.mark.parametrize(
    "name",
    [
        spelling
        for name in ("System", "Besedka", "Система", "Беседка")
        for spelling in (name, name.lower(), name.upper())
    ],
)
def test_no_mixture_of_two_scripts_spells_a_reserved_name(name: str) -> None:
    mixtures = [
        "".join(letters) for letters in product(*({letter, TWINS.get(letter, letter)} for letter in name))
    ]
    accepted = [mixture for mixture in sorted(mixtures) if isinstance(answer(clean_name, mixture), str)]
    assert accepted == []


@pytest.mark.parametrize("name", ["Systems", "Systema Rex", "Системный", "Sister", "Besed", "Беседа"])
def test_a_name_that_only_resembles_a_reserved_one_is_taken(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ian", "lan"),
        ("ТОМ", "TOM"),
        ("ТОМ", "Tom"),
        ("pаul", "paul"),
        ("Paul", "PAUL"),
        ("Ｐaul", "Paul"),
        ("Pa ul", "Paul"),
        ("ВОВ", "BOB"),
        ("Ольга", "Oльга"),
        ("Marn", "Mam"),
        ("АННА", "AHHA"),
    ],
)
def test_names_that_look_alike_share_a_skeleton(one: str, other: str) -> None:
    assert skeletons(one) & skeletons(other)


ORDINARY = [
    *("Anna", "Hanna", "Ann", "Joanna", "Boris", "Bob", "Rob", "Ian", "Jan", "Dan", "Paul", "Paula"),
    *("Saul", "Tom", "Tim", "Maria", "Marina", "Max"),
    *("Анна", "Яна", "Аня", "Ваня", "Иван", "Пётр", "Павел", "Паша", "Саша", "Маша", "Даша"),
    *("Миша", "Гриша", "Ольга", "Олег", "Лена", "Елена", "Лев", "Глеб"),
    *("Юлия", "Юля", "Илья", "Зоя", "Вова", "Дима", "Дина", "Нина", "Инна"),
    *("Кирилл", "Мария", "Марина", "Тим", "Эля", "Элла"),
]


def test_ordinary_different_names_share_no_skeleton() -> None:
    meeting = [(one, other) for one, other in combinations(ORDINARY, 2) if skeletons(one) & skeletons(other)]
    assert meeting == []


@given(ANYTHING)
@example("An\ud800na")
@example(" \u0301a")
@example("=  \u0338")
def test_any_string_is_refused_as_a_name_or_becomes_one_that_stays_the_same(raw: str) -> None:
    name = answer(clean_name, raw)
    if isinstance(name, Refused):
        assert name.code in {ErrorCode.BAD_NAME, ErrorCode.NAME_RESERVED}
    else:
        assert clean_name(name) == name
        assert not FORBIDDEN_IN_A_NAME.search(name)
        assert 1 <= len(name) <= NAME_CHARACTERS_AT_MOST
        assert name == unicodedata.normalize("NFC", name)
        assert name == name.strip()


@given(st.text("aàéSystemСистема *\u0301\u0308\u0323 \t\u200b\ud800:", max_size=12))
def test_a_string_of_awkward_characters_is_refused_as_a_name_or_stays_the_same(raw: str) -> None:
    name = answer(clean_name, raw)
    if isinstance(name, Refused):
        assert name.code in {ErrorCode.BAD_NAME, ErrorCode.NAME_RESERVED}
    else:
        assert clean_name(name) == name
        assert not FORBIDDEN_IN_A_NAME.search(name)


@given(st.text("aeopcxyABCEHKMOPTX- 1é", min_size=1))
def test_a_name_in_cyrillic_twins_of_its_letters_looks_like_it(name: str) -> None:
    twins = str.maketrans("aeopcxyABCEHKMOPTX", "аеорсхуАВСЕНКМОРТХ")
    assert skeletons(name) & skeletons(name.translate(twins))


@given(ANYTHING)
@example("\ud800")
@example("")
def test_any_string_has_a_skeleton_in_which_width_plays_no_part(name: str) -> None:
    assert skeletons(f"{name}Ab") & skeletons(f"{name}Ａb")


COLONS = "\uff1a\ufe55\ufe13\ufe30\u02d0\u02d1\u02f8\u0589\u05c3\u0703\u0704\u0903\u0983\u0a83\u1038\u1361\u1365\u16ec\u17c7\u17d6\u1804\u205a\u2236\u2237\u2806\u2982\u2a74\ua4fd\ua6f4\ua789\U00010781\u0d83\ua983\u2d42\u2d46\u2d53\u2d57"


@pytest.mark.parametrize("colon", COLONS, ids=ascii)
def test_a_character_that_looks_like_a_colon_is_refused_in_a_name(colon: str) -> None:
    for raw in (f"Anna{colon} ok", f"Anna{colon}", f"Анна {colon} да", f"李{colon}好"):
        with pytest.raises(Refused) as refused:
            clean_name(raw)
        assert refused.value.code is ErrorCode.BAD_NAME
        assert "may be used" in str(refused.value) or "may stand" in str(refused.value)


def test_no_character_that_is_a_colon_by_its_data_is_left_out() -> None:
    reported = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if "COLON" in unicodedata.name(chr(code), "").split()
        or ":" in unicodedata.normalize("NFKC", chr(code))
    ]
    assert len(reported) > 10
    assert [
        ascii(colon) for colon in reported if isinstance(answer(clean_name, f"Anna{colon} ok"), str)
    ] == []


SIGNS = "\u2e2c\u250a\u2506\u254e\u00a6\u22ee\u2237\u1361\u205d\u2759\u2982\u4dc0\u2328\u0965\u2016\u2263\U0001d108"


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_a_sign_that_no_keyboard_has_is_refused_in_a_name(sign: str) -> None:
    for raw in (f"Anna{sign} ok", f"{sign}Anna", f"Анна {sign} да"):
        with pytest.raises(Refused) as refused:
            clean_name(raw)
        assert refused.value.code is ErrorCode.BAD_NAME
        assert f"{sign} " in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "★ Anna ★",
            "Anna ♥ Boris",
            "D'Artagnan",
            "Mary-Ann (HR)",
            "№ 5",
            "Anna & Boris",
            "~anna~",
            "[bot] x",
            "a/b@c #1",
            "Anna → Boris > all",
        ),
        *(
            "Jean‑Luc",
            "Ann – Mary",
            "«Беседа»",
            "J・ジョー",
            "王·力",
            "בן־צבי",
            "ཀ་ཁ",
            "Ｍａｘ！",
            "⚔️ Max",
            "🏹 Robin",
            "🧑🏽‍🚀",
            "1️⃣ Anna",
            "Anna 🇩🇪",
        ),
    ],
    ids=ascii,
)
def test_the_signs_of_a_keyboard_and_emoji_are_taken_in_a_name(name: str) -> None:
    assert clean_name(name) == name.replace("\ufe0f", "")


@pytest.mark.parametrize(
    "mark", "?\uff1f\u061f\u2047\u2753\u2754\ufe56\u0294\u0241\u097d\u037e;\uff1b\u061b", ids=ascii
)
def test_what_looks_like_the_mark_of_an_unverified_name_is_refused_at_its_end(mark: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(f"Anna{mark}")
    assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize("stacker", sorted(STACKERS), ids=ascii)
def test_a_mark_that_shows_only_between_two_letters_of_its_script_is_refused_elsewhere(stacker: str) -> None:
    for raw in (
        f"Anna{stacker}",
        f"An{stacker}na",
        f"{stacker}Anna",
        f"Анна{stacker} А",
        f"ក{stacker}",
        f"ក{stacker}a",
    ):
        with pytest.raises(Refused) as refused:
            clean_name(raw)
        assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize("name", ["ស្រី", "မန္တလေး", "အင်္ဂလိပ်", "ⴰ⵿ⴱ"], ids=ascii)
def test_a_mark_that_joins_two_letters_of_its_script_is_taken(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    "raw",
    [
        "System operator",
        "Moderator Besedka",
        "Moderators",
        "Админы",
        "SystemAdmin",
        "the admin",
        "The Moderators",
        "5ystem",
        "Syst3m",
        "@dmin",
        "M0derat0r",
        "4dm1n",
        "Сервер Беседка",
    ],
)
def test_several_titles_are_refused_as_a_name(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code is ErrorCode.NAME_RESERVED


@pytest.mark.parametrize(
    "name",
    ["रामः", "रामः शर्मा", "দুঃখ", "အေးအေး ဝင်း", "ꓐꓽ ꓐꓳ", "លោកនោះ", "ராமஃ", "⠃⠕⠃", "ⴰⵣⵓⵍ", "දුඃඛ", "ꦢꦸꦃꦏ"],
    ids=ascii,
)
def test_a_letter_that_looks_like_a_colon_is_taken_among_its_own(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize("name", ["रामः ok", "अः: ok", "⠁⠆ ok", "ꓐꓽ ok", "အေး \u200c ok"], ids=ascii)
def test_a_letter_that_looks_like_a_colon_is_refused_before_another_script(name: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(name)
    assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize(
    "number",
    [0x2800, 0x3164, 0x115F, 0x1160, 0xFFA0, 0x180E, 0x00AD, 0xFFFC, 0x16FE4, 0x1D159, 0xE0041, 0x13441],
    ids=code_point,
)
def test_a_glyph_without_ink_is_refused_anywhere_in_a_name(number: int) -> None:
    for raw in (f"An{chr(number)}na", f"Anna{chr(number)}", f"{chr(number)}Anna", f"Anna {chr(number)} B"):
        with pytest.raises(Refused) as refused:
            clean_name(raw)
        assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize(
    "name",
    [
        *(
            "ශ්\u200dරී",
            "ක්\u200dෂමා",
            "می\u200cخواهم",
            "علی\u200cرضا",
            "ന്\u200d",
            "क्\u200dष",
            "क्\u200cष",
            "ক্\u200dষ",
        ),
        *(
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\U0001f469\U0001f3fd\u200d\U0001f680",
            "\U0001f3f3\u200d\U0001f308",
        ),
    ],
    ids=ascii,
)
def test_a_joiner_is_taken_where_a_script_or_an_emoji_needs_it_and_makes_no_other_name(name: str) -> None:
    assert clean_name(name) == name
    assert skeletons(name) == skeletons(name.replace("\u200c", "").replace("\u200d", ""))


@pytest.mark.parametrize(
    "raw",
    [
        *(
            "An\u200cna",
            "An\u200dna",
            "\u200cAnna",
            "Anna\u200d",
            "\u200d",
            "می\u200c",
            "\u200cمی",
            "می\u200dخ",
            "ක\u200dර",
        ),
        *(
            "क\u094d\u200d\u200dष",
            "\U0001f469\u200d",
            "\u200d\U0001f469",
            "\U0001f469\u200dA",
            "a\U0001f3fd\u200c\U0001f469",
        ),
    ],
    ids=ascii,
)
def test_a_joiner_is_refused_where_it_would_do_nothing(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code is ErrorCode.BAD_NAME


TITLES = [
    "System",
    "Система",
    "Besedka",
    "Беседка",
    "operator",
    "оператор",
    "moderator",
    "модератор",
    "admin",
    "админ",
]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize(
    "dressed",
    [
        "{}",
        "{}.",
        "[{}]",
        "({})",
        "<{}>",
        "«{}»",
        "~{}~",
        "★ {} ★",
        "!{}!",
        "-{}",
        "{} \U0001f6e1",
        "_{}_",
        "#{}",
        "@{}",
        "【{}】",
    ],
)
def test_a_title_is_refused_as_a_name_whatever_stands_around_it(title: str, dressed: str) -> None:
    for raw in (dressed.format(title), dressed.format(title.upper()), dressed.format(".".join(title))):
        with pytest.raises(Refused) as refused:
            clean_name(raw)
        assert refused.value.code in {ErrorCode.NAME_RESERVED, ErrorCode.BAD_NAME}
        other = "rooms" if raw.startswith("#") else "unverified"
        assert refused.value.code is ErrorCode.NAME_RESERVED or other in str(refused.value)


@pytest.mark.parametrize(
    "raw", ["mоderatоr", "ADМIN", "Аdmin", "0perator", "Oпeрaтoр", "Sуstem:", "System\u2236", "(Sуstеm)"]
)
def test_a_title_in_letters_of_two_scripts_is_refused_as_a_name(raw: str) -> None:
    assert isinstance(answer(clean_name, raw), Refused)


@pytest.mark.parametrize(
    "name", ["Administratrix", "Админка", "Modera", "Moderatorka", "Opera", "Systems (2)", "Ивановский"]
)
def test_a_name_that_only_resembles_a_title_is_taken(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    "raw",
    ["Anna.\u0307", "\u0307", "Anna \u0307", "\U0001f642\u0301", "\ua4f8\u0307", "\u0660\u0307", "!\u0307"],
    ids=ascii,
)
def test_a_combining_mark_stands_on_a_letter_only(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize("star", "\u2217\u204e\u066d\uff0a\ufe61", ids=ascii)
def test_a_name_does_not_begin_with_what_looks_like_a_star(star: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(f"{star}Anna")
    assert refused.value.code is ErrorCode.BAD_NAME


@pytest.mark.parametrize("sign", "#\uff03\ufe5f\u266f", ids=ascii)
def test_a_name_does_not_begin_like_that_of_a_room_on_the_screen(sign: str) -> None:
    for raw in (f"{sign} main", f"{sign}main", f" {sign}"):
        with pytest.raises(Refused) as refused:
            clean_name(raw)
        assert refused.value.code is ErrorCode.BAD_NAME
    assert clean_name("Anna #2") == "Anna #2"


@given(ANYTHING | st.text("Anna\u2236\u0903\u200c\u200d\u2217\u0307 .Admin", max_size=12))
def test_a_name_that_may_be_taken_may_stand_in_a_file_and_is_the_same_there(raw: str) -> None:
    name = answer(clean_name, raw)
    if isinstance(name, str):
        assert stored_name(raw) == stored_name(name) == name


@pytest.mark.parametrize(
    "name", ["Anna\u2236 ok", "Admin", "[System]", "\u2217Anna", "Anna.\u0307"], ids=ascii
)
def test_a_name_that_may_not_be_taken_any_more_may_stand_in_a_file(name: str) -> None:
    assert stored_name(name) == name
    assert isinstance(answer(clean_name, name), Refused)


# Rooms.


@pytest.mark.parametrize("room", ["main", "dev", "беседа", "r2-d2", "a_b", "x", "7", "日本", "a--b"])
def test_an_ordinary_room_is_used_as_it_is(room: str) -> None:
    assert clean_room(room) == room


@pytest.mark.parametrize(
    ("raw", "used"),
    [
        ("Dev", "dev"),
        ("БЕСЕДА", "беседа"),
        ("ＤＥＶ", "dev"),
        ("straße", "strasse"),
        ("cafe\u0301", "café"),
        ("①", "1"),
        ("ﬁ", "fi"),
    ],
)
def test_spellings_of_one_room_become_one_name(raw: str, used: str) -> None:
    assert clean_room(raw) == used


@pytest.mark.parametrize("letter", ["a", "я", "𐍈"])
def test_a_room_as_long_as_the_limit_is_taken(letter: str) -> None:
    assert clean_room(letter * ROOM_CHARACTERS_AT_MOST) == letter * ROOM_CHARACTERS_AT_MOST


@pytest.mark.parametrize(
    "raw",
    ["a" * (ROOM_CHARACTERS_AT_MOST + 1), "ﬃ" * (ROOM_CHARACTERS_AT_MOST // 3 + 1)],
    ids=["as raw", "as used"],
)
def test_a_room_longer_than_the_limit_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_room(raw)
    assert refused.value.code is ErrorCode.BAD_ROOM
    for language in Language:
        assert str(ROOM_CHARACTERS_AT_MOST) in refused.value.sentence(language)


@pytest.mark.parametrize(
    "raw",
    [
        *(
            "",
            " ",
            ".",
            "..",
            "../etc",
            "a/b",
            "a\\b",
            "a.b",
            ".a",
            "a.",
            "a b",
            "a:b",
            "C:",
            "a*",
            "a?",
            "~",
            "%2e",
        ),
        *(
            "-",
            "_",
            "-a",
            "a-",
            "_a",
            "a_",
            "a\n",
            "a\0",
            "\u2024",
            "\uff0e\uff0e",
            "\uff0f",
            "a\u200bb",
            "\ud800",
            "\u3164",
            "\u115f\u115f",
            "a\u3164b",
        ),
    ],
    ids=ascii,
)
def test_a_room_that_is_more_than_letters_digits_and_dashes_inside_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_room(raw)
    assert refused.value.code is ErrorCode.BAD_ROOM


@pytest.mark.parametrize("number", [*CONTROLS, *BIDI_AND_ZERO_WIDTH], ids=code_point)
def test_a_control_or_zero_width_character_in_a_room_is_refused(number: int) -> None:
    for raw in (f"{chr(number)}dev", f"d{chr(number)}ev", f"dev{chr(number)}"):
        with pytest.raises(Refused) as refused:
            clean_room(raw)
        assert refused.value.code is ErrorCode.BAD_ROOM


def check_room(raw: str) -> None:
    room = answer(clean_room, raw)
    if isinstance(room, Refused):
        assert room.code is ErrorCode.BAD_ROOM
    else:
        assert clean_room(room) == room
        assert re.fullmatch(r"[\w-]+", room)
        assert not set(room) & set("/\\.:\0\n ")
        assert len(f"chat_history.{room}.txt".encode()) <= 255


@given(ANYTHING)
@example("\ud800")
def test_any_string_is_refused_as_a_room_or_becomes_part_of_a_file_name(raw: str) -> None:
    check_room(raw)


@given(st.text(st.characters(categories=["L", "M", "Nd", "Nl", "No"]), max_size=10))
@example("\u0345a")
@example("İ")
@example("ſ\u0323")
def test_letters_and_marks_of_any_script_are_refused_as_a_room_or_become_part_of_a_file_name(
    raw: str,
) -> None:
    check_room(raw)


# Texts.


@pytest.mark.parametrize(
    "text", ["hi", "два слова", "a\nb", "a\n\nb", "\tcode", "  code", "a\tb", "👩‍👩‍👧", "\u2028x", "+1"]
)
def test_an_ordinary_text_is_kept_as_it_is(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize("letter", ["a", "я", "😀"])
def test_a_text_as_long_as_the_limit_is_taken(letter: str) -> None:
    text = letter * TEXT_CHARACTERS_AT_MOST
    assert clean_text(text) == text


@pytest.mark.parametrize("letter", ["a", "я", "😀"])
def test_a_text_one_character_too_long_is_refused(letter: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_text(letter * (TEXT_CHARACTERS_AT_MOST + 1))
    assert refused.value.code is ErrorCode.TEXT_TOO_LONG
    for language in Language:
        sentence = refused.value.sentence(language)
        assert str(TEXT_CHARACTERS_AT_MOST) in sentence
        assert str(TEXT_CHARACTERS_AT_MOST + 1) in sentence


def test_the_length_of_a_text_is_taken_after_it_is_cleaned() -> None:
    text = "a" + "\r\n" * (TEXT_CHARACTERS_AT_MOST - 2) + "b" + " \n" * 100
    assert clean_text(text) == "a" + "\n" * (TEXT_CHARACTERS_AT_MOST - 2) + "b"


def test_the_longest_text_fits_one_frame_however_it_is_escaped() -> None:
    escaped = "\\ud83d\\ude00" * TEXT_CHARACTERS_AT_MOST
    room = "\\ud800\\udf48" * ROOM_CHARACTERS_AT_MOST
    frame = f'{{"type": "chat", "text": "{escaped}", "room": "{room}", "key": "{"k" * 64}", "after": 1}}'
    assert len(frame.encode()) <= FRAME_BYTES_AT_MOST
    assert isinstance(decode_client(frame), Say)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\x85", "\n"], ids=ascii)
def test_every_way_to_end_a_line_becomes_lf(end: str) -> None:
    assert clean_text(f"a{end}b{end}{end}c{end}") == "a\nb\n\nc"


@pytest.mark.parametrize("number", sorted({*CONTROLS} - {0x09, 0x0A, 0x0D, 0x85}), ids=code_point)
def test_a_control_in_a_text_is_replaced_by_one_visible_character(number: int) -> None:
    text = clean_text(f"a{chr(number)}b")
    assert len(text) == 3
    assert text[1].isprintable()


def test_an_escape_sequence_in_a_text_is_shown_and_does_nothing() -> None:
    assert clean_text("\x1b]52;c;cm0=\x07 \x9b31m") == "␛]52;c;cm0=␇ \N{REPLACEMENT CHARACTER}31m"


@pytest.mark.parametrize(
    "raw", ["", " ", "\n", "\r\n\r\n", "\t", " \n \t", "\u3000", "\u2028\u2029", "\x85"], ids=ascii
)
def test_a_text_of_nothing_but_white_space_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_text(raw)
    assert refused.value.code is ErrorCode.EMPTY_TEXT


@pytest.mark.parametrize(
    ("raw", "used"),
    [("\n\na", "a"), ("a\n\n", "a"), ("a  ", "a"), ("a \n\t\n", "a"), ("\n  a", "  a"), (" \na", " \na")],
    ids=ascii,
)
def test_the_empty_ends_of_a_text_are_cut_off_and_its_indent_is_kept(raw: str, used: str) -> None:
    assert clean_text(raw) == used


@given(ANYTHING | st.text("a \t\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\x1b\x9b\ud800", max_size=12))
@example("\r\x85\r\n")
@example("\n \n a \x1c\n")
def test_any_string_is_refused_as_a_text_or_becomes_one_without_controls_that_stays_the_same(
    raw: str,
) -> None:
    text = answer(clean_text, raw)
    if isinstance(text, Refused):
        assert text.code in {ErrorCode.EMPTY_TEXT, ErrorCode.TEXT_TOO_LONG}
    else:
        assert clean_text(text) == text
        assert set(CONTROL.findall(text)) <= {"\t", "\n"}
        assert 1 <= len(text) <= TEXT_CHARACTERS_AT_MOST
        assert text.strip()


@pytest.mark.parametrize("raw", ["a\ud800", "\udcff", "a\ude00\ud83db"], ids=ascii)
def test_a_text_that_was_cleaned_can_be_written_as_utf_8(raw: str) -> None:
    # A terminal hands on bytes that are no UTF-8 as lone surrogates.
    text = answer(clean_text, raw)
    if isinstance(text, Refused):
        assert text.code
    else:
        assert text.encode("utf-8")


@pytest.mark.parametrize(
    ("raw", "used"),
    [
        ("[removed]", "(removed)"),
        ("[removed]----", "(removed)----"),
        ("[removed]--  \n", "(removed)--"),
        ("  [removed]", "  (removed)"),
        ("a\n[removed]-\nb", "a\n(removed)-\nb"),
        ("a\r[removed]-\x85[removed]", "a\n(removed)-\n(removed)"),
        ("[rem\u200boved]\u2060--", "(rem\u200boved)\u2060--"),
        ("\u2800[removed]-\ufeff-\u3164 ", "\u2800(removed)-\ufeff-\u3164"),
        *(
            (text, text)
            for text in ("[removed] by me", "[Removed]", "x[removed]-", "[removed]-.", "-----", "[[removed]]")
        ),
    ],
    ids=ascii,
)
def test_no_line_of_a_text_is_what_a_redaction_leaves(raw: str, used: str) -> None:
    assert clean_text(raw) == used


@given(
    st.text("-[removed] \t\r\n\x0b\u200b\u2800x", max_size=20)
    | st.builds(
        lambda before, size, behind: f"{before}{tombstone(size)}{behind}",
        st.sampled_from(["", "\n", "\u200d", " ", "x\r", "\x85"]),
        st.integers(9, 20),
        st.sampled_from(["", "\n", "\u2060", " ", "\u2028", "\x1c", "\ufffc-", "\r\n[removed]"]),
    )
    | ANYTHING
)
@example(tombstone(TEXT_CHARACTERS_AT_MOST))
def test_no_text_that_can_be_posted_is_read_as_redacted(raw: str) -> None:
    text = answer(clean_text, raw)
    if isinstance(text, Refused):
        assert text.code is ErrorCode.EMPTY_TEXT
    else:
        assert clean_text(text) == text
        assert not is_redacted(read_line(write_line(Message("2025-11-19 23:46:36", "Anna", text))).text)
        assert not any(map(is_redacted, text.split("\n")))


def test_what_a_redaction_leaves_can_be_searched_for() -> None:
    assert clean_search("[removed]--") == "[removed]--"


def test_a_text_that_is_almost_a_tombstone_stays_as_it_is() -> None:
    for part in ("-", "\u200b", " ", "-\u200b", " \u2800"):
        text = f"[removed]{part * (4_980 // len(part))}x"
        assert clean_text(text) == text


# Keys.


@pytest.mark.parametrize(
    "key", ["", "1", "k-1", "0b7d8c7e-6d8c-4d29-a6a8-7f5f0c9d1a2b", "!~", "a" * KEY_CHARACTERS_AT_MOST]
)
def test_a_key_of_printable_ascii_is_used_as_it_is(key: str) -> None:
    assert clean_key(key) == key


@pytest.mark.parametrize(
    "raw",
    ["a" * (KEY_CHARACTERS_AT_MOST + 1), "a b", " ", "ключ", "a\n", "\0", "\x7f", "\ud800"],
    ids=ascii,
)
def test_any_other_key_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_key(raw)
    assert refused.value.code is ErrorCode.BAD_KEY
    for language in Language:
        assert str(KEY_CHARACTERS_AT_MOST) in refused.value.sentence(language)


@given(ANYTHING)
def test_any_string_is_refused_as_a_key_or_is_ascii_and_stays_the_same(raw: str) -> None:
    key = answer(clean_key, raw)
    if isinstance(key, Refused):
        assert key.code is ErrorCode.BAD_KEY
    else:
        assert key == raw
        assert re.fullmatch(r"[!-~]{0,64}", key)


@pytest.mark.parametrize("clean", [clean_text, clean_search])
@pytest.mark.parametrize("blank", ["\u034f", "\u00ad", "\u2800", "x"])
def test_a_text_that_is_too_long_is_refused_by_its_length_whatever_it_holds(
    clean: Callable[[str], str], blank: str
) -> None:
    """Any other rule looks at each character, and a frame may hold sixty thousand of them, a gRPC request a million."""
    for length in (TEXT_CHARACTERS_AT_MOST + 1, 2 * TEXT_CHARACTERS_AT_MOST + 1, 1 << 20):
        with pytest.raises(Refused) as refused:
            clean(blank * length)
        assert refused.value.code in {ErrorCode.TEXT_TOO_LONG, ErrorCode.BAD_SEARCH}
        assert "5" in refused.value.sentence(Language.EN)
    with pytest.raises(Refused):
        clean("\u034f" * TEXT_CHARACTERS_AT_MOST)
    assert clean("\u034f" * (TEXT_CHARACTERS_AT_MOST - 1) + "x").endswith("x")


@pytest.mark.parametrize("around", ["\n", "\r\n", "\x85"])
def test_blank_lines_around_a_text_do_not_make_it_too_long(around: str) -> None:
    text = "x" * TEXT_CHARACTERS_AT_MOST
    assert clean_text(around * 20_000 + text + around * 20_000).lstrip() == text
    lines = "\n".join("x" * (TEXT_CHARACTERS_AT_MOST // 2))[:TEXT_CHARACTERS_AT_MOST]
    assert clean_text(lines.replace("\n", "\r\n")) == lines
