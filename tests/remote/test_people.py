"""Names, private and direct rooms, moderation, another device: by the client library, over all transports."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from besedka import (
    Act,
    ConnectionFailed,
    Device,
    Expelled,
    JoinRefused,
    Kind,
    OtherPerson,
    ReceivedMessage,
    Redacted,
    RequestRefused,
    RoomOpened,
    SayRefused,
    connect,
    take_device,
)
from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests import looping
from tests.hostile_servers import answering, grpc_server, websocket_server
from tests.ordering import Operator
from tests.remote.conftest import BY_EVERY_WAY
from tests.remote.test_room_client import run, take
from tests.running import RunningServer, free_port

ANNA, BORIS, EVE = "a" * 64, "b" * 64, "e" * 64


def test_a_claimed_name_is_refused_to_others_while_its_holder_is_away_and_keeps_its_spelling(
    url: str,
) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as anna:
            await anna.say("mine")
        for secret in (EVE, ""):
            with pytest.raises(JoinRefused) as refusal:
                async with connect(url, "ANNA", secret=secret):
                    raise AssertionError("she is in")
            assert refusal.value.code == "name_claimed"
        async with connect(url, "anna", secret=ANNA) as again, connect(url, "Guest", secret="") as guest:
            assert again.name == "Anna"
            messages = again.follow()
            await guest.say("whose?")
            old, new = await take(messages, 2)
            assert (old.user, old.is_own, old.is_unverified) == ("Anna", True, False)
            assert (new.user, new.is_own, new.is_unverified) == ("Guest", False, True)
            found = await again.search("whose")
            assert [message.is_unverified for message in found.messages] == [True]

    run(scenario)


def test_a_private_room_is_joined_by_invitation_and_a_removed_member_is_notified(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as main:
            room = await main.private("Plans")
            with pytest.raises(RequestRefused) as refusal:
                await main.private("plans")
            assert refusal.value.code == "room_taken"
            async with connect(url, "Anna", room, secret=ANNA) as anna:
                assert (anna.room, anna.kind, anna.may) == ("plans", Kind.PRIVATE, ["invite"])
                invitation = await anna.invite(uses=1, seconds=60)
                assert (invitation.room, invitation.uses) == ("plans", 1)
                for token, code in (("", "not_invited"), ("x" * 32, "bad_link")):
                    with pytest.raises(JoinRefused) as refused:
                        async with connect(url, "Boris", room, secret=BORIS, invite=token):
                            raise AssertionError("he is in")
                    assert refused.value.code == code
                # The token may also stand in the address.
                async with connect(f"{url}#{room};invite={invitation.token}", "Boris", secret=BORIS) as boris:
                    await anna.say("a cake")
                    assert [message.text for message in await take(boris.follow(), 1)] == ["a cake"]
                async with connect(url, "Boris", room, secret=BORIS) as boris:
                    assert boris.may == []
                    with pytest.raises(RequestRefused) as refusal:
                        await boris.invite()
                    assert refusal.value.code == "not_allowed"
                    # Read first: a removed member receives nothing more, not even what was on its way.
                    messages = boris.follow()
                    await take(messages, 1)
                    await anna.uninvite(user="Boris")
                    with pytest.raises(JoinRefused) as removed:
                        await anext(messages)
                    assert removed.value.code == "not_invited"
                later = await anna.invite()
                await anna.uninvite()
                with pytest.raises(JoinRefused):
                    async with connect(url, "Eve", room, secret=EVE, invite=later.token):
                        raise AssertionError("she is in")

    run(scenario)


def test_a_direct_room_is_announced_to_the_other_person(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as anna, connect(url, "Boris", secret=BORIS) as boris:
            room = await anna.direct("Boris")
            assert await anext(boris.news()) == RoomOpened(room, Kind.DIRECT, "Anna", asked=True)
            assert [entry.asked for entry in await boris.rooms() if entry.kind is Kind.DIRECT] == [1]
            assert await boris.direct("Anna") == room
            async with (
                connect(url, "Anna", room, secret=ANNA) as hers,
                connect(url, "Boris", room, secret=BORIS) as his,
            ):
                assert (hers.kind, hers.peer, his.peer) == (Kind.DIRECT, "Boris", "Anna")
                await hers.say("just you")
                assert [message.text for message in await take(his.follow(), 1)] == ["just you"]
            (entry,) = (entry for entry in await anna.rooms() if entry.kind is Kind.DIRECT)
            assert (entry.name, entry.peer) == (room, "Boris")
            with pytest.raises(RequestRefused) as refusal:
                await anna.direct("Nobody")
            assert refusal.value.code == "no_such_name"
            assert str(refusal.value) == f"{refusal.value.text} (no_such_name)"
            assert refusal.value.retry_after is None
            with pytest.raises(RequestRefused, match=r"Anna is your own \(not_allowed\)"):
                await anna.direct("Anna")

    run(scenario)


def test_a_blocked_person_is_refused_until_they_are_unblocked(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as anna, connect(url, "Boris", secret=BORIS) as boris:
            await anna.block("Boris")
            assert await anna.blocked() == ["Boris"]
            assert await boris.blocked() == []
            with pytest.raises(RequestRefused) as refusal:
                await boris.direct("Anna")
            assert refusal.value.code == "not_accepted"
            await anna.unblock("Boris")
            assert await anna.blocked() == []
            async with connect(url, "Boris", await boris.direct("Anna"), secret=BORIS) as his:
                await his.say("thank you")
                await anna.block("Boris")
                with pytest.raises(SayRefused) as refused:
                    await his.say("and")
                assert refused.value.code == "not_accepted"

    run(scenario)


@BY_EVERY_WAY
def test_another_device_becomes_the_same_person_once(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as anna:
            link = await anna.add_device()
            assert link.user == "Anna"
            device = await take_device(url, link.token, keep=False)
            assert (device.user, device.secret) == ("Anna", ANNA)
            async with connect(url, device.user, secret=device.secret) as phone:
                assert phone.clients_count == 1
            with pytest.raises(RequestRefused) as refusal:
                await take_device(f"{url}#;device={link.token}")
            assert refusal.value.code == "bad_link"
        async with connect(url, "Guest", secret="") as guest:
            with pytest.raises(RequestRefused) as refusal:
                await guest.add_device()
            assert refusal.value.code == "no_secret"

    run(scenario)


def test_only_moderators_moderate(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as anna:
            assert "moderate" not in anna.may
            with pytest.raises(RequestRefused) as refusal:
                await anna.moderate("kick", "Boris", reason="noise")
            assert refusal.value.code == "not_allowed"

    run(scenario)


@pytest.mark.parametrize("options", [("--names", "invited")], ids=["invited"])
def test_an_unknown_person_is_refused_where_only_invited_people_are(url: str) -> None:
    async def scenario() -> None:
        for name in ("Anna", ""):
            with pytest.raises(JoinRefused) as refusal:
                async with connect(url, name, secret=ANNA):
                    raise AssertionError("she is in")
            assert refusal.value.code == "not_known"

    run(scenario)


def test_a_device_cannot_be_taken_where_there_is_no_chat() -> None:
    async def scenario() -> None:
        with pytest.raises(ConnectionFailed, match="cannot reach"):
            await take_device(f"ws://127.0.0.1:{free_port()}", "x")

    run(scenario)


def test_a_moderator_moderates_and_those_concerned_receive_why(chat_server: RunningServer, url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA), connect(url, "Boris", secret=BORIS) as boris:
            with Operator(chat_server) as operator:
                await asyncio.to_thread(operator.do, "appoint", "Anna")
            async with connect(url, "Anna", secret=ANNA) as anna:
                assert anna.may == ["moderate"]
                assert await boris.say("spam") == 1
                await anna.moderate(Act.REDACT, id=1)
                news = await anext(boris.news())
                assert isinstance(news, Redacted)
                assert (news.room, news.id) == ("main", 1)
                assert [message.text for message in await take(boris.follow(), 1)] == [news.text]
                await anna.moderate("mute", "Boris", seconds=60)
                with pytest.raises(SayRefused) as muted:
                    await boris.say("but")
                assert muted.value.code == "muted"
                await anna.moderate("kick", "Boris")
                for ended in (boris.follow(), boris.news()):
                    with pytest.raises(Expelled) as shown_out:
                        await anext(ended)
                    assert shown_out.value.code == "kicked"
                with pytest.raises(Expelled):
                    await boris.say("and")
                async with connect(url, "Boris", secret=BORIS) as again:
                    await anna.moderate("ban", "Boris", reason="too loud")
                    with pytest.raises(Expelled, match="too loud") as banned:
                        await anext(again.news())
                    assert banned.value.code == "banned"
                with pytest.raises(JoinRefused, match="too loud") as refusal:
                    async with connect(url, "Boris", secret=BORIS):
                        raise AssertionError("he is in")
                assert refusal.value.code == "banned"

    run(scenario)


def test_rights_change_while_a_member_is_in(chat_server: RunningServer, url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as anna:
            messages = anna.follow()
            with Operator(chat_server) as operator:
                for act, may in (("appoint", ["moderate"]), ("dismiss", [])):
                    await asyncio.to_thread(operator.do, act, "Anna")
                    await anna.say("what may I do?")
                    await take(messages, 1)
                    assert anna.may == may

    run(scenario)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, where nothing is kept yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


async def said_by(url: str, name: str, secret: str | None = None) -> ReceivedMessage:
    """The message that a person posts after joining."""
    async with connect(url, name, secret=secret) as chat:
        number = await chat.say("it is me")
        async for message in chat.follow():
            if message.id == number:
                return message
    raise AssertionError("it is not heard")


@BY_EVERY_WAY
def test_programs_of_one_home_are_one_person(url: str, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        assert not (await said_by(url, "Anna")).is_unverified
        assert (state / "besedka" / "secret").exists()
        assert not (await said_by(url, "anna")).is_unverified
        async with connect(url, "Anna") as anna:
            room = await anna.private("plans")
        # One who only reads is the same person, too.
        async with connect(url, "", room) as reader:
            assert reader.kind is Kind.PRIVATE
        # Guests and others are not.
        for secret in ("", EVE):
            with pytest.raises(JoinRefused) as refusal:
                await said_by(url, "Anna", secret)
            assert refusal.value.code == "name_claimed"
        monkeypatch.setenv("XDG_STATE_HOME", str(state / "elsewhere"))
        with pytest.raises(JoinRefused):
            await said_by(url, "Anna")

    run(scenario)


def test_where_nothing_can_be_kept_no_name_is_claimed(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
        assert (await said_by(url, "Anna")).is_unverified
        # Nor by a person who has lost their secret.
        assert (await said_by(url, "Anna")).is_unverified

    run(scenario)


def test_a_device_link_makes_all_programs_of_this_home_that_person(url: str, state: Path) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as anna:
            device = await take_device(url, (await anna.add_device()).token)
            assert (device.user, device.secret) == ("Anna", ANNA)
            assert not (await said_by(url, "Anna")).is_unverified
            (kept,) = (state / "besedka").iterdir()
            assert kept.read_text().endswith(f"\tAnna\t{ANNA}\n")

    run(scenario)


@pytest.mark.parametrize("behind", ["#;device=token;name=Bob", ""])
def test_a_device_link_that_promises_another_person_is_not_taken(
    behind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    async def scenario(where: str) -> None:
        with pytest.raises(OtherPerson, match="promises Bob, and is one of Mallory") as error:
            await take_device(f"{where}{behind}", "token", name="" if behind else "Bob")
        assert (error.value.promised, error.value.user) == ("Bob", "Mallory")

    with websocket_server(answering(Device("Mallory", "a secret"))) as where:
        looping.run(scenario(where))
    assert not (tmp_path / "state" / "besedka" / "secrets").exists()


def test_no_field_of_a_frame_over_grpc_is_taken_unchecked() -> None:
    async def scenario(url: str) -> None:
        with pytest.raises(ConnectionFailed, match="`secret` holds control characters"):
            await take_device(url, "token", keep=False)

    device = pb.Device(user="Anna", secret="x\ny")
    with grpc_server(pb.ConverseResponse(device=device)) as url:
        looping.run(scenario(url))


def test_how_far_a_person_has_read_follows_them_to_their_other_programs_and_to_nobody_else(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Boris", secret=BORIS) as boris, connect(url, "Guest", secret="") as guest:
            for number in range(5):
                await boris.say(f"message {number}")
            async with connect(url, "Anna", secret=ANNA) as anna, connect(url, "Anna", secret=ANNA) as other:
                assert anna.read_up_to == 0
                anna.mark_read(2)
                assert anna.read_up_to == 2
                await looping.until(lambda: other.read_up_to == 2)
                # One waits for its turn, and is sent before the room is left.
                anna.mark_read(3)
                await anna.leave()
                await looping.until(lambda: other.read_up_to == 3)
                other.mark_read(1)
                assert other.read_up_to == 3
                for number in (0, 6):
                    with pytest.raises(ValueError, match=f"no message {number}"):
                        other.mark_read(number)
                other.mark_read(4)
                other.mark_read(5)
            async with connect(url, "", secret=ANNA) as reader:
                assert reader.read_up_to == 5
                await boris.say("one more")
                assert (await take(reader.follow(), 6))[-1].id == 6
                reader.mark_read(6)
                await reader.rooms()
            async with connect(url, "Anna", secret=ANNA) as again:
                assert again.read_up_to == 5
            guest.mark_read(3)
            assert guest.read_up_to is None
            assert boris.read_up_to == 0

    run(scenario)
