"""The files of a person at home."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest

from besedka import home
from besedka.commands.exit_status import WrongConfig
from besedka.commands.preferences import preferences


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


def test_where_nothing_can_be_kept_one_is_a_guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert home.own_secret() == home.secret_for("ws://lab:8765/ws", "Anna") == ""


@pytest.mark.parametrize("content", [b"\n", b"\xff"])
def test_a_secret_that_cannot_be_read_makes_one_a_guest(content: bytes) -> None:
    (home.state_folder() / "secret").write_bytes(content)
    assert home.own_secret() == home.secret_for("ws://lab:8765/ws", "Anna") == ""


def test_a_file_that_is_there_is_replaced_as_a_whole_or_left(tmp_path: Path) -> None:
    path = tmp_path / "words"
    home.write_private(path, "one")
    home.write_private(path, "two")
    home.write_private(path, "three", replace=False)
    assert path.read_text() == "two"
    assert [file.name for file in tmp_path.iterdir()] == ["words"]


def test_what_a_file_says_is_on_the_disk_before_its_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "words", []

    def sync(number: int) -> None:
        assert not path.exists()
        synced.append(os.fstat(number).st_size)

    monkeypatch.setattr(os, "fsync", sync)
    home.write_private(path, "one", replace=False)
    assert synced == [3]


def test_a_secret_that_a_power_cut_has_emptied_is_made_anew_once(tmp_path: Path) -> None:
    home.own_secret()
    (tmp_path / "state" / "besedka" / "secret").write_text("")
    secret = home.own_secret()
    assert len(secret) == 64
    assert home.own_secret() == secret


def test_settings_are_where_the_manual_says(tmp_path: Path) -> None:
    assert home.config_file() == tmp_path / "config" / "besedka" / "config.toml"


HERE = [
    "ws://localhost:8765/ws",
    "grpc://127.0.0.1:50051",
    "ws://[::1]:1/ws",
    "unix:/run/besedka",
    "ws://[::ffff:127.0.0.9]:1/",
]
LAB = ["ws://lab:8765/ws", "wss://LAB.:443/talk/ws", "grpcs://Lab:50051"]


def test_each_host_gets_a_secret_of_its_own_that_does_not_reveal_the_users() -> None:
    own = home.own_secret()
    shown = [{home.secret_for(url) for url in urls} for urls in (HERE, LAB, ["grpc://192.168.1.5:50051"])]
    assert [len(secrets) for secrets in shown] == [1, 1, 1]
    assert len(set.union(*shown, {own})) == 4
    assert all(len(bytes.fromhex(secret)) == 32 for secret in set.union(*shown))
    assert home.secret_for(LAB[0]) == home.secret_for(LAB[0], "Anna")


def test_a_secret_from_another_device_is_kept_for_one_host_and_goes_first(tmp_path: Path) -> None:
    derived = home.secret_for(LAB[0])
    home.keep_secret(LAB[0], "Anna", "hers")
    home.keep_secret(LAB[1], "Boris Godunov", "his")
    home.keep_secret(HERE[0], "Clara", "another")
    home.keep_secret(LAB[2], "Anna", "new")
    assert [home.secret_for(LAB[0], name) for name in ("anna", "Boris Godunov")] == ["new", "his"]
    # Who has become somebody here is that also under another name, and without one.
    assert home.secret_for(LAB[0], "Annushka") == home.secret_for(LAB[0]) == "new"
    assert home.secret_for("ws://elsewhere:8765/ws", "Anna") not in {derived, "hers", "his", "another", "new"}
    path = tmp_path / "state" / "besedka" / "secrets"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().splitlines() == [
        "lab\tBoris Godunov\this",
        "localhost\tClara\tanother",
        "lab\tAnna\tnew",
    ]


def test_lines_that_are_none_do_not_keep_one_out() -> None:
    home.keep_secret(LAB[0], "Anna", "hers")
    path = home.state_folder() / "secrets"
    path.write_bytes(b"no line of ours\n\xff\tx\ty\n" + path.read_bytes())
    assert home.secret_for(LAB[0], "Anna") == "hers"


BREAKS = ["\n", "\t", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00", "\x1b"]


@pytest.mark.parametrize("broken", BREAKS)
def test_no_field_becomes_a_line_or_a_field_of_its_own(broken: str) -> None:
    home.keep_secret(LAB[0], "Anna", "hers")
    home.remember_key(LAB[0], "one")
    files = [home.state_folder() / name for name in ("secrets", "keys")]
    before = [path.read_bytes() for path in files]
    planted = f"x{broken}bank\tAnna\tplanted"
    for name, secret in ((planted, "hers"), ("Anna", planted)):
        with pytest.raises(OSError, match="control characters"):
            home.keep_secret("ws://evil:8765/ws", name, secret)
    home.remember_key(f"unix:/x{broken}planted ws://bank:8765/ws", "two")
    assert [path.read_bytes() for path in files] == before
    assert home.secret_for("ws://bank:8765/ws", "Anna") not in {"planted", "hers"}


def test_a_separator_is_no_part_of_a_field_before_the_last(tmp_path: Path) -> None:
    home.write_rows(tmp_path / "rows", [("key", "unix:/a socket")], separator=" ")
    assert home.read_rows(tmp_path / "rows", fields=2, separator=" ") == [["key", "unix:/a socket"]]
    with pytest.raises(OSError, match="control characters"):
        home.write_rows(tmp_path / "rows", [("a key", "unix:/a")], separator=" ")


def test_only_lf_ends_a_line_and_a_damaged_one_is_skipped_aloud(caplog: pytest.LogCaptureFixture) -> None:
    path = home.state_folder() / "secrets"
    path.write_bytes("lab\tAnna\thers\nlab\tX\u2028bank\tAnna\tplanted\n\nlab\tBoris\n".encode())
    assert home.secret_for("ws://bank:8765/ws", "Anna") not in {"planted", "hers"}
    assert home.secret_for(LAB[0], "Anna") == home.secret_for(LAB[0], "Boris") == "hers"
    # Once for each file, however often it is read.
    assert [record.getMessage() for record in caplog.records] == [
        f"besedka: line 2 of {path} is damaged, and skipped"
    ]


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


def forget_homes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user of whom the system knows nothing."""

    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for variable in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("given", [None, "", "relative", ".", "/nonexistent/home", "/dev/null", "/proc"])
