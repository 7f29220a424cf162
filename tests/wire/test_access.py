"""The form of an access key, and the ways to send one."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.access import authorization, key_brought, why_no_key

KEYS = st.text(string.ascii_letters + string.digits + "-._~+", min_size=16, max_size=256)
KEY, OTHER = "a-key-of-some-length", "another-key-of-some-length"


@given(KEYS)
def test_a_key_can_be_brought_by_a_header_as_well_as_by_a_subprotocol(key: str) -> None:
    assert why_no_key(key) == ""
    assert key_brought([authorization(key)]) == key
    assert key_brought([], ["besedka", f"besedka.key.{key}"]) == key
    assert key_brought([authorization(key)], [f"besedka.key.{key}"]) == key


@given(st.lists(st.text()), st.lists(st.text()))
def test_whatever_is_brought_is_a_key_or_none(authorizations: list[str], subprotocols: list[str]) -> None:
    assert isinstance(key_brought(authorizations, subprotocols), str)


@pytest.mark.parametrize(
    ("authorizations", "subprotocols", "key"),
    [
        ([], [], ""),
        ([f"bearer {KEY}"], [], KEY),
        ([f"BEARER   {KEY}  "], [], KEY),
        ([f"Bearer{KEY}"], [], ""),
        ([KEY], [], ""),
        ([f"Basic {KEY}"], [], ""),
        # A proxy on the way may want a login of its own.
        ([f"Basic {OTHER}"], [f"besedka.key.{KEY}"], KEY),
        # Whoever tries several has none.
        ([f"Bearer {KEY}", f"Bearer {OTHER}"], [], ""),
        ([f"Bearer {KEY}"], [f"besedka.key.{OTHER}"], ""),
        ([], [f"besedka.key.{KEY}", f"besedka.key.{OTHER}"], ""),
        ([], [f"Besedka.key.{KEY}", f"besedka.Key.{KEY}"], ""),
    ],
)
def test_a_key_is_brought_in_one_way(authorizations: list[str], subprotocols: list[str], key: str) -> None:
    assert key_brought(authorizations, subprotocols) == key


@pytest.mark.parametrize(
    "text", ["", "short", "k" * 257, "k" * 15, "ключ" * 10, "a key with some blanks", "k" * 16 + "\n"]
)
def test_why_something_can_be_no_key_does_not_show_it(text: str) -> None:
    why = why_no_key(text)
    assert why
    assert not text or text not in why
