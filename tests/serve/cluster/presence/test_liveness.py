"""Which nodes are alive, as one of them hears them."""

from __future__ import annotations

from besedka.serve.cluster.presence.liveness import AWAY_SECONDS, LEASE_SECONDS, LEAVING_SECONDS, Liveness


def receiving(liveness: Liveness, begin: int, end: int, *nodes: str) -> None:
    """Have a node hear itself, and others, each second up to a moment."""
    for now in range(begin, end + 1):
        for node in ("own", *nodes):
            liveness.receive(node, float(now))


def test_a_node_that_is_silent_loses_its_lease_and_later_its_people() -> None:
    liveness = Liveness("own", 0.0)
    receiving(liveness, 0, 10, "other")
    receiving(liveness, 11, 21)
    assert liveness.is_alive("other", 10 + LEASE_SECONDS - 0.1)
    assert not liveness.is_alive("other", 10 + LEASE_SECONDS)
    assert liveness.ended(10 + AWAY_SECONDS - 0.1) == []
    assert liveness.ended(10 + AWAY_SECONDS) == ["other"]
    assert liveness.ended(10 + AWAY_SECONDS) == []


def test_a_node_that_said_good_bye_has_no_lease_at_once_and_its_people_have_their_time() -> None:
    liveness = Liveness("own", 0.0)
    receiving(liveness, 0, 10, "other")
    liveness.leave("other", 10.0)
    assert not liveness.is_alive("other", 10.0)
    receiving(liveness, 11, 20)
    assert liveness.ended(10 + LEAVING_SECONDS - 0.1) == []
    assert liveness.ended(10 + LEAVING_SECONDS) == ["other"]


def test_a_node_that_does_not_receive_its_own_beats_takes_nobody_for_dead() -> None:
    liveness = Liveness("own", 0.0)
    receiving(liveness, 0, 10, "other")
    assert liveness.is_alive("other", 100.0)
    assert liveness.ended(100.0) == []
    assert liveness.returns == 0
    liveness.receive("own", 100.0)
    assert liveness.returns == 1
    # From now on it could have been heard.
    receiving(liveness, 101, 104)
    assert liveness.is_alive("other", 104.0)
    receiving(liveness, 105, 111)
    assert not liveness.is_alive("other", 105.0)
    assert liveness.ended(111.0) == ["other"]


def test_a_node_that_was_never_heard_of_may_be_alive_for_as_long_as_it_could_be() -> None:
    liveness = Liveness("own", 0.0)
    receiving(liveness, 0, 4)
    assert liveness.is_alive("unknown", 4.0)
    receiving(liveness, 5, 6)
    assert not liveness.is_alive("unknown", 5.0)
