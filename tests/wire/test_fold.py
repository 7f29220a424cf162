"""The state of a message by the lines about it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.annotations import Annotation, Origin, Reference, Verb
from besedka.wire.fold import EDITS_AT_MOST, REACTIONS_AT_MOST, Fate, Target, is_reaction
from besedka.wire.polls import Poll, read_poll, write_poll

REFERENCE = Reference(1, Origin("2026-12-01 09:00:00", "Boris"))
MESSAGE = Target("Boris")
POLL = Target("Boris", options=3)
NAMES = st.sampled_from(["Boris", "Anna", "Clara"])
TEXTS = st.sampled_from(["👍", "🎉", "1", "2", "4", "", "two words", "x" * 40]) | st.text()
LINES = st.lists(
    st.tuples(st.builds(Annotation, st.sampled_from(Verb), NAMES, st.just(REFERENCE), TEXTS), st.booleans()),
    max_size=60,
)
TARGETS = st.builds(Target, NAMES, st.booleans(), st.integers(0, 3))


def line(verb: Verb, name: str = "Boris", text: str = "") -> Annotation:
    return Annotation(verb, name, REFERENCE, text)


def folded(lines: Sequence[Annotation], target: Target = MESSAGE) -> tuple[Fate, list[bool]]:
    """The fate by some lines, and which of them have changed anything."""
    fate = Fate()
    return fate, [fate.apply(number, each, target) for number, each in enumerate(lines, 2)]


def test_only_the_author_edits_and_not_for_ever() -> None:
    fate, changed = folded([line(Verb.EDIT, "Anna"), *[line(Verb.EDIT)] * (EDITS_AT_MOST + 1)])
    assert changed == [False, *[True] * EDITS_AT_MOST, False]
    assert fate.edits == [*range(3, 3 + EDITS_AT_MOST)]
    # Somebody who only has the same name.
    assert not Fate().apply(2, line(Verb.EDIT), MESSAGE, unverified=True)
    assert Fate().apply(2, line(Verb.EDIT), Target("Boris", unverified=True), unverified=True)


def test_a_deleted_message_is_done_with() -> None:
    fate, changed = folded([line(Verb.DELETE, "Mod"), *(line(verb, text="👍") for verb in Verb)], POLL)
    assert (fate.deleted, any(changed[1:])) == (2, False)


def test_reactions_are_each_person_s_own_and_have_a_bound() -> None:
    emoji = [chr(0x1F600 + number) for number in range(REACTIONS_AT_MOST + 1)]
    fate, changed = folded([line(Verb.REACT, "Anna", each) for each in emoji])
    assert changed == [*[True] * REACTIONS_AT_MOST, False]
    assert [*fate.reactions] == emoji[:-1]
    fate, changed = folded(
        [
            line(Verb.REACT, "Anna", "👍"),
            line(Verb.REACT, "Anna", "👍"),
            line(Verb.REACT, "Clara", "👍"),
            line(Verb.UNREACT, "Boris", "👍"),
            line(Verb.UNREACT, "Anna", "👍"),
        ]
    )
    assert changed == [True, False, True, False, True]
    assert fate.reactions == {"👍": {"Clara": None}}


def test_the_last_vote_counts_until_the_poll_is_closed_and_what_was_asked_stays() -> None:
    fate, changed = folded(
        [
            line(Verb.VOTE, "Anna", "1"),
            line(Verb.VOTE, "Anna", "3"),
            line(Verb.VOTE, "Clara", "4"),
            line(Verb.VOTE, "Clara", "0"),
            line(Verb.EDIT, "Boris", "another question"),
            line(Verb.CLOSE),
            line(Verb.CLOSE),
            line(Verb.VOTE, "Clara", "1"),
        ],
        POLL,
    )
    assert changed == [True, True, False, False, False, True, False, False]
    assert (fate.votes, fate.closed) == ({"Anna": 3}, 7)
    assert folded([line(Verb.VOTE, "Anna", "1"), line(Verb.CLOSE)])[1] == [False, False]


def test_a_message_is_pinned_or_not() -> None:
    verbs = (Verb.UNPIN, Verb.PIN, Verb.PIN, Verb.UNPIN, Verb.PIN)
    fate, changed = folded([line(verb) for verb in verbs])
    assert (changed, fate.pinned) == ([False, True, False, True, True], 6)


@given(LINES, TARGETS)
def test_any_lines_have_an_outcome_within_its_bounds_and_what_changes_nothing_can_be_left_out(
    lines: list[tuple[Annotation, bool]], target: Target
) -> None:
    fate, effective = Fate(), Fate()
    for number, (annotation, unverified) in enumerate(lines, 2):
        before = (fate.edits[:], fate.deleted, [*fate.reactions], dict(fate.votes), fate.pinned, fate.closed)
        if fate.apply(number, annotation, target, unverified=unverified):
            assert effective.apply(number, annotation, target, unverified=unverified)
        else:
            assert before == (
                fate.edits,
                fate.deleted,
                [*fate.reactions],
                fate.votes,
                fate.pinned,
                fate.closed,
            )
    assert fate == effective
    assert all(is_reaction(reaction) and names for reaction, names in fate.reactions.items())
    assert all(1 <= option <= target.options for option in fate.votes.values())
    assert len(fate.edits) <= EDITS_AT_MOST


WORDS = st.text(st.characters(exclude_characters="\n"), min_size=1).filter(str.strip)


@given(st.builds(Poll, WORDS, st.lists(WORDS, min_size=2, max_size=20).map(tuple)))
def test_a_poll_is_read_as_it_was_written(poll: Poll) -> None:
    assert read_poll(write_poll(poll)) == poll


def test_what_only_looks_like_a_poll_is_a_message() -> None:
    for text in (
        "",
        "/poll",
        "/poll Where?",
        "/poll Where?\n1. here",
        "/poll \n1. here\n2. there",
        "/poll Where?\n1. here\n3. there",
        "/poll Where?\n1. here\n2. ",
        "/poll Where?\n1. here\nthere",
        "/polls Where?\n1. here\n2. there",
        "a /poll Where?\n1. here\n2. there",
    ):
        assert read_poll(text) is None, text
