"""The people of all rooms, here and at other nodes: a person counts once, wherever they are."""

from __future__ import annotations

from collections import Counter

from hypothesis import example, given, settings
from hypothesis import strategies as st

from besedka.serve.cluster.presence.elsewhere import PEOPLE_OF_NODE_AT_MOST, PeopleElsewhere
from besedka.serve.cluster.presence.gossip_frames import (
    PEOPLE_IN_FRAME,
    Changes,
    RoomChange,
    decode_gossip,
    encode_gossip,
)
from besedka.serve.people.person import Person
from besedka.serve.room.presence import Presence
from besedka.wire.errors import Language

ROOMS = ("main", "dev")
NAMES = ("Anna", "Boris", "Clara", "")
NODE = "0123456789abcdef"


class Observer:
    """Tells the presence of some rooms, as `ElsewhereNotices` does."""

    def __init__(self, rooms: dict[str, Presence]) -> None:
        self._rooms = rooms

    def arrived(self, room: str, name: str) -> None:
        self._rooms[room].arrive_elsewhere(name)

    def departed(self, room: str, name: str) -> None:
        self._rooms[room].depart_elsewhere(name)

    def renamed(self, room: str, former: str, name: str) -> None:
        self._rooms[room].rename_elsewhere(former, name)

    def withdrawn(self, room: str, name: str) -> None:
        self._rooms[room].withdraw_elsewhere(name)
        self.changed(room)

    def changed(self, room: str) -> None:
        self._rooms[room].change_elsewhere()


