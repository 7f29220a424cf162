"""Small text files that two hands write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.invitations import Invitations, Offer
from besedka.serve.people.memberships import Membership, PrivateRooms, Role
from besedka.serve.people.names import Known, KnownNames, Names
from besedka.serve.people.table import CHANGES, SPARE_LINES, Table

STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "save", "edit"]), st.sampled_from(["Anna", "Boris", "Cora"])),
    max_size=20,
)


@given(STEPS)
def test_what_was_changed_here_and_is_not_written_wins_and_all_else_is_as_in_the_file(
    steps: list[tuple[str, str]],
) -> None:
    names = KnownNames(Names.CLAIMED, "2025-11-19 10:00:00")
    there: set[str] = set()
    here: set[str] = set()
    unwritten: set[str] = set()
    for what, name in steps:
        match what:
            case "put":
                names.put(Known(name))
                here.add(name)
                unwritten.add(name)
            case "drop":
                if name in here:
                    names.drop(name)
                    here.remove(name)
                    unwritten.add(name)
            case "save":
                names.appended(names.take_changes())
                there, unwritten = {*here}, set()
            case _:
                there ^= {name}
                names.merge("# by hand\n" + "".join(f"{one}\n" for one in sorted(there)))
                here = {one for one in here if one in unwritten} | {
                    one for one in there if one not in unwritten
                }
        assert {row.name for row in names.rows()} == here
        assert names.is_changed is bool(unwritten)


def test_what_could_not_be_written_is_written_later() -> None:
    names = KnownNames(Names.CLAIMED, "2025-11-19 10:00:00")
    names.put(Known("Anna"))
    batch = names.take_changes()
    assert not names.is_changed
    names.give_back(batch)
    names.merge("Boris\n")
    assert {row.name for row in names.rows()} == {"Anna", "Boris"}


def test_a_name_that_begins_as_a_remark_does_is_a_name() -> None:
    names = KnownNames(Names.CLAIMED, "2025-11-19 10:00:00")
    for name in ("#", "# Boss", "#1"):
        names.put(Known(name, "a" * 64, "2025-11-19 10:00:00", "2025-11-19 10:00:00"))
    again = KnownNames(Names.CLAIMED, "2025-11-19 10:00:00")
    again.merge(names.text() + "# a remark\twith a TAB\n")
    assert [row.name for row in again.rows()] == ["#", "# Boss", "#1"]
    assert not again.strange
    assert again.remarks[-1] == "# a remark\twith a TAB"


def test_remarks_and_what_is_not_understood_stay_in_front() -> None:
    names = KnownNames(Names.CLAIMED, "2025-11-19 10:00:00")
    names.merge("# mine\r\nAnna\nBoris\tno claim\tat all\n\n#end\n: \n")
    assert names.strange == [3, 6]
    assert (
        names.text()
        == "# mine\r\nBoris\tno claim\tat all\n#end\n: \n# begun 2025-11-19 10:00:00\nAnna\t-\t\t\n"
    )


THEN = "2025-11-19 10:00:00"
PEOPLE = ["Anna", "# Boris", "Вера 🐈"]
CLAIMS = ["", "a" * 64, "b" * 64]

State = dict[str, Known]

known = st.builds(Known, st.sampled_from(PEOPLE), st.sampled_from(CLAIMS), st.just(THEN), st.just(THEN))
changes = st.lists(known | st.sampled_from(PEOPLE), max_size=4)
"""Rows that are put; names whose rows are dropped."""


def table(text: str = "") -> KnownNames:
    names = KnownNames(Names.CLAIMED, THEN)
    names.merge(text)
    return names


def change(names: KnownNames, wanted: list[Known | str]) -> None:
    for one in wanted:
        if isinstance(one, Known):
            names.put(one)
        elif names.has(one):
            names.drop(one)


def state(names: KnownNames) -> State:
    return {row.name: row for row in names.rows()}


def with_end(data: bytes) -> bytes:
    return data if data.endswith(b"\n") or not data else data + b"\n"


class Disk:
    """A file as a table's batches make it, with external edits."""

    def __init__(self) -> None:
        self.names = table()
        self.data = b""

    def commit(self) -> None:
        batch = self.names.take_changes()
        if self.data:
            self.data = with_end(self.data) + self.names.appendix(batch)
            self.names.appended(batch)
        else:
            self.rewrite()

    def rewrite(self) -> None:
        snapshot = self.names.snapshot()
        self.data = b"".join(snapshot.pieces())
        self.names.rewritten(snapshot)

    def edit(self, wanted: list[Known | str], *, has_end: bool) -> None:
        """Add rows at the end, and take all lines about others out, as a person does."""
        text = with_end(self.data).decode()
        for one in wanted:
            if isinstance(one, Known):
                text += "\t".join(KnownNames.write(one)) + "\n"
            else:
                text = "".join(line for line in text.splitlines(keepends=True) if one not in line.split("\t"))
        self.data = (text if has_end else text.removesuffix("\n")).encode()
        self.names.merge(self.data.decode())


