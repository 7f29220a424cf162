"""Keeping order: what is in force follows from the deeds, and from nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Network

import pytest

from besedka.serve.people.audit_entry import read_entry
from besedka.serve.people.moderation import POSTERS_KEPT, Moderation
from besedka.serve.people.person import Person
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.validation import clean_name

STAMP = "2026-11-20 17:00:00"
NOW = datetime(2026, 11, 20, 17, tzinfo=UTC).timestamp()
ADDRESS = IPv4Address("192.0.2.7")


def moderation_after(*lines: str) -> Moderation:
    moderation = Moderation(UTC)
    for line in lines:
        moderation.apply(read_entry(f"[{STAMP}] operator: {line}"))
    return moderation


def why(refused: pytest.ExceptionInfo[Refused]) -> tuple[ErrorCode, str, str]:
    return refused.value.code, refused.value.sentence(Language.EN), refused.value.sentence(Language.RU)


def test_who_is_banned_is_told_until_when_and_why() -> None:
    moderation = moderation_after('ban user=Boris until=2026-11-22T17:00:00Z reason="spam, and more"')
    with pytest.raises(Refused) as refused:
        moderation.check_entry(NOW, name="Boris")
    assert why(refused) == (
        ErrorCode.BANNED,
        "You are banned (until 2026-11-22 17:00: spam, and more)",
        "Вы заблокированы (до 2026-11-22 17:00: spam, and more)",
    )
    moderation.check_entry(NOW + 48 * 3600, name="Boris")
    moderation.check_entry(NOW, name="Egor", network=ADDRESS)
    moderation.check_entry(NOW)


def test_a_ban_is_by_claim_by_look_and_by_address() -> None:
    claim = "b" * 64
    moderation = moderation_after(f"ban user=Boris claim={claim} address=192.0.2.7,2001:db8::/64")
    for how in (
        {"name": "Boris"},
        {"name": "Вoris"},
        {"name": "BORIS"},
        {"claim": claim, "name": "Egor"},
        {"network": ADDRESS},
        {"network": IPv6Network("2001:db8::/64")},
    ):
        with pytest.raises(Refused) as refused:
            moderation.check_entry(NOW, **how)
        assert refused.value.code == ErrorCode.BANNED
    moderation.apply(read_entry(f"[{STAMP}] operator: unban address=192.0.2.7"))
    moderation.check_entry(NOW, network=ADDRESS)
    with pytest.raises(Refused):
        moderation.check_entry(NOW, name="Boris")
    moderation.apply(read_entry(f"[{STAMP}] operator: unban user=BORIS"))
    moderation.check_entry(NOW, claim, "Boris", IPv6Network("2001:db8::/64"))
    assert moderation == moderation_after()


def test_of_several_bans_of_one_mark_the_one_that_ends_last_counts() -> None:
    moderation = moderation_after(
        "ban user=Boris until=2026-11-20T17:10:00Z", "ban user=Boris until=2026-11-20T17:20:00Z"
    )
    moderation.apply(read_entry(f"[{STAMP}] operator: ban user=Boris until=2026-11-20T17:05:00Z"))
    with pytest.raises(Refused) as refused:
        moderation.check_entry(NOW + 1199, name="Boris")
    assert "until 2026-11-20 17:20" in why(refused)[1]
    moderation.check_entry(NOW + 1201, name="Boris")


def test_a_later_shorter_ban_from_elsewhere_leaves_the_longer_one_and_both_are_taken_back() -> None:
    by_name = f"user=Boris claim={'b' * 64}"
    moderation = moderation_after(
        f"ban {by_name} address=192.0.2.7",
        "ban user=Egor address=192.0.2.7 until=2026-11-20T17:30:00Z",
        f"ban {by_name} address=192.0.2.8 until=2026-11-20T17:10:00Z",
    )
    for how in ({"name": "Boris"}, {"claim": "b" * 64}, {"network": ADDRESS}):
        with pytest.raises(Refused) as refused:
            moderation.check_entry(NOW + 7200, **how)
        assert "until it is lifted" in why(refused)[1]
    moderation.check_entry(NOW + 601, network=IPv4Address("192.0.2.8"))
    moderation.apply(read_entry(f"[{STAMP}] operator: unban user=Boris"))
    moderation.check_entry(NOW, "b" * 64, "Boris", IPv4Address("192.0.2.8"))
    with pytest.raises(Refused):
        moderation.check_entry(NOW, network=ADDRESS)  # Egor's
    moderation.apply(read_entry(f"[{STAMP}] operator: unban user=Egor"))
    assert moderation == moderation_after()


def test_a_later_shorter_mute_does_not_end_a_longer_one() -> None:
    moderation = moderation_after("mute user=Boris", "mute user=Boris until=2026-11-20T17:10:00Z")
    with pytest.raises(Refused) as refused:
        moderation.charge_post(NOW + 601, 0.0, "main", Person("Boris"))
    assert refused.value.code is ErrorCode.MUTED


def test_a_mute_is_for_talking_only() -> None:
    moderation = moderation_after("mute user=Boris")
    with pytest.raises(Refused) as refused:
        moderation.charge_post(NOW, 0.0, "main", Person("Boris"))
    assert why(refused)[1] == "You are muted (until it is lifted)"
    moderation.check_entry(NOW, name="Boris")
    moderation.charge_post(NOW, 0.0, "main", Person("Anna"))


def test_in_a_slow_room_the_time_between_two_messages_is_kept_for_the_person() -> None:
    moderation = moderation_after("slow seconds=30", f"appoint user=Anna claim={'a' * 64}")
    boris = Person("Boris", "b" * 64)
    moderation.charge_post(NOW, 100.0, "main", boris)
    for person in (boris, Person("Вoris"), Person("Other", "b" * 64)):
        with pytest.raises(Refused) as refused:
            moderation.charge_post(NOW, 110.0, "main", person)
        assert (refused.value.code, refused.value.wait) == (ErrorCode.TOO_FAST, 20.0)
    moderation.charge_post(NOW, 110.0, "dev", boris)
    moderation.charge_post(NOW, 130.0, "main", boris)
    for _ in range(2):
        moderation.charge_post(NOW, 100.0, "main", Person("Anna", "a" * 64))


def test_what_is_over_by_a_wrong_clock_is_in_force_again_by_a_right_one() -> None:
    moderation = moderation_after(
        "ban user=Boris until=2026-11-20T17:10:00Z", "mute user=Egor until=2026-11-20T17:10:00Z"
    )
    for _ in range(2):
        moderation.check_entry(NOW + 601, name="Boris")
        moderation.charge_post(NOW + 601, 0.0, "main", Person("Egor"))
        with pytest.raises(Refused):
            moderation.check_entry(NOW, name="Boris")
        with pytest.raises(Refused):
            moderation.charge_post(NOW, 0.0, "main", Person("Egor"))


def test_a_moderator_is_a_claim() -> None:
    moderation = moderation_after(f"appoint user=Anna claim={'a' * 64}")
    assert moderation.is_moderator("a" * 64)
    assert not moderation.is_moderator("")
    assert moderation.is_moderators_name(clean_name("АNNA"))
    moderation.apply(read_entry(f"[{STAMP}] operator: dismiss user=anna"))
    assert not moderation.is_moderator("a" * 64)


def test_those_who_talk_in_a_slow_room_under_ever_new_names_take_no_memory() -> None:
    moderation = moderation_after("slow seconds=5")
    for number in range(20_000):
        moderation.charge_post(NOW, float(number), "main", Person(f"name {number}"))
    assert len(moderation._posted_at) <= 2 * POSTERS_KEPT  # noqa: SLF001 - that it is forgotten cannot be seen from outside
    with pytest.raises(Refused):
        moderation.charge_post(NOW, 20_000.0, "main", Person("name 19999"))
