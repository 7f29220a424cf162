"""Small text files that two hands write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.names import Known, KnownNames, Names

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
