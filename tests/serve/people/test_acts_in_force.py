"""Moderation: the bans and mutes in force follow from the acts alone."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Network

import pytest

from besedka.serve.limits.networks import THIS_MACHINE, Origin
from besedka.serve.people.acts_in_force import ActsInForce
from besedka.serve.people.audit_entry import read_entry
from besedka.serve.people.person import Person
from besedka.serve.people.recent_origins import ORIGINS_KEPT
from besedka.serve.people.slow_rooms import POSTERS_KEPT, SHARE_OF_KNOWN, SHARE_OF_NETWORK
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.validation import clean_name

STAMP = "2026-11-20 17:00:00"
NOW = datetime(2026, 11, 20, 17, tzinfo=UTC).timestamp()
ADDRESS = IPv4Address("192.0.2.7")
ANOTHER_ADDRESS = IPv4Address("192.0.2.8")


def moderation_after(*lines: str) -> ActsInForce:
    moderation = ActsInForce(UTC)
    for line in lines:
        moderation.apply(read_entry(f"[{STAMP}] operator: {line}"))
    return moderation


def why(refused: pytest.ExceptionInfo[Refused]) -> tuple[ErrorCode, str, str]:
    return refused.value.code, refused.value.sentence(Language.EN), refused.value.sentence(Language.RU)


def test_a_ban_is_refused_with_its_end_and_its_reason() -> None:
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
        moderation.check_post(NOW + 601, 0.0, "main", Person("Boris"))
    assert refused.value.code is ErrorCode.MUTED


def test_a_mute_is_for_talking_only() -> None:
    moderation = moderation_after("mute user=Boris")
    with pytest.raises(Refused) as refused:
        moderation.check_post(NOW, 0.0, "main", Person("Boris"))
    assert why(refused)[1] == "You are muted (until it is lifted)"
    moderation.check_entry(NOW, name="Boris")
    moderation.check_post(NOW, 0.0, "main", Person("Anna"))


def test_in_a_slow_room_the_time_between_two_messages_is_kept_for_the_person() -> None:
    moderation = moderation_after("slow seconds=30", f"appoint user=Anna claim={'a' * 64}")
    boris = Person("Boris", "b" * 64)
    moderation.check_post(NOW, 100.0, "main", boris)
    for person in (boris, Person("Вoris"), Person("Other", "b" * 64)):
        with pytest.raises(Refused) as refused:
            moderation.check_post(NOW, 110.0, "main", person)
        assert (refused.value.code, refused.value.wait) == (ErrorCode.TOO_FAST, 20.0)
    moderation.check_post(NOW, 110.0, "dev", boris)
    moderation.check_post(NOW, 130.0, "main", boris)
    for _ in range(2):
        moderation.check_post(NOW, 100.0, "main", Person("Anna", "a" * 64))


def test_what_is_over_by_a_wrong_clock_is_in_force_again_by_a_right_one() -> None:
    moderation = moderation_after(
        "ban user=Boris until=2026-11-20T17:10:00Z", "mute user=Egor until=2026-11-20T17:10:00Z"
    )
    for _ in range(2):
        moderation.check_entry(NOW + 601, name="Boris")
        moderation.check_post(NOW + 601, 0.0, "main", Person("Egor"))
        with pytest.raises(Refused):
            moderation.check_entry(NOW, name="Boris")
        with pytest.raises(Refused):
            moderation.check_post(NOW, 0.0, "main", Person("Egor"))


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
        moderation.check_post(NOW, float(number), "main", Person(f"name {number}"))
    assert len(moderation._slow._posted_at) <= 2 * POSTERS_KEPT  # noqa: SLF001 - that it is forgotten cannot be seen from outside
    with pytest.raises(Refused):
        moderation.check_post(NOW, 20_000.0, "main", Person("name 19999"))


def verified(name: str, claim: str, since: float) -> Person:
    person = Person(name, claim, is_kept=True)
    person.since = since
    return person


def refusal_of(
    moderation: ActsInForce, person: Person, origin: Origin, ticks: float = 0.0
) -> ErrorCode | None:
    try:
        moderation.check_post(NOW, ticks, "main", person, origin)
    except Refused as refusal:
        return refusal.code
    return None


def test_a_mute_covers_its_connections_and_newcomers_from_its_network_and_nobody_else() -> None:
    moderation = moderation_after(f"appoint user=Vera claim={'c' * 64}")
    entry = read_entry(f"[{STAMP}] operator: mute user=Boris address={ADDRESS}")
    moderation.apply(entry, connections=[7])
    there, same, elsewhere = Origin(8, ADDRESS), Origin(7), Origin(9, IPv4Address("192.0.2.8"))
    early, late = verified("Anna", "a" * 64, NOW - 1), verified("Anna", "a" * 64, NOW)
    vera = verified("Vera", "c" * 64, NOW)
    for origin in (there, same):
        assert refusal_of(moderation, Person("Egor"), origin) is ErrorCode.MUTED
        assert refusal_of(moderation, late, origin) is ErrorCode.MUTED
        assert refusal_of(moderation, vera, origin) is None
    assert refusal_of(moderation, early, there) is None
    assert refusal_of(moderation, early, same) is ErrorCode.MUTED
    assert refusal_of(moderation, Person("Egor"), elsewhere) is None
    moderation.apply(read_entry(f"[{STAMP}] operator: unmute address={ADDRESS}"))
    assert refusal_of(moderation, Person("Egor"), there) is None
    assert refusal_of(moderation, Person("Egor"), same) is ErrorCode.MUTED
    moderation.apply(read_entry(f"[{STAMP}] operator: unmute user=boris"))
    assert refusal_of(moderation, Person("Egor"), same) is None


def test_the_muted_are_announced_under_the_name_that_was_muted_and_newcomers_not_at_all() -> None:
    moderation = moderation_after(f"mute user=Victor claim={'c' * 64} address={ADDRESS}")
    there, elsewhere = Origin(8, ADDRESS), Origin(9, IPv4Address("192.0.2.8"))

    def is_hidden(person: Person, origin: Origin) -> bool:
        return moderation.hides(NOW, person, origin)

    early = NOW - 1
    for origin in (there, elsewhere):
        assert not is_hidden(verified("Victor", "c" * 64, early), origin)
        assert not is_hidden(verified("VICTOR", "c" * 64, early), origin)
        assert is_hidden(verified("vote for me", "c" * 64, early), origin)
        assert not is_hidden(verified("Anna", "a" * 64, early), origin)
    assert is_hidden(Person("Guest"), there)
    assert not is_hidden(Person("Guest"), elsewhere)
    # Under the second name, too, once that is muted: neither of them is heard then.
    moderation.apply(read_entry(f"[{STAMP}] operator: mute user=Victim claim={'c' * 64}"))
    for name in ("Victor", "Victim"):
        assert is_hidden(verified(name, "c" * 64, early), elsewhere)
    moderation.apply(read_entry(f"[{STAMP}] operator: unmute user=Victim claim={'c' * 64}"))
    assert not is_hidden(verified("vote for me", "c" * 64, early), there)


def test_names_claimed_before_are_one_persons_on_one_connection() -> None:
    moderation = moderation_after("slow seconds=100")
    early = NOW - 1
    codes = [
        refusal_of(moderation, verified(f"sleeper {n}", f"{n:064}", early), Origin(7, ADDRESS))
        for n in range(12)
    ]
    assert codes == [None] + [ErrorCode.TOO_FAST] * 11
    moderation = moderation_after()
    moderation.apply(read_entry(f"[{STAMP}] operator: mute user=Guest"), connections=[7])
    sleeper = verified("sleeper", "5" * 64, early)
    assert refusal_of(moderation, sleeper, Origin(7, ADDRESS)) is ErrorCode.MUTED
    assert moderation.is_silenced(NOW, sleeper, Origin(7, ADDRESS))
    assert moderation.hides(NOW, sleeper, Origin(7, ADDRESS))
    assert refusal_of(moderation, sleeper, Origin(8, ADDRESS)) is None


def test_names_claimed_before_have_a_share_of_a_slow_room_behind_one_network() -> None:
    moderation = moderation_after("slow seconds=100")
    early, count = NOW - 1, SHARE_OF_KNOWN + 3
    codes = [
        refusal_of(moderation, verified(f"sleeper {n}", f"{n:064}", early), Origin(n + 1, ADDRESS))
        for n in range(count)
    ]
    assert codes == [None] * SHARE_OF_KNOWN + [ErrorCode.TOO_FAST] * 3
    # Newcomers have theirs, and so has everybody elsewhere.
    assert refusal_of(moderation, Person("guest"), Origin(count + 1, ADDRESS)) is None
    anna = verified("Anna", "a" * 64, early)
    assert refusal_of(moderation, anna, Origin(count + 2, IPv4Address("192.0.2.8"))) is None


def test_a_slow_room_counts_newcomers_by_connection_and_network_and_the_others_apart() -> None:
    moderation = moderation_after("slow seconds=100")
    for number in range(SHARE_OF_NETWORK):
        origin = Origin(number + 1, ADDRESS)
        assert refusal_of(moderation, Person(f"guest {number}"), origin) is None
        assert refusal_of(moderation, Person(f"renamed {number}"), origin) is ErrorCode.TOO_FAST
    late = verified("Late", "d" * 64, NOW + 1)
    assert refusal_of(moderation, late, Origin(90, ADDRESS)) is ErrorCode.TOO_FAST
    assert refusal_of(moderation, verified("Anna", "a" * 64, NOW - 1), Origin(94, ADDRESS)) is None
    assert refusal_of(moderation, Person("one"), Origin(91, IPv4Address("192.0.2.8"))) is None
    # One message's share is there again after a tenth of the interval; a connection's after all of it.
    assert refusal_of(moderation, Person("fresh"), Origin(92, ADDRESS), 10.0) is None
    assert refusal_of(moderation, Person("more"), Origin(93, ADDRESS), 10.0) is ErrorCode.TOO_FAST
    assert refusal_of(moderation, Person("first again"), Origin(1, ADDRESS), 99.0) is ErrorCode.TOO_FAST
    assert refusal_of(moderation, Person("first again"), Origin(1, ADDRESS), 100.0) is None


def test_in_a_slow_room_all_networks_of_an_ipv6_site_have_twice_the_share_of_an_address() -> None:
    moderation = moderation_after("slow seconds=100")
    subnets = [*IPv6Network("2001:db8:1::/56").subnets(new_prefix=64)]
    for number in range(2 * SHARE_OF_NETWORK):
        origin = Origin(number + 1, subnets[number])
        assert refusal_of(moderation, Person(f"guest {number}"), origin) is None
    assert refusal_of(moderation, Person("more"), Origin(90, subnets[200])) is ErrorCode.TOO_FAST
    assert refusal_of(moderation, Person("one"), Origin(91, IPv6Network("2001:db8:2::/64"))) is None


def test_a_refused_post_costs_neither_the_connection_nor_the_network() -> None:
    moderation = moderation_after("slow seconds=100")
    guest = Person("Boris")
    assert refusal_of(moderation, guest, Origin(1, ADDRESS)) is None
    for _ in range(100):
        assert refusal_of(moderation, guest, Origin(2, ADDRESS)) is ErrorCode.TOO_FAST
    assert refusal_of(moderation, Person("Egor"), Origin(2, ADDRESS)) is None


@pytest.mark.parametrize("network", [None, THIS_MACHINE])
def test_on_this_machine_newcomers_count_by_connection(network: IPv4Address | None) -> None:
    moderation = moderation_after("slow seconds=100")
    for number in range(3 * SHARE_OF_NETWORK):
        assert refusal_of(moderation, Person(f"guest {number}"), Origin(number + 1, network)) is None
    assert refusal_of(moderation, Person("renamed"), Origin(1, network)) is ErrorCode.TOO_FAST


def test_it_is_remembered_where_guests_have_posted_from_and_the_oldest_is_forgotten() -> None:
    moderation = moderation_after()
    for number in range(ORIGINS_KEPT + 1):
        refusal_of(moderation, Person(f"guest {number}"), Origin(number + 1, ADDRESS))
    refusal_of(moderation, verified("Anna", "a" * 64, NOW), Origin(1, ADDRESS))
    last = ORIGINS_KEPT
    assert moderation.origins(Person(f"GUEST {last}").looks) == {Origin(last + 1, ADDRESS)}
    assert moderation.origins(Person("guest 0").looks) == set()
    assert moderation.origins(Person("Anna").looks) == set()


@pytest.mark.parametrize("flood", [ADDRESS, None, IPv6Network("2001:db8:1:2::/64")])
def test_a_flood_of_names_from_one_site_forgets_its_own_origins_only(
    flood: IPv4Address | IPv6Network | None,
) -> None:
    moderation = moderation_after()
    refusal_of(moderation, Person("Rude"), Origin(1, ANOTHER_ADDRESS))
    for number in range(3 * ORIGINS_KEPT):
        refusal_of(moderation, Person(f"guest {number}"), Origin(2, flood))
    assert moderation.origins(Person("rude").looks) == {Origin(1, ANOTHER_ADDRESS)}
    refusal_of(moderation, Person("Rude"), Origin(3, flood))
    assert moderation.origins(Person("rude").looks) == {Origin(3, flood)}
