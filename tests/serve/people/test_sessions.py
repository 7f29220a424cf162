"""Live sessions by their people: whoever has signed in as somebody is found by it, and nobody else is looked at."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.limits.networks import Network
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession, LiveSessions
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import Refused


class FakeSession(LiveSession):
    """A session whose people a test sets; counts how often it is asked for them."""

    door = "/ws"

    def __init__(self, *claims: str) -> None:
        self.claims = claims
        self.asked = 0

    @property
    def network(self) -> Network | None:
        return None

    def people(self) -> Iterable[Person]:
        self.asked += 1
        return [Person(claim=claim) for claim in self.claims]

    def memberships(self) -> Iterable[tuple[str, str]]:
        return ()

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        """Do nothing."""

    def abort(self) -> None:
        """Do nothing."""

    def remove_from_room(self, room: str, refusal: Refused) -> None:
        """Do nothing."""


def test_looking_for_one_persons_sessions_looks_at_no_other() -> None:
    sessions, anna = LiveSessions(), FakeSession("anna")
    crowd = [FakeSession(f"c{number}") for number in range(100)]
    for session in (anna, *crowd):
        sessions.add(session)
    before = sum(session.asked for session in crowd)
    assert sessions.of("anna") == [anna]
    assert sum(session.asked for session in crowd) == before


def test_sessions_without_a_claim_are_nobodys() -> None:
    sessions = LiveSessions()
    sessions.add(FakeSession(""))
    sessions.add(FakeSession())
    assert sessions.of("") == []


CLAIMS = st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=3)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["add", "note", "discard"]), CLAIMS)))
def test_the_index_is_what_a_look_at_all_sessions_would_find(acts: list[tuple[int, str, list[str]]]) -> None:
    sessions, some = LiveSessions(), [FakeSession() for _ in range(4)]
    known: dict[FakeSession, set[str]] = {}
    for number, act, claims in acts:
        session = some[number]
        if act == "discard":
            sessions.discard(session)
            known.pop(session, None)
        elif act == "add" or session in known:
            session.claims = tuple(claims)
            sessions.add(session) if act == "add" else sessions.note_people(session)
            known[session] = {*claims}
        else:
            sessions.note_people(session)
    for claim in ("a", "b", "c"):
        assert {*sessions.of(claim)} == {session for session in known if claim in known[session]}
    assert {*sessions} == {*known}
