"""Audit entries: each act is a line, and a line is an entry or is not understood."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.acts_in_force import ActsInForce
from besedka.serve.people.audit_entry import LATEST, OPERATOR, AuditEntry, Event, read_entry, write_entry
from besedka.wire.frames import Act

STAMP = "2026-11-20 17:00:00"
NOW = datetime(2026, 11, 20, 17, tzinfo=UTC).timestamp()

NAMES = st.sampled_from(["Anna", "Boris", "Воris", "two words", 'q"uote', "back\\slash", "=", "#1", "a=b"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=20)
CLAIMS = st.sampled_from(["", "a" * 64, "b" * 64])
ADDRESSES = st.lists(st.sampled_from(["192.0.2.7", "2001:db8::/64"]), max_size=2, unique=True).map(tuple)
UNTIL = st.sampled_from([0, int(NOW) + 60, int(NOW) - 60, LATEST])


@st.composite
def entries(draw: st.DrawFn) -> AuditEntry:
    """Anything that may be done."""
    act = draw(st.sampled_from([*Act, *Event]))
    who, by = draw(st.sampled_from([(OPERATOR, ""), ("Anna", "a" * 64)]))
    reason = draw(TEXTS)
    match act:
        case Act.SLOW:
            room, seconds = draw(st.sampled_from(["main", "dev"])), draw(st.sampled_from([0, 30]))
            return AuditEntry(STAMP, who, act, room=room, seconds=seconds, by=by, reason=reason)
        case Act.REDACT:
            user, number = draw(TEXTS), draw(st.integers(1, 10**12))
            room = draw(st.sampled_from(["main", "комната"]))
            return AuditEntry(
                STAMP, who, act, user=user, room=room, id=number, said=STAMP, epoch="e1", size=7, by=by
            )
        case Event.PRIVATE | Event.ENDED | Act.ARCHIVE | Act.UNARCHIVE | Act.DELETE:
            return AuditEntry(STAMP, who, act, room=draw(st.sampled_from(["plans", "direct-01"])), by=by)
        case Act.RENAME:
            return AuditEntry(STAMP, who, act, room="plans", to="ideas", epoch="e1", by=by)
        case _:
            claim = "c" * 64 if act in {Act.APPOINT, Act.ENTRUST} else draw(CLAIMS)
            room = "plans" if act is Act.ENTRUST else ""
            addresses = draw(ADDRESSES) if act in {Act.BAN, Act.UNBAN} else ()
            until = draw(UNTIL) if act in {Act.BAN, Act.MUTE} else 0
            user = draw(NAMES)
            return AuditEntry(
                STAMP,
                who,
                act,
                user=user,
                claim=claim,
                addresses=addresses,
                until=until,
                room=room,
                by=by,
                reason=reason,
            )


@given(entry=entries())
def test_any_audit_entry_is_one_line_and_is_read_back_as_it_was(entry: AuditEntry) -> None:
    line = write_entry(entry)
    assert "\n" not in line
    assert read_entry(line) == entry
    assert all(character.isprintable() for character in line)


@given(done=st.lists(entries(), max_size=12))
def test_the_lines_alone_give_what_is_in_force(done: list[AuditEntry]) -> None:
    moderation, again = ActsInForce(UTC), ActsInForce(UTC)
    for entry in done:
        moderation.apply(entry)
    for line in map(write_entry, done):
        again.apply(read_entry(line))
    assert moderation == again


@given(text=st.text(max_size=60) | st.text('ban user=Boris"\\ until0123456789-TZ:address., ', max_size=60))
def test_any_line_is_understood_or_refused(text: str) -> None:
    for line in (text, f"[{STAMP}] operator: {text}", f"[{STAMP}] operator: ban {text}"):
        try:
            entry = read_entry(line)
        except ValueError:
            continue
        moderation = ActsInForce(UTC)
        moderation.apply(entry)
        assert moderation == moderation  # noqa: PLR0124 - it can be compared


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
        "ban address=192.0.2.0/24",
        "ban address=2001:db8::/48",
        f"ban claim={'A' * 64}",
        "mute user=Boris claim=9f86",
        'ban user="\\ud800"',
        'ban user="Boris',
        "appoint user=Anna",
        "slow seconds=-1",
        "slow room=../etc seconds=3",
        "redact room=main",
        "private",
        "private user=Anna",
        "private room=../etc",
        "entrust user=Anna room=plans",
        "archive",
        "archive room=../etc",
        "delete",
        "rename room=plans",
        "rename room=plans to=../etc",
    ],
)
def test_a_line_that_is_no_audit_entry_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong
        read_entry(f"[{STAMP}] operator: {text}")


@pytest.mark.parametrize(
    ("by_hand", "as_written"),
    [
        ("private room=Plans", "private room=plans"),
        ("private room=ＰＬＡＮＳ", "private room=plans"),
        ("slow room=Dev seconds=30", "slow room=dev seconds=30"),
        ("redact user=Boris room=Dev id=7", "redact user=Boris room=dev id=7"),
        ('ban user=" Bo  ris "', 'ban user="Bo ris"'),
        ("ban address=192.0.2.7/32", "ban address=192.0.2.7"),
        ("ban address=2001:DB8::7", "ban address=2001:db8::/64"),
        ("unban address=::ffff:192.0.2.7", "unban address=192.0.2.7"),
    ],
)
def test_a_line_by_hand_has_the_effect_of_the_one_that_the_server_writes(
    by_hand: str, as_written: str
) -> None:
    assert write_entry(read_entry(f"[{STAMP}] operator: {by_hand}")) == f"[{STAMP}] operator: {as_written}"
