"""Fixtures for the tests of attacks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import ClientMaker
from tests.talking import WireClient


@pytest.fixture
def bystander(make_client: ClientMaker) -> Iterator[WireClient]:
    """A client that posts and receives meanwhile, and must notice nothing: no frame, no wait, no end."""
    client = make_client()
    client.join("Bystander", "quiet")
    assert client.receive()["joined"] == ["Bystander"]
    yield client
    client.send_frame("chat", room="quiet", text="all is well")
    assert client.receive(seconds=30)["text"] == "all is well"
