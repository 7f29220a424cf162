"""Which of a node's offers about people was accepted: the next head says so, also if it is that of a later offer."""

from __future__ import annotations

import pytest

from besedka.serve.cluster.people.act import Act
from besedka.serve.cluster.people.offers import REMEMBERED_AT_MOST, Offer, Offers
from besedka.serve.people.audit_entry import OPERATOR, AuditEntry
from besedka.wire.frames import Act as Kind

OFFER = Offer([b"row"], ())


@pytest.mark.parametrize("later", [0, 1, REMEMBERED_AT_MOST])
def test_an_accepted_offer_is_known_however_many_came_behind_it(later: int) -> None:
    here, there = Offers(), Offers()
    head = here.add("here", OFFER, 0)
    assert there.decide(head) is None
    for number in range(later):
        head = there.add(f"there {number}", OFFER, 0)
        decided = there.decide(head)
        assert decided
        assert decided[0] == f"there {number}"
    assert here.decide(head) == ("here", OFFER)
    assert here.decide(there.add("once more", OFFER, 0)) is None  # it was decided


def test_one_of_several_offers_behind_a_head_is_accepted() -> None:
    here, there = Offers(), Offers()
    heads = [here.add(token, OFFER, 0) for token in ("one", "two", "three")]
    assert there.decide(heads[1]) is None
    assert here.decide(there.add("there", OFFER, 0)) == ("two", OFFER)


def test_an_offer_behind_which_another_one_was_accepted_is_none() -> None:
    here, there = Offers(), Offers()
    here.add("here", OFFER, 0)
    assert here.decide(there.add("there", OFFER, 0)) is None


def test_nobody_waits_for_the_acts_of_an_abandoned_offer() -> None:
    offers = Offers()
    act = Act(AuditEntry("2026-12-02 10:00:00", OPERATOR, Kind.KICK, user="Anna"), is_written=True)
    head = offers.add("here", Offer([], [act]), 1)
    offers.abandon("here")
    offers.abandon("another one")
    decided = offers.decide(head)
    assert decided
    [kept] = decided[1].acts
    assert (kept.entry, kept.is_written, kept.recorded) == (act.entry, True, None)
    assert kept is not act
