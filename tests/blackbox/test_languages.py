"""Each person reads the server's sentences in their own language, at every door."""

from __future__ import annotations

import urllib.request
from functools import partial
from typing import Any
from urllib.error import HTTPError

import pytest
from websockets.typing import Subprotocol

from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests.calling import TIMEOUT_SECONDS, Caller, Conversing, refusal
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient

NO_ROOM = {"ru": "Комнаты nowhere нет", "en": "There is no room nowhere"}
EMPTY = {"ru": "Сообщение пустое", "en": "The message is empty"}

JOINED = {"ru": "теперь в чате", "en": "joined the chat"}


def notice_of(name: str, client: WireClient) -> str:
    """The next notice with this name; it may have others."""
    while name not in (text := str(client.receive("system")["text"])):
        pass
    return text


@pytest.fixture
def silent(make_server: ServerMaker) -> RunningServer:
    """A server that was not told a language, in an environment that names none."""
    return make_server(grpc=True, LANG="", LC_ALL="", LC_MESSAGES="").start()


@pytest.mark.parametrize(
    ("options", "language"),
    [
        ({}, "en"),
        ({"additional_headers": {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8"}}, "ru"),
        ({"additional_headers": {"Accept-Language": "en, ru;q=0.5"}}, "en"),
        ({"additional_headers": {"Accept-Language": "de, *;q=0.5"}}, "en"),
        ({"subprotocols": [Subprotocol("besedka"), Subprotocol("besedka.lang.ru")]}, "ru"),
        (
            {
                "subprotocols": [Subprotocol("besedka"), Subprotocol("besedka.lang.en")],
                "additional_headers": {"Accept-Language": "ru"},
            },
            "en",
        ),
    ],
)
def test_refusals_answers_and_notices_are_in_the_language_of_the_connection(
    silent: RunningServer, options: dict[str, Any], language: str
) -> None:
    with WireClient(silent, **options) as anna, WireClient(silent) as boris:
        boris.join("Boris", secret="b" * 64)
        anna.join("Anna", secret="a" * 64)
        anna.send_frame("join", user="Anna", room="nowhere", must_exist=True)
        assert anna.receive("error")["text"].startswith(NO_ROOM[language])
        done = anna.ask("block", user="Boris")["text"]
        assert ("Boris" in done, "сообщ" in done) == (True, language == "ru")
        with WireClient(silent) as vera:
            vera.join("Vera")
            assert JOINED[language] in notice_of("Vera", anna)


def test_a_call_says_its_language_in_its_metadata(silent: RunningServer) -> None:
    with Caller(silent) as caller:

        def send(**options: object) -> str:
            request = pb.SendRequest(user="Anna", text="")
            return refusal(lambda: caller.stub.Send(request, timeout=TIMEOUT_SECONDS, **options)).sentence

        assert send().startswith(EMPTY["en"])
        assert send(metadata=(("accept-language", "ru"),)).startswith(EMPTY["ru"])
        stream = Conversing(partial(caller.stub.Converse, metadata=(("accept-language", "ru"),)))
        stream.join("Anna")
        stream.send_frame(say=pb.Say(room="main", text=""))
        assert stream.refused().text.startswith(EMPTY["ru"])
        stream.say_no_more()


def test_a_request_says_its_language_in_its_headers(silent: RunningServer) -> None:
    def download(**headers: str) -> str:
        request = urllib.request.Request(f"{silent.page}history.txt?room=nowhere", headers=headers)  # noqa: S310
        with pytest.raises(HTTPError) as refused:
            urllib.request.urlopen(request)  # noqa: S310 - our own server
        return refused.value.read().decode()

    assert download().startswith(NO_ROOM["en"])
    assert download(**{"Accept-Language": "ru;q=0.1"}).startswith(NO_ROOM["ru"])


@pytest.mark.parametrize(
    ("options", "environment", "seeds", "others"),
    [
        ((), {"LANG": ""}, "ru", "en"),
        ((), {"LANG": "ru_RU.UTF-8"}, "ru", "ru"),
        ((), {"LANG": "ru_RU.UTF-8", "LC_MESSAGES": "C"}, "ru", "en"),
        (("--lang", "en"), {"LANG": "ru_RU.UTF-8"}, "en", "en"),
        (("--lang", "ru"), {"LANG": "en_GB.UTF-8"}, "ru", "ru"),
    ],
)
def test_clients_that_say_no_language_read_the_servers_and_the_seeds_read_russian(
    make_server: ServerMaker, options: tuple[str, ...], environment: dict[str, str], seeds: str, others: str
) -> None:
    plain = {"LC_ALL": "", "LC_MESSAGES": "", **environment}
    server = make_server(*options, **plain).start()
    with WireClient(server, "/") as seed, WireClient(server) as anna:
        seed.send_frame("chat", user="Seed", text="")
        assert seed.receive("error")["text"].startswith(EMPTY[seeds])
        anna.join("Anna")
        assert JOINED[seeds] in notice_of("Anna", seed)
        anna.send_frame("chat", text="")
        assert anna.receive("error")["text"].startswith(EMPTY[others])
