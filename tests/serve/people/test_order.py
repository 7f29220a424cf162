"""Keeping order: what is in force follows from the deeds, and from nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Network

import pytest

from besedka.serve.people.deeds import read_deed
from besedka.serve.people.order import MARKS_KEPT, Order
from besedka.serve.people.presence import Person
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.validation import clean_name

STAMP = "2026-11-20 17:00:00"
NOW = datetime(2026, 11, 20, 17, tzinfo=UTC).timestamp()
ADDRESS = IPv4Address("192.0.2.7")


def order_after(*lines: str) -> Order:
    order = Order(UTC)
    for line in lines:
        order.take(read_deed(f"[{STAMP}] operator: {line}"))
    return order


def why(refused: pytest.ExceptionInfo[Refused]) -> tuple[ErrorCode, str, str]:
    return refused.value.code, refused.value.sentence(Language.EN), refused.value.sentence(Language.RU)


def test_who_is_banned_is_told_until_when_and_why() -> None:
    order = order_after('ban user=Boris until=2026-11-22T17:00:00Z reason="spam, and more"')
    with pytest.raises(Refused) as refused:
        order.let_in(NOW, name="Boris")
    assert why(refused) == (
        ErrorCode.BANNED,
        "You are banned (until 2026-11-22 17:00: spam, and more)",
        "Вход для вас закрыт (до 2026-11-22 17:00: spam, and more)",
    )
    order.let_in(NOW + 48 * 3600, name="Boris")
    order.let_in(NOW, name="Egor", network=ADDRESS)
    order.let_in(NOW)


def test_a_ban_is_by_claim_by_look_and_by_address() -> None:
    claim = "b" * 64
    order = order_after(f"ban user=Boris claim={claim} address=192.0.2.7,2001:db8::/64")
    for how in (
        {"name": "Boris"},
        {"name": "Вoris"},
        {"name": "BORIS"},
        {"claim": claim, "name": "Egor"},
        {"network": ADDRESS},
        {"network": IPv6Network("2001:db8::/64")},
    ):
        with pytest.raises(Refused) as refused:
            order.let_in(NOW, **how)
        assert refused.value.code == ErrorCode.BANNED
    order.take(read_deed(f"[{STAMP}] operator: unban address=192.0.2.7"))
    order.let_in(NOW, network=ADDRESS)
    with pytest.raises(Refused):
        order.let_in(NOW, name="Boris")
    order.take(read_deed(f"[{STAMP}] operator: unban user=BORIS"))
    order.let_in(NOW, claim, "Boris", IPv6Network("2001:db8::/64"))
    assert order == order_after()


def test_of_several_bans_of_one_mark_the_one_that_ends_last_counts() -> None:
    order = order_after(
        "ban user=Boris until=2026-11-20T17:10:00Z", "ban user=Boris until=2026-11-20T17:20:00Z"
    )
    order.take(read_deed(f"[{STAMP}] operator: ban user=Boris until=2026-11-20T17:05:00Z"))
    with pytest.raises(Refused) as refused:
        order.let_in(NOW + 1199, name="Boris")
    assert "until 2026-11-20 17:20" in why(refused)[1]
    order.let_in(NOW + 1201, name="Boris")


def test_a_later_shorter_ban_from_elsewhere_leaves_the_longer_one_and_both_are_taken_back() -> None:
    by_name = f"user=Boris claim={'b' * 64}"
    order = order_after(
        f"ban {by_name} address=192.0.2.7",
        "ban user=Egor address=192.0.2.7 until=2026-11-20T17:30:00Z",
        f"ban {by_name} address=192.0.2.8 until=2026-11-20T17:10:00Z",
    )
    for how in ({"name": "Boris"}, {"claim": "b" * 64}, {"network": ADDRESS}):
        with pytest.raises(Refused) as refused:
            order.let_in(NOW + 7200, **how)
        assert "until it is taken back" in why(refused)[1]
    order.let_in(NOW + 601, network=IPv4Address("192.0.2.8"))
    order.take(read_deed(f"[{STAMP}] operator: unban user=Boris"))
    order.let_in(NOW, "b" * 64, "Boris", IPv4Address("192.0.2.8"))
    with pytest.raises(Refused):
        order.let_in(NOW, network=ADDRESS)  # Egor's
    order.take(read_deed(f"[{STAMP}] operator: unban user=Egor"))
    assert order == order_after()


def test_a_later_shorter_mute_does_not_end_a_longer_one() -> None:
    order = order_after("mute user=Boris", "mute user=Boris until=2026-11-20T17:10:00Z")
    with pytest.raises(Refused) as refused:
        order.let_talk(NOW + 601, 0.0, "main", Person("Boris"))
    assert refused.value.code is ErrorCode.MUTED


def test_a_mute_is_for_talking_only() -> None:
    order = order_after("mute user=Boris")
    with pytest.raises(Refused) as refused:
        order.let_talk(NOW, 0.0, "main", Person("Boris"))
    assert why(refused)[1] == "You may not talk for now (until it is taken back)"
    order.let_in(NOW, name="Boris")
    order.let_talk(NOW, 0.0, "main", Person("Anna"))


def test_in_a_slow_room_the_time_between_two_messages_is_kept_for_the_person() -> None:
    order = order_after("slow seconds=30", f"appoint user=Anna claim={'a' * 64}")
    boris = Person("Boris", "b" * 64)
    order.let_talk(NOW, 100.0, "main", boris)
    for person in (boris, Person("Вoris"), Person("Other", "b" * 64)):
        with pytest.raises(Refused) as refused:
            order.let_talk(NOW, 110.0, "main", person)
        assert (refused.value.code, refused.value.wait) == (ErrorCode.TOO_FAST, 20.0)
    order.let_talk(NOW, 110.0, "dev", boris)
    order.let_talk(NOW, 130.0, "main", boris)
    for _ in range(2):
        order.let_talk(NOW, 100.0, "main", Person("Anna", "a" * 64))


def test_what_is_over_by_a_wrong_clock_is_in_force_again_by_a_right_one() -> None:
    order = order_after(
        "ban user=Boris until=2026-11-20T17:10:00Z", "mute user=Egor until=2026-11-20T17:10:00Z"
    )
    for _ in range(2):
        order.let_in(NOW + 601, name="Boris")
        order.let_talk(NOW + 601, 0.0, "main", Person("Egor"))
        with pytest.raises(Refused):
            order.let_in(NOW, name="Boris")
        with pytest.raises(Refused):
            order.let_talk(NOW, 0.0, "main", Person("Egor"))


def test_a_moderator_is_a_claim() -> None:
    order = order_after(f"appoint user=Anna claim={'a' * 64}")
    assert order.is_moderator("a" * 64)
    assert not order.is_moderator("")
    assert order.is_moderators_name(clean_name("АNNA"))
    order.take(read_deed(f"[{STAMP}] operator: dismiss user=anna"))
    assert not order.is_moderator("a" * 64)


def test_those_who_talk_in_a_slow_room_under_ever_new_names_take_no_memory() -> None:
    order = order_after("slow seconds=5")
    for number in range(20_000):
        order.let_talk(NOW, float(number), "main", Person(f"name {number}"))
    assert len(order._said_at) <= 2 * MARKS_KEPT  # noqa: SLF001 - that it is forgotten cannot be seen from outside
    with pytest.raises(Refused):
        order.let_talk(NOW, 20_000.0, "main", Person("name 19999"))
