"""Requests, by their parts: what one person's request has sent to another's connections is paid for."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.serve.chat import Chat
from besedka.serve.limits.rate_limits import WRITES_PER_FRAME, RateLimits
from besedka.serve.limits.sources import Sources
from besedka.serve.people.names import claim_of
from besedka.serve.settings import Settings
from besedka.wire.frames import OpenDirect, RoomOpened, ServerFrame
from tests import looping
from tests.serve.faking import services
from tests.serve.session.test_moderation import Comer

CONNECTIONS = 50


class Hearer(Comer):
    """A session that counts what it is sent."""

    received = 0

    def send(self, frame: ServerFrame) -> None:
        assert isinstance(frame, RoomOpened)
        self.received += 1


def test_a_direct_room_is_announced_at_a_price_by_the_connections_that_receive_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        await chat.start()
        limiter = Sources(RateLimits(rate=100)).limiter(Sources(RateLimits()).admit("192.0.2.1"))
        directory, now = chat.directory, chat.clock.now()
        for name in ("Anna", "Boris"):
            directory.names.take(name, claim_of(name), chat.clock.stamp())
        anna = directory.sign_in("Anna", "Anna", "", limiter)
        boris = directory.sign_in("Boris", "Boris", "", limiter)
        hearers = [Hearer(boris) for _ in range(CONNECTIONS)]
        for hearer in hearers:
            directory.sessions.add(hearer)
        limiter.charge_frames(now, 400)  # nothing is left
        await services(chat).requests.answer(OpenDirect("Boris"), anna, limiter)
        assert {hearer.received for hearer in hearers} == {1}
        assert limiter.delay(now) == pytest.approx(CONNECTIONS / WRITES_PER_FRAME / 200)
        await chat.close()

    looping.run(scenario())
