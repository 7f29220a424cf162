"""Keeping order: what is in force follows from the lines, and from nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.order import LATEST, MARKS_KEPT, OPERATOR, Deed, Order, read_deed, write_deed
from besedka.wire.names import clean_name
from besedka.wire.refusals import Code, Language, Refused
from besedka.wire.words import Act

STAMP = "2026-11-20 17:00:00"
NOW = datetime(2026, 11, 20, 17, tzinfo=UTC).timestamp()
ADDRESS = IPv4Address("192.0.2.7")

NAMES = st.sampled_from(["Anna", "Boris", "Воris", "two words", 'q"uote', "back\\slash", "=", "#1", "a=b"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=20)
CLAIMS = st.sampled_from(["", "a" * 64, "b" * 64])
ADDRESSES = st.lists(st.sampled_from(["192.0.2.7", "2001:db8::/64"]), max_size=2, unique=True).map(tuple)
UNTIL = st.sampled_from([0, int(NOW) + 60, int(NOW) - 60, LATEST])


@st.composite
def deeds(draw: st.DrawFn) -> Deed:
    """Anything that may be done."""
    act = draw(st.sampled_from(Act))
    who, by = draw(st.sampled_from([(OPERATOR, ""), ("Anna", "a" * 64)]))
    reason = draw(TEXTS)
    match act:
        case Act.SLOW:
            room, seconds = draw(st.sampled_from(["main", "dev"])), draw(st.sampled_from([0, 30]))
            return Deed(STAMP, who, act, room=room, seconds=seconds, by=by, reason=reason)
        case Act.REDACT:
            user, number = draw(TEXTS), draw(st.integers(1, 10**12))
            room = draw(st.sampled_from(["main", "комната"]))
            return Deed(
                STAMP, who, act, user=user, room=room, id=number, said=STAMP, epoch="e1", size=7, by=by
            )
        case _:
            claim = "c" * 64 if act is Act.APPOINT else draw(CLAIMS)
            addresses = draw(ADDRESSES) if act in {Act.BAN, Act.UNBAN} else ()
            until = draw(UNTIL) if act in {Act.BAN, Act.MUTE} else 0
            user = draw(NAMES)
            return Deed(
                STAMP,
                who,
                act,
                user=user,
                claim=claim,
                addresses=addresses,
                until=until,
                by=by,
                reason=reason,
            )


@given(deed=deeds())
def test_any_deed_is_one_line_and_comes_back_as_it_was(deed: Deed) -> None:
    line = write_deed(deed)
    assert "\n" not in line
    assert read_deed(line) == deed
    assert all(character.isprintable() for character in line)


@given(done=st.lists(deeds(), max_size=12))
def test_the_lines_alone_give_what_is_in_force(done: list[Deed]) -> None:
    order, again = Order(UTC), Order(UTC)
    for deed in done:
        order.take(deed)
    for line in map(write_deed, done):
        again.take(read_deed(line))
    assert order == again


@given(text=st.text(max_size=60) | st.text('ban user=Boris"\\ until0123456789-TZ:address., ', max_size=60))
def test_any_line_is_understood_or_refused(text: str) -> None:
    for line in (text, f"[{STAMP}] operator: {text}", f"[{STAMP}] operator: ban {text}"):
        try:
            deed = read_deed(line)
        except ValueError:
            continue
        order = Order(UTC)
        order.take(deed)
        assert order == order  # noqa: PLR0124 - it can be compared


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bann user=Boris",
        "ban",
        "ban Boris",
        "ban user=Boris user=Egor",
        "ban usr=Boris",
        "ban user=a:b",
        "ban user=Boris until=tomorrow",
        "ban user=Boris until=9999-12-31T00:00:00Z",
        "ban address=here",
        'ban user="\\ud800"',
        'ban user="Boris',
        "appoint user=Anna",
        "slow seconds=-1",
        "slow room=../etc seconds=3",
        "redact room=main",
    ],
)
def test_what_is_no_deed_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong
        read_deed(f"[{STAMP}] operator: {text}")


def order_after(*lines: str) -> Order:
    order = Order(UTC)
    for line in lines:
        order.take(read_deed(f"[{STAMP}] operator: {line}"))
    return order


def why(refused: pytest.ExceptionInfo[Refused]) -> tuple[Code, str, str]:
    return refused.value.code, refused.value.sentence(Language.EN), refused.value.sentence(Language.RU)


def test_who_is_banned_is_told_until_when_and_why() -> None:
    order = order_after('ban user=Boris until=2026-11-22T17:00:00Z reason="spam, and more"')
    with pytest.raises(Refused) as refused:
        order.let_in(NOW, name="Boris")
    assert why(refused) == (
        Code.BANNED,
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
        assert refused.value.code == Code.BANNED
    order.take(read_deed(f"[{STAMP}] operator: unban address=192.0.2.7"))
    order.let_in(NOW, network=ADDRESS)
    with pytest.raises(Refused):
        order.let_in(NOW, name="Boris")
    order.take(read_deed(f"[{STAMP}] operator: unban user=BORIS"))
    order.let_in(NOW, claim, "Boris", IPv6Network("2001:db8::/64"))
    assert order == order_after()


def test_a_new_ban_takes_the_place_of_the_old_one() -> None:
    order = order_after("ban user=Boris", "ban user=Boris until=2026-11-20T17:10:00Z")
    order.let_in(NOW + 601, name="Boris")


def test_a_mute_is_for_talking_only() -> None:
    order = order_after("mute user=Boris")
    with pytest.raises(Refused) as refused:
        order.let_talk(NOW, "", "Boris")
    assert why(refused)[1] == "You may not talk for now (until it is taken back)"
    order.let_in(NOW, name="Boris")
    order.let_talk(NOW, "", "Anna")


def test_in_a_slow_room_the_time_between_two_messages_is_kept_for_the_person() -> None:
    order = order_after("slow seconds=30", f"appoint user=Anna claim={'a' * 64}")
    order.has_talked(100.0, "main", "b" * 64, "Boris")
    for claim, name in (("b" * 64, "Boris"), ("", "Вoris"), ("b" * 64, "Other")):
        with pytest.raises(Refused) as refused:
            order.let_talk_again(110.0, "main", claim, name)
        assert (refused.value.code, refused.value.wait) == (Code.TOO_FAST, 20.0)
    order.let_talk_again(130.0, "main", "b" * 64, "Boris")
    order.let_talk_again(110.0, "dev", "b" * 64, "Boris")
    order.has_talked(100.0, "main", "a" * 64, "Anna")
    order.let_talk_again(100.0, "main", "a" * 64, "Anna")


def test_what_is_over_is_forgotten() -> None:
    order = order_after(
        "ban user=Boris until=2026-11-20T17:10:00Z",
        "mute user=Egor until=2026-11-20T17:10:00Z",
        "slow seconds=5",
    )
    order.has_talked(100.0, "main", "", "Boris")
    order.forget(NOW + 601, 106.0)
    assert order == order_after("slow seconds=5")
    order.let_talk_again(0.0, "main", "", "Boris")


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
        order.has_talked(float(number), "main", "", f"name {number}")
    assert len(order._said_at) <= 2 * MARKS_KEPT  # noqa: SLF001 - that it is forgotten cannot be seen from outside
    with pytest.raises(Refused):
        order.let_talk_again(20_000.0, "main", "", "name 19999")
