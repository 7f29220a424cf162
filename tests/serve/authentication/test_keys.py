"""Access keys, and the file that holds them."""

from __future__ import annotations

import asyncio
import stat
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.authentication.key_file import FILE_BYTES, LOOK_SECONDS, KeyFile, open_keys
from besedka.serve.authentication.keys import Authenticator, BadKeys, Key, Keys, read_keys
from besedka.serve.doors.forwarded import clean_proxy
from besedka.serve.errors import KeyFileUnusable
from besedka.serve.repeated_error import LASTING_SECONDS
from besedka.serve.settings import Settings
from besedka.serve.threads import Threads
from besedka.wire.access import why_no_key
from tests import looping
from tests.wire.test_access import KEYS

ONE, TWO = "the-first-of-the-keys", "the-second-of-the-keys"


class KeyHolder:
    """Somebody who is in, or was."""

    def __init__(self) -> None:
        self.is_in = True

    def revoke_access(self) -> None:
        self.is_in = False

    def abort(self) -> None:
        self.is_in = False


@given(
    st.lists(
        st.tuples(KEYS, st.text(st.characters(exclude_characters="\n\r\x00", exclude_categories=["Cs"]))),
        min_size=1,
    )
)
def test_keys_are_read_back_as_they_were_written(written: list[tuple[str, str]]) -> None:
    text = "".join(f"{key} {label}\n\n# a remark\n" for key, label in written)
    assert [key.text for key in read_keys(text)] == [key for key, _ in written]
    keys = Keys(read_keys(text))
    assert all(keys.which(key) is not None for key, _ in written)


@given(st.text())
def test_any_text_holds_keys_or_says_why_not(text: str) -> None:
    try:
        keys = read_keys(text)
    except BadKeys:
        keys = []
    assert not any(why_no_key(key.text) for key in keys)


@given(st.lists(KEYS, min_size=1), st.text())
def test_only_a_key_as_a_whole_is_one(valid: list[str], given_key: str) -> None:
    keys = Keys(Key(key, "") for key in valid)
    assert (keys.which(given_key) is not None) == (given_key in valid)
    assert keys.which(valid[0][:-1]) is None or valid[0][:-1] in valid


def test_a_file_is_read_as_people_write_it() -> None:
    text = f"\ufeff# keys\r\n\r\n{ONE}\tthe phone\r\n{TWO}   the lab \u2028 next door\r\n"
    assert read_keys(text) == [Key(ONE, "the phone"), Key(TWO, "the lab \u2028 next door")]
    assert read_keys(ONE) == [Key(ONE, "of line 1")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        (f"{ONE}\nshort-key\n", "line 2 cannot be used: it has 9 characters"),
        (f" {ONE}\n", "line 1 cannot be used: a blank stands before it"),
        ("ключ-из-многих-букв\n", "it is not ASCII"),
        ("a-key,with-a-comma-in-it\n", "only letters, digits and"),
        ("k" * 300, "300 characters"),
    ],
)
def test_a_fault_is_reported_without_revealing_a_key(text: str, why: str) -> None:
    with pytest.raises(BadKeys, match=why) as raised:
        read_keys(text)
    assert not any(line and line in str(raised.value) for line in text.split("\n"))


def test_a_key_is_in_no_picture_of_it() -> None:
    assert ONE not in repr(Key(ONE, "phone"))
    assert ONE not in repr(Keys([Key(ONE, "phone")]))


def test_where_no_key_is_asked_for_everybody_is_in() -> None:
    access, session = Authenticator(), KeyHolder()
    assert access.is_open
    assert access.enter(session, "")
    assert access.admits("whatever")


def test_sessions_of_a_withdrawn_key_are_disconnected_and_no_others() -> None:
    access = Authenticator(Keys([Key(ONE, "phone"), Key(TWO, "lab")]))
    phone, lab, gone, stranger = KeyHolder(), KeyHolder(), KeyHolder(), KeyHolder()
    assert access.enter(phone, ONE)
    assert access.enter(lab, TWO)
    assert access.enter(gone, ONE)
    assert not access.enter(stranger, "the-third-of-the-keys")
    access.leave(gone)
    access.leave(stranger)
    assert access.change(Keys([Key(TWO, "lab, renamed")])) == [(phone, "phone")]
    assert not access.admits(ONE)
    assert access.admits(TWO)
    assert access.change(Keys([Key(ONE, "again")])) == [(lab, "lab, renamed")]
    assert access.change(Keys([Key(TWO, "again")])) == []