def test_whoever_has_no_home_is_a_guest(
    given: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_homes(monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "relative").mkdir()
    if given is not None:
        monkeypatch.setenv("HOME", given)
    assert home.own_secret() == home.secret_for(LAB[0], "Anna") == home.remembered_key(LAB[0]) == ""
    home.remember_key(LAB[0], "one")
    with pytest.raises(OSError, match=r".+"):
        home.keep_secret(LAB[0], "Anna", "hers")
    assert given == "/proc" or home.config_file() is None
    assert not Path("/nonexistent").exists()
    assert [*tmp_path.rglob("*")] == [tmp_path / "relative"]


@pytest.mark.parametrize("given", ["", "relative", "./state"])
def test_a_base_folder_that_is_not_absolute_is_ignored(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", given)
    monkeypatch.setenv("XDG_CONFIG_HOME", given)
    assert home.state_folder() == tmp_path / ".local" / "state" / "besedka"
    assert home.config_file() == tmp_path / ".config" / "besedka" / "config.toml"


def test_where_home_is_not_absolute_it_is_the_one_that_the_system_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = pwd.struct_passwd(("anna", "x", 1000, 1000, "", str(tmp_path), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: entry)
    monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert home.state_folder() == tmp_path / ".local" / "state" / "besedka"


@pytest.mark.parametrize("laid", ["", "secret", "secrets", "keys"])
def test_what_another_user_has_laid_is_not_used_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, laid: str
) -> None:
    home.keep_secret(LAB[0], "Anna", "hers")
    home.remember_key(LAB[0], "the-key")
    derived = home.own_secret()
    path = home.state_folder() / laid
    here = os.geteuid()
    monkeypatch.setattr(home, "_owners", lambda one: {here, 4711} if one == path else {here})
    for _ in range(2):
        assert (home.secret_for(LAB[0], "Anna") == "hers") is (laid in {"secret", "keys"})
        assert (home.own_secret() == derived) is (laid in {"secrets", "keys"})
        assert (home.remembered_key(LAB[0]) == "the-key") is (laid in {"secret", "secrets"})
    (record,) = caplog.records
    assert f"{path} is not used: it belongs to another user of this machine (uid 4711)" in record.message


def test_a_file_that_a_killed_program_has_left_is_not_written_through(tmp_path: Path) -> None:
    path, elsewhere = home.state_folder() / "secrets", tmp_path / "elsewhere"
    path.with_name(f".secrets.{os.getpid()}").symlink_to(elsewhere)
    home.keep_secret(LAB[0], "Anna", "hers")
    assert home.secret_for(LAB[0], "Anna") == "hers"
    assert not elsewhere.exists()


def test_settings_that_another_user_has_laid_are_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "besedka" / "config.toml"
    path.parent.mkdir()
    path.write_text('url = "wss://evil.example"\n', encoding="utf-8")
    here = os.geteuid()
    monkeypatch.setattr(home, "_owners", lambda one: {4711} if one == path else {here})
    preferences.cache_clear()
    with pytest.raises(WrongConfig, match="another user of this machine"):
        preferences()
    preferences.cache_clear()
