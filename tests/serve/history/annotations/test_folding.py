"""The fates of messages: the same whatever was asked for before, and however much of the log was there then."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history import ChatHistory, Flag
from besedka.serve.history.annotations import folding
from besedka.serve.history.annotations.annotation_file import AnnotationFile
from besedka.serve.history.annotations.folding import Fates, Folded
from besedka.serve.history.annotations.resolving import About, resolve
from besedka.wire.annotations import Annotation, Origin, Reference, Reply, Verb, write_annotation, write_reply
from besedka.wire.log_line import read_line, write_line
from besedka.wire.message import Message
from tests.serve.history.annotations.test_resolving import by_the_book

STAMP = "2026-12-01 09:00:00"
NAMES = st.sampled_from(["Anna", "Boris"])
REFERENCES = st.builds(Reference, st.just(1), st.builds(Origin, st.just(STAMP), NAMES), st.integers(1, 3))
TEXTS = st.sampled_from(["hello", "👍", "🎉", "1", "2", "/poll When?\n1. now\n2. later"])
MESSAGES = st.builds(Message, st.just(STAMP), NAMES, TEXTS)
REPLIES = st.builds(
    lambda name, reply: Message(STAMP, name, write_reply(reply)),
    NAMES,
    st.builds(Reply, REFERENCES, st.just("quoted"), TEXTS),
)
ANNOTATIONS = st.builds(Annotation, st.sampled_from(Verb), NAMES, REFERENCES, TEXTS).map(
    lambda annotation: write_annotation(annotation, STAMP)
)
FLAGS = st.sampled_from([Flag.VERIFIED, Flag.UNVERIFIED])
LOGS = st.lists(st.tuples(MESSAGES | ANNOTATIONS | ANNOTATIONS | REPLIES, FLAGS), min_size=1, max_size=40)


def slowly(entries: Sequence[tuple[Message, Flag]]) -> dict[int, Folded]:
    """The fates of all messages of a log, each line applied as it comes."""
    folded: dict[int, Folded] = {}
    for target, number in sorted(
        by_the_book([write_line(message) for message, _ in entries]), key=lambda about: about.id
    ):
        message, flag = entries[target - 1]
        one = folded.setdefault(target, Folded.of(message, unverified=flag is Flag.UNVERIFIED))
        line, line_flag = entries[number - 1]
        one.apply(number, read_line(write_line(line)), unverified=line_flag is Flag.UNVERIFIED)
    return folded


@given(
    entries=LOGS,
    pages=st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9), st.integers(1, 40)), max_size=5),
    kept=st.sampled_from([2, 1_000]),
    gap=st.sampled_from([0, 16]),
)
def test_a_fate_is_the_same_whatever_was_asked_for_before(
    tmp_path_factory: pytest.TempPathFactory,
    entries: list[tuple[Message, Flag]],
    pages: list[tuple[int, int, int]],
    kept: int,
    gap: int,
) -> None:
    path = tmp_path_factory.mktemp("history") / "talk.txt"
    history = ChatHistory.open(path)
    for message, flag in entries:
        history.append([write_line(message)], [flag])
    file = AnnotationFile.open(path, Descriptor(path, os.O_RDONLY), history.epoch)
    fates = Fates()
    whole = slowly(entries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "LINES_KEPT", kept)
        patch.setattr(folding, "GAP_ENTRIES", gap)
        for first, more, grown in sorted(pages, key=lambda page: page[2]):
            known = min(grown, history.count)
            file.add(resolve(history.body, file.known + 1, known, lambda: None), known)
            found = fates.of(history.body, file, first, first + more)
            expected = slowly(entries[:known])
            assert found == {
                target: one for target, one in expected.items() if first <= target <= first + more
            }
        file.add(resolve(history.body, file.known + 1, history.count, lambda: None), history.count)
        assert fates.of(history.body, file, 1, history.count) == whole
    file.close()
    history.close()


def test_a_line_that_was_edited_since_is_about_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("history") / "talk.txt"
    history = ChatHistory.open(path)
    history.append([f"[{STAMP}] Boris: hello", f"[{STAMP}] *Anna: react #1 [{STAMP}] Clara: ok"])
    file = AnnotationFile.open(path, Descriptor(path, os.O_RDONLY), history.epoch)
    file.add([About(1, 2)], 2)
    [folded] = Fates().of(history.body, file, 1, 1).values()
    assert folded.fate.reactions == {}
    file.close()
    history.close()