def test_a_session_that_cannot_be_disconnected_keeps_no_other_connected(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(KeyHolder):
        def revoke_access(self) -> None:
            raise RuntimeError("it is broken")

    class Waiting(KeyHolder):
        def __init__(self) -> None:
            super().__init__()
            self.is_out = asyncio.Event()

        def revoke_access(self) -> None:
            self.is_out.set()

    async def look() -> None:
        keys, _ = open_keys(path)
        access = Authenticator(Keys(keys))
        assert access.enter(faulty, ONE)
        assert access.enter(session, ONE)
        path.write_text(f"{TWO}\n")
        looking = asyncio.ensure_future(KeyFile(path, keys, access, Threads(1, "keys")).watch())
        await session.is_out.wait()
        looking.cancel()

    path, faulty, session = tmp_path / "keys", Faulty(), Waiting()
    path.write_text(f"{ONE}\n")
    looping.run(look())
    assert not faulty.is_in
    assert caplog.text.count("the access of a session could not be revoked") == 1
    assert caplog.text.count("RuntimeError: it is broken") == 1
    assert ONE not in caplog.text


@pytest.mark.parametrize(
    ("settings", "file"),
    [
        (Settings(), None),
        (Settings(host="localhost"), None),
        (Settings(host="127.0.0.2"), None),
        (Settings(host="::1"), None),
        (Settings(host=""), "access_key.txt"),
        (Settings(host="0.0.0.0"), "access_key.txt"),  # noqa: S104 - not bound
        (Settings(host="::", history=Path("talk/history.txt")), "talk/access_key.txt"),
        (Settings(host="192.168.1.5"), "access_key.txt"),
        (Settings(host="chat.example"), "access_key.txt"),
        (Settings(host="", is_open=True), None),
        (Settings(public_hosts=("chat.example",)), "access_key.txt"),
        (Settings(public_hosts=("chat.example",), is_open=True), None),
        (Settings(proxies=(clean_proxy("127.0.0.1"),)), "access_key.txt"),
        (Settings(key_file=Path("keys")), "keys"),
        (Settings(host="", key_file=Path("keys")), "keys"),
    ],
)
def test_a_key_is_needed_where_others_can_reach_us(settings: Settings, file: str | None) -> None:
    assert settings.access_keys == (Path(file) if file else None)


def test_a_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    keys, warning = open_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (len(keys), warning) == (1, "")
    assert len(keys[0].text) == 43
    assert open_keys(path) == (keys, "")
    assert [file.name for file in tmp_path.iterdir()] == ["keys"]
    path.unlink()
    assert open_keys(path)[0] != keys


def test_a_file_that_others_can_read_is_used_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"{ONE}\n")
    path.chmod(0o640)
    keys, warning = open_keys(path)
    assert [key.text for key in keys] == [ONE]
    assert "0640" in warning
    assert f"chmod 600 {path}" in warning


def test_a_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    for data, why in (
        (b"", "it is empty"),
        (b"# nobody\n", "there is no key in it"),
        (b"\xff" * 20, "not text in UTF-8"),
        (b"#" * (FILE_BYTES + 1), "more than 65536 bytes"),
    ):
        path.write_bytes(data)
        with pytest.raises(KeyFileUnusable, match=f"cannot use the access keys in .*keys: .*{why}"):
            open_keys(path)
    with pytest.raises(KeyFileUnusable, match="is a directory"):
        open_keys(tmp_path)
    with pytest.raises(KeyFileUnusable, match="no such file or directory"):
        open_keys(tmp_path / "nowhere" / "keys")
    with pytest.raises(KeyFileUnusable, match="not a directory"):
        open_keys(path / "keys")


def test_keys_that_are_not_believed_are_reported_once_an_hour_and_taken_once_they_can_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def is_reported(count: int) -> bool:
        return caplog.text.count("every user of this machine can change it") == count

    async def look() -> None:
        keys, _ = open_keys(path)
        access = Authenticator(Keys(keys))
        path.write_text(f"{TWO}\n")
        path.chmod(0o666)
        looking = asyncio.ensure_future(KeyFile(path, keys, access, Threads(1, "keys")).watch())
        for count in (1, 2):
            await looping.until(partial(is_reported, count))
            assert access.admits(ONE)
            assert not access.admits(TWO)
            for _ in range(10):
                await looping.jump(LOOK_SECONDS)
            assert is_reported(count)
            await looping.jump(LASTING_SECONDS)
        path.chmod(0o600)
        await looping.until(lambda: access.admits(TWO))
        looking.cancel()

    path = tmp_path / "keys"
    path.write_text(f"{ONE}\n")
    looping.run(look())


def test_the_file_is_looked_at_so_often_that_a_withdrawn_key_ends_within_a_second() -> None:
    assert LOOK_SECONDS <= 0.5
