"""The rows that all nodes agree on, as pure tables: whatever several nodes change at the same time, all end with the same rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.agreed_rows import AgreedRows, Found, RemarkChange, RowChange
from besedka.serve.people.blocks import Blocks
from besedka.serve.people.invitations import Invitations, Offer
from besedka.serve.people.memberships import PrivateRooms
from besedka.serve.people.names import Known, KnownNames, claim_of
from besedka.serve.people.table import Table
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.skeletons import skeletons
from tests.lengths import often

CLAIMS = [claim_of(secret) for secret in ("one", "two", "three")]
NAMES = ("Anna", "Аnna", "Boris")  # two that look the same
ROOMS = ("plans", "lab")
NOW = "2026-12-02T10:00:00Z"
TOKEN = "a" * 64

Change = RowChange | RemarkChange


class Node:
    """A node without files: its tables, and what it knows of the others."""

    def __init__(self, stream: list[tuple[Node, list[Change]]]) -> None:
        self.names, self.rooms = KnownNames(begun=NOW), PrivateRooms()
        self.invitations, self.blocks = Invitations(), Blocks()
        self.tables: dict[str, Table[Any]] = {
            "known_names.txt": self.names,
            "private_rooms.txt": self.rooms,
            "invitations.txt": self.invitations,
            "blocks.txt": self.blocks,
        }
        self.rows = AgreedRows(self.tables)
        self.made: set[str] = set()
        self._stream = stream
        self._applied = 0

    def receive(self) -> None:
        """Take over what has come."""
        for origin, changes in self._stream[self._applied :]:
            if origin is not self:
                self.rows.receive(changes)
        self._applied = len(self._stream)

    def offer(self) -> bool:
        """Offer what has changed here; accepted only if nothing has come meanwhile. Returns whether there was anything."""
        for table in self.tables.values():
            if table.is_changed and not table.in_flight():
                table.take_changes()
        wanted = self.rows.wanted()
        if self._applied == len(self._stream):
            if wanted:
                self._stream.append((self, wanted))
                self._applied += 1
                self.rows.accepted(wanted)
            for table in self.tables.values():
                if table.in_flight():
                    table.appended(table.refreshed(table._in_flight))  # type: ignore[arg-type] # noqa: SLF001
        return bool(wanted) or any(table.is_changed for table in self.tables.values())

    def content(self) -> dict[str, set[Any]]:
        """All rows."""
        return {name: {*table.rows()} for name, table in self.tables.items()}


Act = Callable[[Node], object]


def suppressed(act: Act) -> Act:
    """An act that may be refused."""

    def tried(node: Node) -> None:
        with suppress(Refused):
            act(node)

    return tried


def claim(name: str, claim_: str) -> Act:
    def act(node: Node) -> None:
        node.names.check_name(name, claim_)
        node.names.take(name, claim_, NOW)

    return suppressed(act)


def release(name: str) -> Act:
    return suppressed(lambda node: node.names.release(name))


def open_private(room: str, claim_: str) -> Act:
    def act(node: Node) -> None:
        node.rooms.open_private(room, "Anna", claim_)
        node.made.add(room)

    return suppressed(act)


def give_up(room: str) -> Act:
    return lambda node: node.rooms.give_up(room)


def leave(room: str, claim_: str) -> Act:
    return lambda node: node.rooms.remove_member(room, claim_)


def use(node: Node) -> None:
    """Use the invitation, if there is one."""
    offer = node.invitations.get(TOKEN)
    if offer:
        node.invitations.use(offer)


def block(by: str, claim_: str) -> Act:
    def act(node: Node) -> None:
        if node.blocks.has_blocked(by, claim_):
            node.blocks.unblock(next(row for row in node.blocks.of(by) if row.claim == claim_))
        else:
            node.blocks.block(by, claim_, "Boris")

    return act


ACTS = st.one_of(
    st.builds(claim, st.sampled_from(NAMES), st.sampled_from(CLAIMS)),
    st.builds(release, st.sampled_from(NAMES)),
    st.builds(open_private, st.sampled_from(ROOMS), st.sampled_from(CLAIMS)),
    st.builds(give_up, st.sampled_from(ROOMS)),
    st.builds(leave, st.sampled_from(ROOMS), st.sampled_from(CLAIMS)),
    st.builds(
        lambda one, two: lambda node: node.rooms.open_direct(("Anna", one), ("Boris", two)),
        st.sampled_from(CLAIMS),
        st.sampled_from(CLAIMS),
    ),
    st.just(use),
    st.builds(block, st.sampled_from(CLAIMS), st.sampled_from(CLAIMS)),
)
STEPS = st.lists(
    st.tuples(st.integers(0, 2), ACTS | st.sampled_from([Node.receive, Node.offer])), max_size=40
)


@often(200)
@given(STEPS)
def test_all_nodes_end_with_the_same_rows(steps: list[tuple[int, Act]]) -> None:
    stream: list[tuple[Node, list[Change]]] = []
    nodes = [Node(stream) for _ in range(3)]
    offer = Offer(TOKEN, "room", "plans", 2, 2_000_000_000, "Anna")
    for node in nodes:
        node.rows.find([Found(RowChange("invitations.txt", offer, is_removed=False), is_new=True)])
    for number, act in steps:
        act(nodes[number])
    is_open = True
    while is_open:
        for node in nodes:
            node.receive()
        is_open = True in [node.offer() for node in nodes]
    assert nodes[0].content() == nodes[1].content() == nodes[2].content()
    # What they compute from them, too. (Which rooms were private once, the audit log says.)
    for node in nodes:
        for room in {*chain.from_iterable(other.made for other in nodes)}:
            node.rooms.note_recorded(room)
    for node in nodes:
        fresh = KnownNames(begun=NOW)
        fresh._rows = {row.name: row for row in node.names.rows()}  # noqa: SLF001
        fresh.rebuild()
        assert [fresh.holder(name) for name in NAMES] == [node.names.holder(name) for name in NAMES]
        assert [node.rooms.kind(room) for room in ROOMS] == [nodes[0].rooms.kind(room) for room in ROOMS]
    held = [row for row in nodes[0].names.rows() if row.claim]
    for row in held:
        others = [other for other in held if other.claim != row.claim]
        assert all(skeletons(row.name).isdisjoint(skeletons(other.name)) for other in others)


def together(act: Act, other: Act, *before: Act) -> tuple[Node, Node, list[Refused | None]]:
    """Two nodes that do something at the same time, the first one a moment earlier, and the refusals of the second one."""
    stream: list[tuple[Node, list[Change]]] = []
    first, second = Node(stream), Node(stream)
    for each in before:
        each(first)
        first.offer()
        second.receive()
    act(first)
    other(second)
    changed = [(table, key) for table in second.tables.values() for key in table.unsettled()]
    first.offer()
    refusals: list[Refused | None] = []
    try:
        with second.rows.unit(changed):
            second.offer()
            second.receive()
            second.offer()
    except Refused as refusal:
        refusals.append(refusal)
    first.receive()
    assert first.content() == second.content()
    return first, second, refusals


def put_offer(uses: int) -> Act:
    offer = Offer(TOKEN, "room", "plans", uses, 2_000_000_000, "Anna")
    return lambda node: node.invitations.take_agreed(TOKEN, offer)


def join_by_link(claim_: str) -> Act:
    def act(node: Node) -> None:
        node.rooms.add_member("plans", "Boris", claim_)
        use(node)

    return act


@pytest.mark.parametrize(
    ("act", "other", "code"),
    [
        (claim("Anna", CLAIMS[0]), claim("Anna", CLAIMS[1]), ErrorCode.NAME_CLAIMED),
        (claim("Anna", CLAIMS[0]), claim("Аnna", CLAIMS[1]), ErrorCode.NAME_CLAIMED),
        (open_private("plans", CLAIMS[0]), open_private("plans", CLAIMS[1]), ErrorCode.ROOM_TAKEN),
    ],
)
def test_who_is_second_is_refused_and_nothing_of_theirs_is_left(
    act: Act, other: Act, code: ErrorCode
) -> None:
    first, _, [refusal] = together(act, other)
    assert refusal is not None
    assert refusal.code is code
    assert {row.claim for table in (first.names, first.rooms) for row in table.rows()} == {CLAIMS[0]}


def test_the_winner_of_a_name_is_known_at_the_node_of_the_loser() -> None:
    for name in NAMES[:2]:
        _, second, _ = together(claim("Anna", CLAIMS[0]), claim(name, CLAIMS[1]))
        holders = [second.names.holder(other) for other in NAMES[:2]]
        assert [holder.claim if holder else "" for holder in holders] == [CLAIMS[0], CLAIMS[0]]


def test_the_same_person_may_claim_a_name_at_two_nodes_at_once() -> None:
    first, _, refusals = together(claim("Anna", CLAIMS[0]), claim("Anna", CLAIMS[0]))
    assert not refusals
    assert [row.name for row in first.names.rows()] == ["Anna"]


@pytest.mark.parametrize(("uses", "members", "codes"), [(1, 1, [ErrorCode.BAD_LINK]), (2, 2, []), (3, 2, [])])
def test_an_invitation_is_used_as_often_as_it_may(uses: int, members: int, codes: list[ErrorCode]) -> None:
    first, second, refusals = together(join_by_link(CLAIMS[0]), join_by_link(CLAIMS[1]), put_offer(uses))
    assert [refusal.code for refusal in refusals if refusal] == codes
    assert len(first.rooms.members("plans")) == len(second.rooms.members("plans")) == members
    left = first.invitations.get(TOKEN)
    assert (left.uses if left else 0) == uses - members


def test_a_room_that_was_given_up_may_be_made_anew() -> None:
    first, _, refusals = together(
        give_up("plans"), claim("Boris", CLAIMS[1]), open_private("plans", CLAIMS[0])
    )
    assert not refusals
    first.rooms.check_private("plans")


def test_a_name_that_was_freed_elsewhere_is_remembered_as_freed() -> None:
    _, second, _ = together(release("Anna"), block(CLAIMS[0], CLAIMS[1]), claim("Anna", CLAIMS[0]))
    assert second.names.was_freed("Anna")


def test_a_row_of_a_hand_edit_wins_over_what_was_known_and_loses_to_what_is_new() -> None:
    anna, boris = Known("Anna", CLAIMS[0], NOW, NOW), Known("Boris", CLAIMS[1], NOW, NOW)
    changed = Known("Anna", CLAIMS[2], NOW, NOW)
    for is_new, expected in ((False, changed), (True, anna)):
        node = Node([])
        node.names.merge(f"Anna\t{CLAIMS[2]}\t{NOW}\t{NOW}\n")
        node.rows.find(
            [
                Found(RowChange("known_names.txt", row, is_removed=False), is_new=is_new)
                for row in (anna, boris)
            ]
        )
        assert node.names.get("Anna") == expected
        assert (node.names.get("Boris") == boris) is is_new
        assert [change.is_removed for change in wanted(node)] == ([] if is_new else [False, True])


def wanted(node: Node) -> list[RowChange]:
    """The rows that a node wants."""
    for table in node.tables.values():
        table.take_changes()
    return [change for change in node.rows.wanted() if isinstance(change, RowChange)]


def test_what_all_must_know_of_clocks_is_shared() -> None:
    first, second, _ = together(
        claim("Anna", CLAIMS[0]), claim("Boris", CLAIMS[1]), lambda node: node.names.note_offset(3600)
    )
    assert first.names.offsets == second.names.offsets == (3600,)