steps = st.lists(
    st.tuples(st.sampled_from(["change", "commit", "fail", "rewrite"]), changes)
    | st.tuples(st.sampled_from(["edit", "edit without an end"]), changes),
    max_size=12,
)


def run(disk: Disk, wanted: list[tuple[str, list[Known | str]]]) -> None:
    for what, about in wanted:
        match what:
            case "change":
                change(disk.names, about)
            case "commit":
                change(disk.names, about)
                disk.commit()
            case "fail":
                change(disk.names, about)
                disk.names.give_back(disk.names.take_changes())
            case "rewrite":
                disk.rewrite()
            case _:
                disk.edit(about, has_end=what == "edit")


@given(steps)
def test_whatever_was_appended_rewritten_and_edited_is_read_again_as_it_was_known(
    wanted: list[tuple[str, list[Known | str]]],
) -> None:
    disk = Disk()
    run(disk, wanted)
    disk.commit()
    again = table(disk.data.decode())
    assert state(again) == state(disk.names)
    assert not again.strange
    assert again.entries == disk.names.entries
    assert again.superfluous >= 0
    assert not again.torn(disk.data)


@given(steps, changes, st.data())
def test_a_torn_batch_takes_nothing_that_was_stored_and_makes_nobody_up(
    wanted: list[tuple[str, list[Known | str]]], last: list[Known | str], data: st.DataObject
) -> None:
    disk = Disk()
    run(disk, wanted)
    disk.commit()
    stored = disk.data
    change(disk.names, last)
    batch = disk.names.take_changes()
    whole = with_end(stored) + disk.names.appendix(batch)
    cut = data.draw(st.integers(len(stored), len(whole)), "cut")
    nuls = data.draw(st.integers(0, 20), "nuls")
    left = whole[:cut] + bytes(nuls)
    mended = left[: len(left) - KnownNames.torn(left)]
    # With each line of it that was left there is one more state that may be.
    begun = with_end(stored).decode()
    possible = [
        state(table(begun + "".join(f"{line}\n" for line in batch.lines[:count])))
        for count in range(len(batch.lines) + 1)
    ]
    assert mended.startswith(stored)
    assert state(table(mended.decode())) in possible


