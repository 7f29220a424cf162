"""How a server is put together."""

from __future__ import annotations

import socket

import pytest

from besedka.serve.server import _hosts
from besedka.serve.settings import Settings


@pytest.mark.parametrize(("address", "is_seen"), [("127.0.0.1", False), ("0.0.0.0", True)])  # noqa: S104 - nobody is answered
def test_a_machine_is_asked_for_by_its_own_name_where_others_can_ask(
    address: str, is_seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "office.evil.example")
    with socket.socket() as listener:
        listener.bind((address, 0))
        hosts = _hosts(Settings(public_hosts=("chat.example",)), listener)
    known = ["office", "office.local:8765"] if is_seen else []
    names = ["office", "office.local:8765", "office.evil.example", "evil.example"]
    assert [name for name in names if hosts.know(name)] == known
    assert hosts.know("chat.example")
