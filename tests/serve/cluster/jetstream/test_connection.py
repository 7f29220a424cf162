"""Whether an answer about a stream counts: only that of a leader whom a majority of the servers follows."""

from __future__ import annotations

from typing import Any

import pytest

from besedka.serve.cluster.jetstream.connection import NANOSECONDS, is_followed, last_entry

GONE: dict[str, Any] = {"name": "gone", "current": False, "offline": True}


def described(*replicas: dict[str, Any], leader: str = "nats-1") -> dict[str, Any]:
    """The description of a stream with three copies, as its leader gives it."""
    return {
        "config": {"num_replicas": 3},
        "cluster": {"name": "besedka", "leader": leader, "replicas": [*replicas]},
    }


def active(seconds: float) -> dict[str, Any]:
    """A copy whose server answered the leader so long ago."""
    return {"name": "nats", "current": True, "active": int(seconds * NANOSECONDS)}


@pytest.mark.parametrize(
    "replicas", [(active(0.1), active(1.0)), (active(1.9), GONE), (active(30), active(1))]
)
def test_a_leader_counts_that_one_of_two_others_follows(replicas: tuple[dict[str, Any], ...]) -> None:
    assert is_followed(described(*replicas))


@pytest.mark.parametrize(
    "replicas",
    [(), (GONE, GONE), (active(2.1), GONE), (active(2.1), active(14)), ({**active(1), "active": 0},)],
)
def test_a_leader_that_nobody_follows_does_not_count(replicas: tuple[dict[str, Any], ...]) -> None:
    assert not is_followed(described(*replicas))


def test_what_is_said_of_a_stream_without_a_leader_does_not_count() -> None:
    """The leader of the cluster says what it is to be like, and that it has no entries."""
    assert not is_followed(described(active(0.1), active(0.1), leader=""))


def test_a_stream_with_one_copy_has_nobody_who_could_follow() -> None:
    group = {"leader": "nats-1"}
    assert is_followed({"config": {"num_replicas": 1}, "cluster": group})
    assert is_followed({"config": {"num_replicas": 1}})


def test_a_refusal_says_which_entry_is_there_or_nothing() -> None:
    assert last_entry({"err_code": 10071, "code": 400, "description": "wrong last sequence: 47"}) == 47
    for error in (
        {"err_code": 10164, "description": "wrong last sequence"},
        {"err_code": 10071, "description": "wrong last sequence: "},
        {"err_code": 10071},
        {"err_code": 10077, "description": "wrong last sequence: 47"},
    ):
        assert last_entry(error) == 0
