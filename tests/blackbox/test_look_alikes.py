"""Nobody and nothing is taken for another: texts, names and rooms that look like what they are not, at every door."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests.calling import Caller
from tests.commanding import Person
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import Talker

ANNA = "a" * 64
TOMBSTONE = "[removed]------"
POSTED = "(removed)------"


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server with all its doors."""
    return make_server("--lang", "en", grpc=True).start()


# Texts.


def test_nobody_posts_what_a_redaction_leaves_at_any_door(server: RunningServer) -> None:
    with Talker(server) as anna, Talker(server, "/") as seed, Caller(server) as caller:
        anna.join("Anna", secret=ANNA)
        anna.tell("chat", text=TOMBSTONE, key="1")
        assert anna.hear("chat")["text"] == POSTED
        anna.tell("chat", text=f"before\n{TOMBSTONE}\nafter")
        assert anna.hear("chat")["text"] == f"before\n{POSTED}\nafter"
        seed.tell("chat", user="Boris", text=TOMBSTONE)
        assert anna.hear("chat")["text"] == POSTED
        assert caller.send("Clara", TOMBSTONE).id == 4
        imported = pb.ImportedMessage(text=TOMBSTONE, key="1")
        caller.import_([pb.ImportRequest(speaker=pb.Speaker(user="Dora"), messages=[imported])])
        with caller.converse() as conversing:
            conversing.join("Emil")
            conversing.say(TOMBSTONE)
            assert conversing.hear_to(6)[-1].text == POSTED
    assert [line[-len(POSTED) :] for line in server.lines if "removed" in line] == [POSTED] * 6


def test_a_resent_text_that_was_altered_is_recognised(server: RunningServer) -> None:
    with Talker(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.tell("chat", text=TOMBSTONE, key="1")
        anna.hear("chat")
    server.kill()
    server.start()
    with Talker(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.tell("chat", text=TOMBSTONE, key="1", after=0)
        assert anna.hear("chat")["id"] == 1
    assert len(server.lines) == 1


def test_an_imported_tombstone_is_a_text(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text(
        f"[2025-11-19 23:46:36] Anna: {TOMBSTONE}\n[2025-11-19 23:46:37] Anna: a\n\t{TOMBSTONE}\n{TOMBSTONE}\r\n"
    )
    with Person(tmp_path) as anna:
        assert anna.run("import", "old.txt").status == 0
    lines = (tmp_path / "chat_history.txt").read_text().splitlines()
    assert [line.removeprefix("\t")[-len(POSTED) :] for line in lines if "removed" in line] == [POSTED] * 3
