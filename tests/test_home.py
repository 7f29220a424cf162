"""What is kept for a person at home."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from besedka import home


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    secret = home.own_secret()
    assert len(bytes.fromhex(secret)) == 32
    assert home.own_secret() == secret
    path = tmp_path / "state" / "besedka" / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["secret"]


def test_where_nothing_can_be_kept_there_is_a_secret_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert len(home.own_secret()) == 64
    assert home.own_secret() != home.own_secret()


def test_a_file_that_is_there_is_replaced_as_a_whole_or_left(tmp_path: Path) -> None:
    path = tmp_path / "words"
    home.write_private(path, "one")
    home.write_private(path, "two")
    home.write_private(path, "three", replace=False)
    assert path.read_text() == "two"
    assert [file.name for file in tmp_path.iterdir()] == ["words"]


def test_settings_are_where_the_manual_says(tmp_path: Path) -> None:
    assert home.config_file() == tmp_path / "config" / "besedka" / "config.toml"


def test_the_key_of_a_server_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    assert home.remembered_key("ws://lab:8765/ws") == ""
    home.remember_key("ws://lab:8765/ws", "one")
    home.remember_key("unix:/run/a socket", "two")
    home.remember_key("ws://lab:8765/ws", "three")
    path = tmp_path / "state" / "besedka" / "keys"
    assert path.read_text() == "three ws://lab:8765/ws\ntwo unix:/run/a socket\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert home.remembered_key("ws://lab:8765/ws") == "three"
    assert home.remembered_key("unix:/run/a socket") == "two"
    path.write_bytes(b"\xff")
    assert home.remembered_key("unix:/run/a socket") == ""


def test_where_no_key_can_be_kept_nothing_goes_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    home.remember_key("ws://lab:8765/ws", "one")
    assert home.remembered_key("ws://lab:8765/ws") == ""
