"""Which message a line is about: in any log the same as a slow reading by the book."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.history import ChatHistory, log_state
from besedka.serve.history.annotations import resolving
from besedka.serve.history.annotations.resolving import About, resolve
from besedka.wire.annotations import Origin, Reference, read_annotation, read_reply
from besedka.wire.log_line import read_line
from tests.serve.history.logs import write

STAMPS = st.sampled_from(["2026-12-01 09:00:00", "2026-12-01 09:00:01", "2026-11-30 23:59:59"])
NAMES = st.sampled_from(["Boris", "*Boris", "Анна", "*Waldo"])
REFERENCES = st.builds(Reference, st.integers(1, 9), st.builds(Origin, STAMPS, NAMES), st.integers(1, 3))
TEXTS = st.one_of(
    st.sampled_from(["hello", "two\n\tlines", "> #1 a quote of nothing", "edit #x"]),
    st.builds("> {}: quoted\n\tanswer".format, REFERENCES),
    st.builds("{} {}: text".format, st.sampled_from(["edit", "react", "pin", "close"]), REFERENCES),
)
ENTRIES = st.builds("[{}] {}: {}\n".format, STAMPS, NAMES, TEXTS)
OTHERS = st.sampled_from(
    ["[2026-12-01 09:00:00 | Edited] Boris: strange\n", "a line below\n", "\ufeff", "\n"]
)
LOGS = st.lists(ENTRIES | ENTRIES | OTHERS, max_size=30).map(
    lambda lines: "[2026-12-01 09:00:00] Boris: first\n" + "".join(lines)
)


def by_the_book(lines: list[str]) -> set[About]:
    """The message that each line is about, looked for from the first line on."""
    entries = [read_line(one) for one in lines]
    found = set()
    for number, entry in enumerate(entries, 1):
        about = read_annotation(entry) or read_reply(entry.text)
        if about:
            origin, ordinal = about.target.origin, about.target.ordinal
            same = [place for place, one in enumerate(entries, 1) if Origin(one.stamp, one.user) == origin]
            target = same[ordinal - 1] if len(same) >= ordinal else number
            if target < number and read_annotation(entries[target - 1]) is None:
                found.add(About(target, number))
    return found


@given(text=LOGS, first=st.integers(1, 12))
@pytest.mark.parametrize(("few", "at_once"), [(0, 2), (8, 100)])
def test_each_line_is_about_the_entry_that_begins_as_it_says(
    tmp_path_factory: pytest.TempPathFactory, text: str, first: int, few: int, at_once: int
) -> None:
    history = ChatHistory.open(write(tmp_path_factory.mktemp("history") / "talk.txt", text))
    pauses: list[None] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"_BLOCK_MESSAGES": 2, "_STRETCH_MESSAGES": 5}.items():
            patch.setattr(log_state, name, value)
        patch.setattr(resolving, "FEW_STAMPS", few)
        patch.setattr(resolving, "AT_ONCE", at_once)
        found = [*resolve(history.body, first, history.count, lambda: pauses.append(None))]
    expected = by_the_book(history.read(1, history.count))
    assert sorted(found) == sorted(about for about in expected if about.id >= first)
    history.close()