@given(st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-16")))
def test_nothing_but_nuls_at_the_end_is_cut_off_a_file_to_which_we_have_added_nothing(data: bytes) -> None:
    torn = KnownNames.torn(data)
    assert data[len(data) - torn :] in {bytes(torn), CHANGES[:torn].encode()}
    if torn:
        assert "\0" not in data.rstrip(b"\0").decode()


@pytest.mark.parametrize(
    "torn", ["A", "Anna", "Anna\t", f"Anna\t{'a' * 63}", "*removed\tAn", "\xff", CHANGES[:-1], "#", "A\0B"]
)
def test_a_torn_line_below_the_changes_does_not_count(torn: str) -> None:
    above = f"# mine\nBoris\n{CHANGES}\nCora\t-\t\t\n".encode()
    assert KnownNames.torn(above + torn.encode("latin-1")) == len(torn)


@given(
    known_rows=st.lists(known, min_size=1, max_size=4),
    at=st.integers(0, 10**6),
    nuls=st.integers(1, 20),
    last=st.sampled_from(["", "Anna\t", "\0\0"]),
)
def test_damage_in_the_middle_costs_only_the_lines_that_hold_it(
    known_rows: list[Known], at: int, nuls: int, last: str
) -> None:
    """NULs over bytes of a line, at any place below the changes, while the end may be torn as well."""
    lines = ["\t".join(KnownNames.write(row)) for row in known_rows]
    damaged = at % len(lines)
    line = lines[damaged]
    begin = 0 if line.startswith("#") else at % len(line)  # a damaged remark is a remark
    lines[damaged] = line[:begin] + "\0" * nuls + line[begin + nuls :]
    whole = "".join(f"{line}\n" for line in ("# mine", CHANGES, *lines))
    assert KnownNames.torn((whole + last).encode()) == len(last)
    read = table(whole)
    others = [row for number, row in enumerate(known_rows) if number != damaged]
    assert state(read) == {row.name: row for row in others}
    assert read.strange == [3 + damaged]
    assert lines[damaged] in read.text()


def test_a_damaged_row_is_no_row_of_any_table() -> None:
    for row in (f"plans\tmember\tAn\0na\t{'a' * 64}", f"{'b' * 64}\troom\tplans\t1\t2000000000\tAn\0na"):
        assert PrivateRooms.parse(row).strange == Invitations.parse(row).strange == [1]


@pytest.mark.parametrize(
    "kept", [f"Anna\t{'a' * 64}\t{THEN}\t{THEN}", f"*removed\tCora\t-\t\t{THEN}", "# a remark"]
)
def test_a_whole_last_line_without_its_end_counts(kept: str) -> None:
    assert not KnownNames.torn(f"{CHANGES}\nCora\t-\t\t\n{kept}".encode())


def test_an_unended_last_line_of_a_file_that_we_never_wrote_counts() -> None:
    assert not KnownNames.torn(b"Anna\nBoris")
    assert not KnownNames.torn("Anna\nБор".encode()[:-1])  # it is refused as no UTF-8, and not cut


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        (KnownNames, Known("Anna", "a" * 64, THEN, THEN)),
        (PrivateRooms, Membership("plans", Role.MEMBER, "Anna", "a" * 64)),
        (Invitations, Offer("b" * 64, "room", "plans", 1, 2_000_000_000, "Anna")),
    ],
)
def test_a_row_is_taken_out_by_a_line_below_it_and_put_back_by_another(
    kind: type[Table[object]], row: object
) -> None:
    line = "\t".join(kind.write(row))
    removal = f"*removed\t{line}"
    assert not kind.parse(f"{line}\n{removal}\n").rows
    assert [*kind.parse(f"{line}\n{removal}\r\n{line}\n").rows.values()] == [row]
    assert kind.parse(f"{removal}\n").strange == []
    assert kind.parse("*removed\tnobody could\tbe this\n").strange == [1]
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, it is no row
        kind.read(["*removed", *kind.write(row)][: len([*kind.write(row)])])


def test_a_file_is_rewritten_when_what_counts_no_more_outweighs_the_rows() -> None:
    names, appended = table("# mine\n"), 0
    names.put(Known("Anna"))
    while not names.is_bloated:
        names.put(Known("Anna", "a" * 64, THEN, f"2025-11-19 10:00:{appended % 60:02}"))
        names.appended(names.take_changes())
        appended += 1
    assert appended == 1 + SPARE_LINES + 2
    names.rewritten(names.snapshot())
    assert (names.superfluous, names.is_bloated) == (0, False)


def test_a_change_that_nobody_may_wait_for_does_not_hide_one_that_somebody_does() -> None:
    names = table()
    names.take("Anna", "a" * 64, THEN)
    names.touch("a" * 64, "Anna", "2025-11-19 11:00:00")
    assert not names.is_stored("Anna")
    batch = names.take_changes()
    assert not names.is_stored("Anna")
    names.touch("a" * 64, "Anna", "2025-11-19 12:00:00")
    names.appended(batch)
    assert names.is_stored("Anna")
    assert names.is_changed


def test_a_change_on_its_way_wins_over_what_another_program_writes_meanwhile() -> None:
    names = table("Anna\nBoris\n")
    names.drop("Anna")
    names.put(Known("Cora"))
    batch = names.take_changes()
    names.merge("Anna\nDora\n")
    assert {row.name for row in names.rows()} == {"Cora", "Dora"}
    names.give_back(batch)
    names.merge("Anna\nDora\n")
    assert {row.name for row in names.rows()} == {"Cora", "Dora"}
    assert [line.split("\t")[:2] for line in names.take_changes().lines[1:]] == [
        ["*removed", "Anna"],
        ["Cora", "-"],
    ]
