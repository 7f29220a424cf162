"""How descriptors are shared, and when the spare ones are used."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from besedka.serve.limits.descriptors import (
    OWN,
    ROOMS,
    SPARE,
    Capacity,
    SpareDescriptors,
    for_connections,
    is_none_left,
)


@pytest.mark.parametrize(
    ("limit", "connections"),
    [(0, 0), (OWN, 0), (1_024, 1_024 - OWN - 256), (20_000, 20_000 - OWN - ROOMS)],
)
def test_connections_get_what_the_server_and_its_rooms_do_not_need(limit: int, connections: int) -> None:
    assert for_connections(limit) == connections


def test_the_connections_of_all_doors_are_counted_together() -> None:
    capacity, one, other = Capacity(5), [1], [1]
    capacity.add(lambda: sum(one))
    capacity.add(lambda: 3 * sum(other))
    assert capacity.has_room()
    assert not capacity.has_room(2)
    one.append(1)
    assert not capacity.has_room()


def opened() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_spare_descriptors_are_given_up_for_what_finds_none_and_taken_back() -> None:
    spare, before, seen = SpareDescriptors(), opened(), []
    spare.hold()
    spare.hold()
    assert opened() == before + SPARE

    def act(name: str) -> str:
        seen.append(opened())
        if opened() > before:
            raise OSError(errno.EMFILE, "Too many open files")
        return name

    assert spare.use(act, "x") == "x"
    assert seen == [before + SPARE, before]
    assert opened() == before + SPARE
    spare.close()
    assert opened() == before


def test_other_errors_are_no_reason_to_give_them_up() -> None:
    spare, calls = SpareDescriptors(), []

    def act() -> None:
        calls.append(1)
        raise OSError(errno.ENOENT, "No such file or directory")

    with pytest.raises(FileNotFoundError):
        spare.use(act)
    assert calls == [1]


def test_a_lack_of_descriptors_is_known_behind_an_error_of_ours() -> None:
    error = ValueError("cannot be read")
    error.__cause__ = OSError(errno.ENFILE, "Too many open files in system")
    assert is_none_left(error)
    assert not is_none_left(ValueError("x"))
