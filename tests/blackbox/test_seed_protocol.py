"""``/`` from outside: the first version's clients find what they know."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import websockets

from tests import looping
from tests.conftest import ClientMaker, ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient


class SeedClient:
    """Behaves as the client program of the seed does: says who it is in each message, prints what it hears."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.printed: list[str] = []

    async def run(self, url: str, texts: list[str], until: asyncio.Event) -> None:
        async with websockets.connect(url) as socket:
            listening = asyncio.create_task(self._listen(socket))
            for text in texts:
                await socket.send(json.dumps(self._message(text)))
            await until.wait()
            listening.cancel()

    def _message(self, text: str) -> dict[str, str]:
        return {"type": "chat", "user": self.user, "text": text, "timestamp": "12:00:00"}

    async def _listen(self, socket: Any) -> None:
        async for data in socket:
            frame = json.loads(data)
            if frame.get("type") == "system":
                self.printed.append(f"{frame['text']} ({frame.get('clients_count', 0)})")
            elif frame.get("type") == "error":
                self.printed.append(f"error: {frame['text']}")
            else:
                self.printed.append(
                    f"[{frame.get('timestamp', '')}] {frame.get('user', '')}: {frame.get('text', '')}"
                )


def test_two_of_the_seeds_clients_talk(make_server: ServerMaker) -> None:
    server = make_server().start()

    async def talk() -> tuple[SeedClient, SeedClient]:
        done = asyncio.Event()
        anna, boris = SeedClient("Anna"), SeedClient("Борис")
        running = asyncio.gather(
            anna.run(server.url("/"), ["Hello"], done), boris.run(server.url("/"), ["Привет"], done)
        )
        await looping.until(lambda: all(map(has_heard_all, (anna, boris))))
        done.set()
        await running
        return anna, boris

    def has_heard_all(client: SeedClient) -> bool:
        texts = {line.rsplit(": ", 1)[-1] for line in client.printed}
        return {"Hello", "Привет"} <= texts and any(line.endswith("(2)") for line in client.printed)

    anna, boris = looping.run(talk())
    # One by one, or both in one notice if they came within a quarter of a second.
    notices = {line for line in anna.printed + boris.printed if line.startswith("Нов")}
    assert notices & {"Новый пользователь присоединился к чату (2)", "Новых пользователей в чате: 2 (2)"}
    assert not any(line.startswith("error") for line in anna.printed + boris.printed)


def test_comings_and_goings_have_the_seeds_words_and_number(make_server: ServerMaker) -> None:
    server = make_server().start()
    with WireClient(server, "/") as first:
        came = first.receive()
        assert (came["type"], came["user"]) == ("system", "System")
        assert (came["text"], came["clients_count"]) == ("Новый пользователь присоединился к чату", 1)
        with WireClient(server, "/"):
            assert first.receive("system")["clients_count"] == 2
        went = first.receive("system")
        assert (went["text"], went["clients_count"]) == ("Пользователь покинул чат", 1)


def test_the_history_comes_at_once_and_first_if_there_is_any(
    server: RunningServer, make_client: ClientMaker
) -> None:
    empty = make_client("/")
    assert empty.receive()["type"] == "system"
    for number in range(12):
        empty.send_frame("chat", user="Anna", text=f"message {number}")
        empty.receive("chat")
    history = make_client("/").receive()
    assert history["type"] == "history"
    assert history["messages"] == server.lines[-10:]
    # The seed's terminal client shows any frame as a message.
    assert (history["user"], history["text"]) == ("System", "\n" + "\n".join(server.lines[-10:]))


def test_bad_json_gets_the_seeds_error(make_server: ServerMaker) -> None:
    server = make_server().start()
    with WireClient(server, "/") as anna:
        anna.send("{nonsense")
        error = anna.receive("error")
        assert error["text"] == "Ошибка формата сообщения"
        anna.send_frame("chat", user="Anna", text="still here")
        assert anna.receive("chat")["text"] == "still here"


def test_both_protocols_share_one_room_and_one_encoding(make_client: ClientMaker) -> None:
    old, new = make_client("/"), make_client()
    new.join("Anna")
    old.send_frame("chat", user="Борис", text="привет")
    assert old.receive("chat") == new.receive("chat")
    new.send_frame("typing", room="main")
    new.send_frame("chat", text="hello")
    heard = old.receive_until(lambda frame: frame["type"] == "chat")
    assert "typing" not in {frame["type"] for frame in heard}


def test_a_name_that_is_in_use_is_refused_here_too(make_client: ClientMaker) -> None:
    old, new = make_client("/"), make_client()
    new.join("Anna")
    old.send_frame("chat", user="Anna", text="I am Anna")
    assert old.receive("error")["code"] == "name_taken"
    old.send_frame("chat", user="Boris", text="I am Boris")
    assert old.receive("chat")["user"] == "Boris"
    new.send_frame("join", user="Boris", room="other")
    assert new.receive("error")["code"] == "name_taken"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": "no user"}, "bad_frame"),
        ({"user": "Anna"}, "bad_frame"),
        ({"user": 1, "text": "x"}, "bad_frame"),
        ({"user": "", "text": "x"}, "bad_name"),
        ({"user": "Sуstem", "text": "x"}, "name_reserved"),
        ({"user": "Anna", "text": "  "}, "empty_text"),
        ({"user": "Anna", "text": "x" * 5001}, "text_too_long"),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_reason(
    make_client: ClientMaker, fields: dict[str, object], code: str
) -> None:
    anna = make_client("/")
    anna.send_frame("chat", **fields)
    refusal = anna.receive("error")
    assert refusal["code"] == code
    assert refusal["text"]
    assert refusal["timestamp"]
