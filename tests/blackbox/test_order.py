"""Moderation, from outside: the rights of each role, and the effect of each act at every door."""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from websockets.frames import Frame, Opcode

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.history.verifying.verdict import judge
from tests.calling import Caller, many, refusal, speaker
from tests.clocks import BENT
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer, fetch
from tests.talking import WireClient

SECRETS = {name: f"{name}'s secret" for name in ("Anna", "Boris", "Vera")}


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server with gRPC."""
    return make_server("--lang", "en", grpc=True).start()


@pytest.fixture
def operator(server: RunningServer) -> Iterator[Operator]:
    """The operator."""
    with Operator(server) as made:
        yield made


def come(server: RunningServer, name: str, **fields: Any) -> WireClient:
    client = WireClient(server)
    client.join(name, secret=SECRETS.get(name, ""), **fields)
    return client


def audit(server: RunningServer) -> list[str]:
    return (server.directory / "audit.txt").read_text("utf-8").splitlines()


def moderate(client: WireClient, act: str, user: str = "", **fields: object) -> dict[str, Any]:
    """Ask for something, and hear the answer, past all else."""
    client.send_frame("moderate", act=act, user=user, key="m", **fields)
    frames = client.receive_until(lambda frame: frame.get("key") == "m")
    return frames[-1]


def test_a_moderator_keeps_order_and_the_operators_moderators_are_safe_from_others(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Anna") as anna, come(server, "Vera") as vera, come(server, "Boris") as boris:
        assert moderate(anna, "mute", "Boris")["code"] == "not_allowed"
        assert operator.do("appoint", "Anna") == "Anna is now a moderator"
        operator.do("appoint", "Vera")
        for act in ("kick", "mute", "ban"):
            assert moderate(anna, act, "Vera")["code"] == "not_allowed"
        for act in ("appoint", "dismiss", "admit", "release"):
            assert moderate(anna, act, "Boris")["code"] == "not_allowed"
        assert moderate(anna, "mute", "Boris", reason="enough")["text"] == "Boris is muted until it is lifted"
        boris.send_frame("chat", text="I am not", key="b1")
        error = boris.receive("error")
        assert (error["code"], error["key"]) == ("muted", "b1")
        assert "until it is lifted: enough" in error["text"]
        anna.send_frame("chat", text="hello", key="a1")
        assert boris.receive("chat")["text"] == "hello"
        moderate(anna, "unmute", "Boris")
        boris.send_frame("chat", text="thank you", key="b2")
        assert boris.receive("chat")["text"] == "thank you"
        operator.do("dismiss", "Anna")
        assert moderate(anna, "mute", "Boris")["code"] == "not_allowed"
        vera.close()
    with WireClient(server) as again:
        assert again.join("Vera", secret=SECRETS["Vera"])["may"] == ["moderate"]
    with WireClient(server) as again:
        assert "may" not in again.join("Anna", secret=SECRETS["Anna"])
    acts = [re.sub(r"^\[.*?\] | (by|claim)=[0-9a-f]{64}", "", line) for line in audit(server)]
    assert acts == [
        "operator: appoint user=Anna",
        "operator: appoint user=Vera",
        "Anna: mute user=Boris reason=enough",
        "Anna: unmute user=Boris",
        "operator: dismiss user=Anna",
    ]
    assert "by=" in audit(server)[2]
    assert "by=" not in audit(server)[0]


def test_a_moderator_restricts_only_who_is_known_or_was_just_there(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Anna") as anna, come(server, "Boris"), WireClient(server, "/") as guest:
        operator.do("appoint", "Anna")
        guest.send_frame("chat", user="Egor", text="and gone")
        guest.receive("chat")
        guest.close()
        for act in ("mute", "ban"):
            refusal = moderate(anna, act, "Nobody")
            assert (refusal["code"], refusal["key"]) == ("no_such_name", "m")
        assert moderate(anna, "mute", "Egor")["text"] == "Egor is muted until it is lifted"
        assert moderate(anna, "ban", "192.0.2.77")["text"] == "192.0.2.77 is banned until it is lifted"
        # The operator may keep a name out that nobody has yet.
        assert operator.do("ban", "Spammer") == "Spammer is banned until it is lifted"
    with come(server, "Anna") as anna:
        assert moderate(anna, "mute", "Boris")["text"] == "Boris is muted until it is lifted"
    assert not [line for line in audit(server) if "Nobody" in line]


def test_a_kick_ends_all_connections_of_one_person_at_every_door(
    server: RunningServer, operator: Operator
) -> None:
    with (
        come(server, "Boris") as boris,
        come(server, "Boris", room="dev") as also_boris,
        come(server, "Anna") as anna,
        Caller(server) as caller,
        caller.converse() as conversing,
        WireClient(server, "/") as seed,
    ):
        conversing.join("Boris", secret=SECRETS["Boris"])
        seed.send_frame("chat", user="Egor", text="by the seed")
        seed.receive("chat")
        started = time.monotonic()
        operator.do("kick", "BORIS", reason="noise")
        assert boris.ending() == also_boris.ending() == (4004, "you were disconnected by a moderator")
        ending = conversing.ending()
        assert (ending.code, ending.reason) == (grpc.StatusCode.PERMISSION_DENIED, "not_allowed")
        assert "you were disconnected by a moderator" in ending.sentence
        operator.do("kick", "Egor")
        assert seed.ending() == (4004, "you were disconnected by a moderator")
        assert time.monotonic() - started < 2
        anna.receive_until(lambda frame: frame["type"] == "system" and frame["left"] == ["Boris"])
        assert operator.ask("kick", "Boris")["code"] == "not_allowed"
    come(server, "Boris").close()  # a kick is no ban


def test_who_is_shown_out_is_not_heard_any_more_though_he_does_not_answer_the_close(
    server: RunningServer, operator: Operator
) -> None:
    def frame(**fields: object) -> bytes:
        return Frame(Opcode.TEXT, json.dumps(fields).encode()).serialize(mask=True)

    handshake = (
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as boris,
        come(server, "Anna") as anna,
    ):
        boris.sendall(handshake.encode() + frame(type="join", user="Boris"))
        anna.receive_until(lambda word: word["type"] == "system" and "Boris" in word["joined"])
        operator.do("kick", "Boris")
        # Boris is gone at once for the others, whatever Boris's connection does.
        anna.receive_until(lambda word: word["type"] == "system" and word["left"] == ["Boris"])
        boris.sendall(frame(type="join", user="Boris") + frame(type="chat", text="still here"))
        anna.send_frame("chat", text="quiet", key="a1")
        anna.receive_until(lambda word: word.get("key") == "a1")
        assert not any("still here" in line for line in server.lines)


def test_a_ban_shuts_a_name_all_that_looks_like_it_and_its_holder_out(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Boris") as boris, Caller(server) as caller:
        assert operator.do("ban", "Boris", seconds=3600, reason="spam").startswith("Boris is banned until 20")
        assert boris.receive("error")["code"] == "banned"
        assert boris.ending() == (4005, "you are banned")
        for name, secret in (("Boris", "Boris"), ("В0ris", ""), ("Vasya", "Boris")):
            with WireClient(server) as again:
                again.send_frame("join", user=name, secret=SECRETS.get(secret, ""))
                error = again.receive("error")
                assert error["code"] == "banned"
                assert ": spam" in error["text"]
                assert again.ending()[0] == 4005
        with WireClient(server, "/") as seed:
            seed.send_frame("chat", user="Boris", text="by the seed")
            assert "spam" in seed.receive("error")["text"]
            assert seed.ending()[0] == 4005
        secret = SECRETS["Boris"]
        calls = (
            lambda: caller.send("Boris", "by a call", secret=secret),
            lambda: caller.import_([speaker("Boris", secret=secret), *many(["a", "b"])]),
            lambda: caller.messages(secret=secret),
            lambda: caller.search("a", secret=secret),
            lambda: caller.follow(secret=secret).started(),
        )
        for call in calls:
            ending = refusal(call)
            assert (ending.code, ending.reason) == (grpc.StatusCode.PERMISSION_DENIED, "banned")
        server.stop()
        server.start()
        with WireClient(server) as again:
            again.send_frame("join", user="Boris", secret=secret)
            assert again.receive("error")["code"] == "banned"
    with Operator(server) as operator_again:
        assert operator_again.ask("unban", "Egor")["code"] == "not_allowed"
        operator_again.do("unban", "boris")
    come(server, "Boris").close()
    assert server.lines == []


def test_a_ban_by_address_is_at_the_door_and_a_ban_by_name_takes_the_addresses(
    tmp_path: Path,
) -> None:
    server = RunningServer(tmp_path, "--lang", "en", module=BENT, OWN_ADDRESS="127.0.0.1", grpc=True).start()
    try:
        with (
            Operator(server) as operator,
            WireClient(server, source_address=("127.0.0.2", 0)) as boris,
            WireClient(server, source_address=("127.0.0.2", 0)) as neighbour,
            WireClient(server, source_address=("127.0.0.3", 0)) as reader,
            WireClient(server, source_address=("127.0.0.4", 0)) as anna,
            WireClient(server, source_address=("127.0.0.4", 0)) as egor,
            WireClient(server) as here,
        ):
            boris.join("Boris")
            neighbour.join("Neighbour")
            reader.join(None)
            anna.join("Anna", secret=SECRETS["Anna"])
            egor.join("Egor")
            here.join("Here")
            operator.do("appoint", "Anna")
            operator.do("ban", "Boris")
            assert boris.ending()[0] == neighbour.ending()[0] == 4005
            # A page cannot read why a handshake is refused: so it is not.
            for path in ("/ws", "/"):
                with WireClient(server, path, source_address=("127.0.0.2", 0)) as again:
                    assert "You are banned" in again.receive()["text"]
                    assert again.ending() == (4005, "you are banned")
            operator.do("ban", "127.0.0.3")
            assert reader.ending()[0] == 4005
            # From where a moderator is here nobody else is shut out with somebody, nor is the server's own machine.
            operator.do("ban", "Egor")
            assert egor.ending()[0] == 4005
            operator.do("ban", "Here")
            assert here.ending()[0] == 4005
            WireClient(server, source_address=("127.0.0.4", 0)).close()
            WireClient(server).close()
            assert moderate(anna, "ban", "127.0.0.4")["code"] == "not_allowed"
            operator.do("unban", "Boris")
            WireClient(server, source_address=("127.0.0.2", 0)).close()
            operator.do("unban", "127.0.0.3")
            WireClient(server, source_address=("127.0.0.3", 0)).close()
            assert [line for line in audit(server) if "address=127.0.0.2" in line]
    finally:
        server.close()
    assert "Traceback" not in server.errors


def test_calls_and_downloads_from_a_banned_address_are_refused(tmp_path: Path) -> None:
    server = RunningServer(tmp_path, "--lang", "en", module=BENT, grpc=True, OWN_ADDRESS="none").start()
    try:
        with Operator(server) as operator, Caller(server) as caller:
            with caller.follow() as following:
                following.started()
                assert operator.do("ban", "127.0.0.1")
                ending = refusal(lambda: [following.receive() for _ in range(3)])
                assert (ending.code, ending.reason) == (grpc.StatusCode.PERMISSION_DENIED, "banned")
            for call in (caller.rooms, caller.messages, lambda: caller.send("Egor", "x")):
                assert refusal(call).reason == "banned"
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"http://127.0.0.1:{server.port}/history.txt")
            assert refused.value.code == 403
            refused.value.close()
    finally:
        server.close()


def test_without_the_access_key_a_banned_address_does_not_learn_of_the_ban(tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text(f"{'k' * 32}\n")
    keys.chmod(0o600)
    server = RunningServer(
        tmp_path, "--lang", "en", "--key-file", str(keys), "--behind-proxy", "127.0.0.1"
    ).start()
    banned = {"X-Forwarded-For": "203.0.113.9"}
    try:
        with Operator(server) as operator:
            operator.do("ban", "203.0.113.9", reason="stole the till")
        for headers in (banned, {"X-Forwarded-For": "203.0.113.10"}):
            with WireClient(server, additional_headers=headers) as stranger:
                assert stranger.ending() == (4003, "an access key is needed")
            assert fetch(server, "/history.txt", headers)[0] == 401
        with_key = {**banned, "Authorization": f"Bearer {'k' * 32}"}
        with WireClient(server, additional_headers=with_key) as known:
            assert known.receive("error")["text"].endswith("stole the till)")
            assert known.ending() == (4005, "you are banned")
        assert fetch(server, "/history.txt", with_key)[0] == 403
    finally:
        server.close()


def test_a_ban_and_a_kick_end_imports_and_downloads_that_run(server: RunningServer) -> None:
    server.stop()
    line = f"[2026-01-01 00:00:00] Anna: {'x' * 4_000}\n"
    server.history.write_text(line * 4_000)
    server.start()
    secret = SECRETS["Boris"]
    with Operator(server) as operator_now, Caller(server) as caller, come(server, "Vera") as vera:
        for act in ("kick", "ban"):
            held = SimpleQueue[pb.ImportRequest | None]()
            held.put(speaker("Boris", secret=secret))
            importing = caller.stub.Import.future(iter(held.get, None))
            held.put(next(iter(many([f"before the {act}"]))))
            vera.receive_until(lambda frame: frame.get("text") == f"before the {act}")  # noqa: B023 - heard at once
            with download(server, secret) as reading:
                started = time.monotonic()
                operator_now.do(act, "Boris")
                ended = refusal(importing.result)
                assert ended.code is grpc.StatusCode.PERMISSION_DENIED
                assert time.monotonic() - started < 2
                held.put(next(iter(many([f"after the {act}"]))))
                held.put(None)
                assert rest(reading) < server.history.stat().st_size / 2
    assert [text for text in server.lines if "the " in text and "after" in text] == []


@contextmanager
def download(server: RunningServer, secret: str) -> Iterator[socket.socket]:
    """A download of which only the beginning has been read."""
    with socket.socket() as reading:
        reading.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reading.settimeout(60)
        reading.connect(("127.0.0.1", server.port))
        request = f"GET /history.txt HTTP/1.1\r\nHost: localhost\r\nBesedka-Secret: {secret}\r\n\r\n"
        reading.sendall(request.encode())
        assert reading.recv(16).startswith(b"HTTP/1.1 200")
        yield reading


def rest(reading: socket.socket) -> int:
    size = 0
    with suppress(ConnectionResetError):
        while more := reading.recv(1 << 20):
            size += len(more)
    return size


def test_what_was_stored_is_known_again_by_one_who_may_not_talk_any_more(server: RunningServer) -> None:
    with come(server, "Boris") as boris:
        boris.send_frame("chat", text="stored, and not heard", key="b1")
        boris.receive("chat")
    server.kill()
    server.start()
    with Operator(server) as operator_now, Caller(server) as caller:
        operator_now.do("mute", "Boris")
        operator_now.do("slow", seconds=600)
        secret = SECRETS["Boris"]
        again = caller.send("Boris", "stored, and not heard", key="b1", after=0, secret=secret)
        assert again.id == 1
        server.kill()
        server.start()
    with come(server, "Boris") as boris:
        boris.send_frame("chat", text="stored, and not heard", key="b1", after=0)
        assert boris.receive_until(lambda frame: frame.get("key") == "b1")[-1]["id"] == 1
        boris.send_frame("chat", text="something new", key="b2", after=0)
        assert boris.receive("error")["code"] == "muted"
    assert len(server.lines) == 1


def test_typing_of_a_muted_person_is_not_broadcast(server: RunningServer, operator: Operator) -> None:
    with come(server, "Boris") as boris, come(server, "Vera") as vera, come(server, "Anna") as anna:
        operator.do("mute", "Boris")
        boris.send_frame("typing")
        assert boris.ask("rooms")["rooms"]
        anna.send_frame("typing")
        assert vera.receive("typing")["user"] == "Anna"


def test_a_moderator_who_came_without_a_name_is_noted_by_the_one_he_holds(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Anna"), come(server, "Boris"), WireClient(server) as nameless:
        operator.do("appoint", "Anna")
        nameless.join(None, secret=SECRETS["Anna"])
        assert moderate(nameless, "mute", "Boris")["type"] == "done"
        operator.do("release", "Anna")
        assert moderate(nameless, "mute", "Boris")["code"] == "no_name"
    assert "] Anna: mute user=Boris" in audit(server)[1]
    server.kill()
    server.start()
    with come(server, "Boris") as boris:
        assert boris.refused("chat", text="still muted") == "muted"


def test_a_name_that_a_moderator_has_lost_protects_nobody_else(
    server: RunningServer, operator: Operator
) -> None:
    come(server, "Anna").close()
    operator.do("appoint", "Anna")
    with come(server, "Vera") as vera, WireClient(server) as other:
        operator.do("appoint", "Vera")
        operator.do("release", "Anna")
        assert moderate(vera, "mute", "Anna")["code"] == "not_allowed"  # nobody has claimed it
        other.join("Anna", secret="another one's")
        assert moderate(vera, "mute", "Anna")["type"] == "done"


def test_mutes_hold_at_every_door_and_reading_goes_on(server: RunningServer, operator: Operator) -> None:
    operator.do("mute", "Boris", seconds=3600)
    operator.do("mute", "Egor")
    with come(server, "Boris") as boris, WireClient(server, "/") as seed, Caller(server) as caller:
        boris.send_frame("chat", text="x")
        assert boris.receive("error")["code"] == "muted"
        boris.close()
        seed.send_frame("chat", user="Еgоr", text="x")  # not all of its letters are Latin
        assert "You are muted" in seed.receive("error")["text"]
        seed.send_frame("chat", user="Vera", text="hello")
        assert seed.receive("chat")["text"] == "hello"
        secret = SECRETS["Boris"]
        assert refusal(lambda: caller.send("Boris", "x", secret=secret)).reason == "muted"
        imported = refusal(lambda: caller.import_([speaker("Boris", secret=secret), *many(["a", "b"])]))
        assert (imported.reason, imported.fields) == ("muted", ["messages[0]"])
        assert [message.text for message in caller.messages(secret=secret).messages] == ["hello"]
    assert [line.partition("] ")[2] for line in server.lines] == ["Vera: hello"]


def test_in_a_slow_room_each_says_one_message_in_so_many_seconds(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Anna") as anna, come(server, "Boris") as boris, Caller(server) as caller:
        operator.do("appoint", "Anna")
        assert (
            operator.do("slow", room="main", seconds=600)
            == "main: slow mode, one message per person every 600 seconds"
        )
        boris.send_frame("chat", text="", key="empty")
        assert boris.receive("error")["code"] == "empty_text"
        boris.send_frame("chat", text="0", key="b0")
        assert boris.receive("chat")["key"] == "b0"
        for number in (1, 2):
            boris.send_frame("chat", text=f"{number}", key=f"b{number}")
        errors = [boris.receive("error") for _ in range(2)]
        assert [error["code"] for error in errors] == ["too_fast"] * 2
        assert 590 < errors[0]["retry_after"] <= 600
        # What is known is known, however slow the room is.
        boris.send_frame("chat", text="0", key="b0")
        assert boris.receive("chat")["id"] == 1
        ending = refusal(lambda: caller.send("Boris", "x", secret=SECRETS["Boris"]))
        assert (ending.reason, ending.retry_seconds > 500) == ("too_fast", True)
        for number in range(3):
            anna.send_frame("chat", text=f"order {number}", key=f"a{number}")
        anna.receive_until(lambda frame: frame.get("key") == "a2")
        operator.do("slow", seconds=0)
        boris.send_frame("chat", text="1", key="b1")
        assert boris.receive_until(lambda frame: frame.get("key") == "b1")[-1]["type"] == "chat"
        boris.send_frame("chat", text="2", key="b2")
        assert boris.receive_until(lambda frame: frame.get("key") == "b2")[-1]["type"] == "chat"


def test_a_redacted_text_is_gone_for_all_readers_and_stays_gone(
    server: RunningServer, operator: Operator
) -> None:
    with (
        come(server, "Anna") as anna,
        come(server, "Boris") as boris,
        WireClient(server, "/") as seed,
        Caller(server) as caller,
        caller.follow() as following,
        caller.converse() as conversing,
    ):
        operator.do("appoint", "Anna")
        seed.receive("system")
        conversing.join("Vera", secret=SECRETS["Vera"])
        following.started()
        boris.send_frame("chat", text="my password is swordfish", key="b1")
        for client in (anna, boris, seed):
            client.receive("chat")
        conversing.receive("messages")
        following.receive_to(1)
        assert moderate(anna, "redact", id=1)["text"] == "main: message 1 was removed"
        tombstone = "[removed]" + "-" * 15
        expected = {"type": "redacted", "room": "main", "id": 1, "text": tombstone}
        assert boris.receive("redacted") == expected
        received = pb.Redacted(room="main", id=1, text=tombstone)
        assert conversing.receive("redacted").redacted == received
        response = following.receive()
        while response.WhichOneof("event") != "redacted":
            response = following.receive()
        assert response.redacted == received
        # Said again under the same key, it does not come back.
        boris.send_frame("chat", text="my password is swordfish", key="b1")
        assert boris.receive("chat")["text"] == tombstone
        seed.send_frame("chat", user="Egor", text="and the seed's clients")
        assert [seed.receive()["type"] for _ in range(1)] == ["chat"]
        assert anna.search("swordfish")["messages"] == []
        assert caller.messages().messages[0].text == tombstone
        assert moderate(anna, "redact", id=9)["code"] == "bad_cursor"
        assert moderate(anna, "redact", id=1)["type"] == "done"
    with WireClient(server) as late:
        late.join("Late")
        assert late.receive("history")["messages"][0].endswith(f"Boris: {tombstone}")
    assert "swordfish" not in server.history.read_text() + "".join(audit(server))
    assert server.stop() == 0
    assert judge(server.history).confirmation
    server.start()
    with WireClient(server) as again:
        # Nor after a restart, when keys are forgotten.
        again.join("Boris", secret=SECRETS["Boris"])
        again.receive("history")
        again.send_frame("chat", text="my password is swordfish", key="b1", after=0)
        heard = again.receive("chat")
        assert (heard["id"], heard["text"]) == (1, tombstone)
    assert len(server.lines) == 2


def test_a_moderators_message_is_redacted_by_himself_and_by_the_operator_only(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Anna") as anna, come(server, "Vera") as vera:
        operator.do("appoint", "Anna")
        operator.do("appoint", "Vera")
        for number in range(2):
            vera.send_frame("chat", text=f"{number}", key=f"v{number}")
        vera.receive_until(lambda frame: frame.get("key") == "v1")
        assert moderate(anna, "redact", id=1)["code"] == "not_allowed"
        assert moderate(vera, "redact", id=1)["type"] == "done"
        operator.do("redact", id=2)
    assert [line[-3:] for line in server.lines] == [": -"] * 2


def test_a_moderator_acts_over_grpc_as_well(server: RunningServer, operator: Operator) -> None:
    with come(server, "Boris") as boris, Caller(server) as caller, caller.converse() as conversing:
        conversing.join("Anna", secret=SECRETS["Anna"])
        operator.do("appoint", "Anna")
        conversing.send_frame(moderate=pb.Moderate(act=pb.ACT_BAN, user="Boris", seconds=60, key="g"))
        assert conversing.receive("done").done.key == "g"
        assert boris.ending()[0] == 4005


def test_edits_by_hand_count_and_lines_that_are_not_understood_are_reported(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en")
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    (server.directory / "audit.txt").write_text(
        "# who may not come in\n"
        f'[2026-11-20 17:00:00] Anna at the desk: ban user=Boris until={until} reason="spam, and more"\n'
        "[2026-11-20 17:00:00] operator: ban user=Egor until=2001-01-01T00:00:00Z\n"
        "\n"
        "[2026-11-20 17:00:00] operator: bann user=Vera\n"
        "what is this\n"
        "[2026-11-20 17:00:00] operator: ban user=To"
    )
    server.start()
    with WireClient(server) as boris:
        boris.send_frame("join", user="Boris")
        assert "spam, and more" in boris.receive("error")["text"]
    for name in ("Egor", "Vera", "To"):
        come(server, name).close()
    assert re.search(r"audit.txt: not understood, and without effect, in lines: 5, 6\n", server.errors)
    assert re.search(
        r"audit.txt: its end was torn, and is cut off, .*kept in .*audit.txt.torn-.*user=To'", server.errors
    )


def test_two_servers_do_not_share_a_folder(make_server: ServerMaker, tmp_path: Path) -> None:
    server = make_server().start()
    second = RunningServer(tmp_path, "--history", "other.txt")
    with pytest.raises(AssertionError, match=f"in use by process {server.pid}; a second server needs"):
        second.start()
    second.wait()
    (tmp_path / "people").mkdir()
    third = RunningServer(tmp_path, "--history", "third.txt", "--people", "people")
    third.start()
    third.close()


def test_who_is_here_learns_at_once_that_he_keeps_order_and_that_he_does_not_any_more(
    server: RunningServer, operator: Operator
) -> None:
    with come(server, "Anna") as anna, come(server, "Boris") as boris:
        anna.join("Anna", "dev", secret=SECRETS["Anna"])
        operator.do("appoint", "Anna")
        received = [anna.receive("rights") for _ in range(2)]
        assert {(one["room"], *one["may"]) for one in received} == {("main", "moderate"), ("dev", "moderate")}
        operator.do("dismiss", "Anna")
        assert anna.receive("rights")["may"] == []
        boris.send_frame("chat", text="nobody told me")
        assert boris.receive("chat")["text"] == "nobody told me"


def test_a_disconnected_user_gets_the_reason(server: RunningServer, operator: Operator) -> None:
    with come(server, "Boris") as boris:
        operator.do("kick", "Boris", reason="too loud")
        assert boris.receive("error")["text"].endswith("you were disconnected by a moderator: too loud")
        assert boris.ending()[0] == 4004


def test_nobody_does_anything_to_himself(server: RunningServer, operator: Operator) -> None:
    with come(server, "Anna") as anna:
        operator.do("appoint", "Anna")
        operator.do("mute", "Anna")
        for act in ("unmute", "kick", "ban", "mute"):
            assert moderate(anna, act, "anna")["code"] == "not_allowed"


def test_a_ban_by_name_leaves_the_address_to_others_who_have_shown_who_they_are(
    make_server: ServerMaker,
) -> None:
    server = make_server("--lang", "en", module=BENT, OWN_ADDRESS="127.0.0.1").start()
    with (
        Operator(server) as operator,
        WireClient(server, source_address=("127.0.0.5", 0)) as boris,
        WireClient(server, source_address=("127.0.0.5", 0)) as vera,
    ):
        boris.join("Boris", secret=SECRETS["Boris"])
        vera.join("Vera", secret=SECRETS["Vera"])
        operator.do("ban", "Boris")
        assert boris.ending()[0] == 4005
        vera.send_frame("chat", text="still here")
        assert vera.receive("chat")["text"] == "still here"
        assert "address=" not in audit(server)[-1]
