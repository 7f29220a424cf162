"""The absolute form of a request's target."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.doors.http.target import TargetBad, split_target


@pytest.mark.parametrize(
    ("target", "host", "rest"),
    [
        (b"http://localhost/ws", b"localhost", b"/ws"),
        (b"HTTP://localhost:8765/ws?a=b/c?d", b"localhost:8765", b"/ws?a=b/c?d"),
        (b"https://[::1]:8765/chat/", b"[::1]:8765", b"/chat/"),
        (b"ws://lab/ws", b"lab", b"/ws"),
        (b"http://localhost", b"localhost", b"/"),
        (b"http://localhost?room=dev", b"localhost", b"/?room=dev"),
        (b"http://localhost//double", b"localhost", b"//double"),
    ],
)
def test_an_address_is_taken_apart(target: bytes, host: bytes, rest: bytes) -> None:
    assert split_target(target) == (host, rest)


@pytest.mark.parametrize(
    "target", [b"/", b"/ws", b"/http://localhost/ws", b"//localhost/ws", b"*", b"", b"ws"]
)
def test_another_form_is_left_as_it_is(target: bytes) -> None:
    assert split_target(target) is None


@pytest.mark.parametrize(
    "target",
    [
        b"http:///ws",
        b"http://",
        b"http:/localhost/ws",
        b"http:localhost",
        b"http://user@localhost/ws",
        b"http://user:secret@localhost/ws",
        b"http://localhost:port/ws",
        b"http://localhost:99999/ws",
        b"http://localhost:-1/ws",
        b"http://[::1/ws",
        b"http://local host/ws",
        b"http://localhost/ws#main",
        b"ftp://localhost/ws",
        b"javascript:alert(1)",
        b"http://\xff/ws",
    ],
)
def test_what_is_no_address_is_refused(target: bytes) -> None:
    with pytest.raises(TargetBad):
        split_target(target)


@given(st.binary())
def test_any_bytes_are_taken_or_refused(target: bytes) -> None:
    for tried in (target, b"http://" + target):
        try:
            parts = split_target(tried)
        except TargetBad:
            continue
        assert parts is None or parts[1].startswith(b"/")