class Node:
    """A node: its rooms, and what it knows of others.

    Attributes:
        shown: the people of each room, as somebody knows them who has seen all notices.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.people = PeopleElsewhere("cluster")
        self.rooms = {room: Presence(room, self.people) for room in ROOMS}
        self.observer = Observer(self.rooms)
        self.here: Counter[tuple[str, str]] = Counter()
        self.shown: dict[str, Counter[str]] = {room: Counter() for room in ROOMS}

    def look(self) -> None:
        """See the notices."""
        for room, presence in self.rooms.items():
            notice = presence.take_notice("2026-12-02 10:00:00")
            if notice is None:
                continue
            frame = notice(Language.EN)
            if isinstance(frame.users, list):
                self.shown[room] = Counter(frame.users)
            else:
                self.shown[room].update(frame.joined)
                self.shown[room].subtract(frame.left)

    def move(self, act: str, room: str, person: Person) -> None:
        """Let a person come or go."""
        if act == "arrive":
            self.here[room, person.name] += 1
            self.rooms[room].arrive(person)
        elif self.here[room, person.name]:
            self.here[room, person.name] -= 1
            if act == "depart":
                self.rooms[room].depart(person)
            else:
                self.rooms[room].withdraw(person)
                self.rooms[room].change_elsewhere()  # as `Subscriptions.hide` has them told the state

    def send(self, others: list[Node], *, is_heard: bool = True) -> None:
        for rooms in self.people.take_changes():
            data = encode_gossip(Changes(NODE, 1, rooms))
            for other in others:
                frame = decode_gossip(data)
                assert isinstance(frame, Changes)
                if is_heard:
                    other.people.apply(self.name, frame.rooms, other.observer)

    def send_state(self, others: list[Node]) -> None:
        state: dict[str, dict[int, str]] = {}
        for rooms in self.people.state():
            for room, people in rooms.items():
                state.setdefault(room, {}).update(people)
        for other in others:
            other.people.replace(self.name, state, other.observer)


def step(nodes: list[Node], act: str, number: int, who: tuple[str, Person]) -> None:
    """Let something happen at a node."""
    node, others = nodes[number], [*nodes[:number], *nodes[number + 1 :]]
    match act:
        case "send":
            node.send(others)
        case "miss":
            node.send(others, is_heard=False)
            node.send_state(others)
        case "look":
            node.look()
        case "die":
            nodes[number] = Node(node.name)
            for other in others:
                other.people.drop(node.name, other.observer)
                # As in `Gossip`: changes are sent before the state.
                other.send([each for each in nodes if each is not other])
                other.send_state([nodes[number]])
        case _:
            node.move(act, *who)


steps = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "depart", "withdraw", "send", "miss", "look", "die"]),
        st.integers(0, 2),
        st.sampled_from(ROOMS),
        st.sampled_from(NAMES[:3]),
    ),
    max_size=40,
)


@settings(max_examples=150)
@given(steps)
@example([("arrive", 1, "dev", "Boris"), ("die", 0, "main", "Anna"), ("depart", 1, "dev", "Boris")])
def test_all_nodes_show_the_same_people_whatever_comes_and_is_missed(
    acts: list[tuple[str, int, str, str]],
) -> None:
    nodes = [Node(f"{number}") for number in range(3)]
    people = {name: Person(name, identity=f"i{name}") for name in NAMES}
    for act, number, room, name in acts:
        step(nodes, act, number, (room, people[name]))
    for node in nodes:
        node.send([other for other in nodes if other is not node])
    for node in nodes:
        node.look()
        for room in ROOMS:
            present = {name for other in nodes for name in NAMES if other.here[room, name]}
            assert node.rooms[room].count == len(present)
            assert sorted(node.rooms[room].names()) == sorted(present)
            assert +node.shown[room] == Counter(present)


def test_the_nameless_are_all_different_people() -> None:
    one, other = Node("1"), Node("2")
    for node in (one, other):
        for _ in range(2):
            node.rooms["main"].arrive(Person())
    one.send([other])
    other.send([one])
    assert [node.rooms["main"].count for node in (one, other)] == [4, 4]
    assert other.rooms["main"].names() == []


def test_who_moves_to_another_node_neither_left_nor_came() -> None:
    one, other, third = (Node(name) for name in "123")
    person = Person("Anna", claim="c")
    one.rooms["main"].arrive(person)
    one.send([other, third])
    for node in (one, other, third):
        node.look()
    # The first node dies, and they are at the second one before it is forgotten.
    other.rooms["main"].arrive(Person("Anna", claim="c"))
    other.send([third])
    for node in (other, third):
        node.people.drop("1", node.observer)
        assert node.rooms["main"].take_notice("2026-12-02 10:00:00") is None
        assert node.rooms["main"].names() == ["Anna"]


def test_a_change_of_name_is_reported_at_other_nodes_as_one() -> None:
    one, other = Node("1"), Node("2")
    former, person = Person("Anna", claim="c"), Person("Ann", claim="c")
    one.rooms["main"].arrive(former)
    one.send([other])
    other.look()
    one.rooms["main"].depart(former)
    one.rooms["main"].arrive(person)
    one.rooms["main"].rename(former, person)
    one.send([other])
    notice = other.rooms["main"].take_notice("2026-12-02 10:00:00")
    assert notice
    assert notice(Language.EN).renamed == {"Anna": "Ann"}


def test_many_people_are_sent_in_frames_of_a_bounded_size() -> None:
    one, other = Node("1"), Node("2")
    for number in range(PEOPLE_IN_FRAME * 2 + 1):
        one.rooms["main"].arrive(Person(f"Person {number}", identity=f"{number}"))
    assert [sum(map(len, part.values())) for part in one.people.state()] == [PEOPLE_IN_FRAME] * 2 + [1]
    parts = [*one.people.take_changes()]
    assert max(change.size for part in parts for change in part.values()) == PEOPLE_IN_FRAME
    for part in parts:
        other.people.apply("1", part, other.observer)
    assert other.rooms["main"].count == PEOPLE_IN_FRAME * 2 + 1
    assert len(other.rooms["main"].names()) == 100


def test_of_a_node_that_floods_only_so_many_people_are_kept() -> None:
    other = Node("2")
    state = {"main": dict.fromkeys(range(PEOPLE_OF_NODE_AT_MOST + 5), "")}
    assert not other.people.replace("1", state, other.observer)
    assert other.rooms["main"].count == PEOPLE_OF_NODE_AT_MOST
    other.people.drop("1", other.observer)
    assert other.rooms["main"].count == 0
    assert other.people.replace("1", {}, other.observer)


def test_somebody_is_present_under_a_name_however_it_is_spelled_until_they_are_nowhere() -> None:
    node = Node("a")
    people, observer = node.people, node.observer
    people.apply("b", {"main": RoomChange(joined={1: "Anna"})}, observer)
    people.apply("c", {"dev": RoomChange(joined={1: "Anna"})}, observer)
    assert people.is_present("ANNA")
    assert not people.is_present("Ann")
    people.drop("b", observer)
    assert people.is_present("Anna")
    people.drop("c", observer)
    assert not people.is_present("Anna")
