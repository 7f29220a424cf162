"""The messages that a program posts: when they are sent, and the outcome that each future gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from besedka.remote.backoff import LONGEST_HOLD_SECONDS
from besedka.remote.errors import ConnectionFailed, NotConnected, SayRefused
from besedka.remote.room.posts import Posts
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import Error
from besedka.wire.validation import FRAME_BYTES_AT_MOST
from tests.looping import run_jumping


def with_posts(scenario: Callable[[Posts], None]) -> None:
    async def work() -> None:
        scenario(Posts("main", lambda: None))

    run_jumping(work())


def refusal(code: str, key: str, retry_after: float = 0.0) -> Error:
    return Error(code, "no", "", key, retry_after=retry_after)


def keys_sent(posts: Posts, now: float) -> list[str]:
    found = []
    while frame := posts.next(now):
        found.append(frame.key)
    return found


def test_a_stored_message_has_its_id() -> None:
    def scenario(posts: Posts) -> None:
        stored = posts.post("hello", 0)
        (key,) = keys_sent(posts, 0.0)
        posts.stored(key, 7)
        assert stored.result() == 7
        assert posts.waiting == 0

    with_posts(scenario)


def test_a_message_that_no_server_would_take_is_refused_at_once_as_too_long() -> None:
    def scenario(posts: Posts) -> None:
        refused = posts.post("x" * FRAME_BYTES_AT_MOST, 0)
        with pytest.raises(SayRefused) as caught:
            refused.result()
        assert caught.value.code == ErrorCode.TEXT_TOO_LONG
        assert posts.waiting == 0

    with_posts(scenario)


def test_messages_behind_one_that_was_too_fast_are_sent_again_in_order_after_the_pause() -> None:
    def scenario(posts: Posts) -> None:
        for text in "abc":
            posts.post(text, 0)
        keys = keys_sent(posts, 0.0)
        assert posts.refused(refusal(ErrorCode.TOO_FAST, keys[0], 2.0), 0.0)
        assert not posts.refused(refusal(ErrorCode.TOO_FAST, keys[1], 2.0), 0.1)
        assert keys_sent(posts, 1.9) == []
        assert keys_sent(posts, 2.0) == keys

    with_posts(scenario)


def test_no_server_holds_messages_for_longer_than_the_longest_pause() -> None:
    def scenario(posts: Posts) -> None:
        posts.post("a", 0)
        (key,) = keys_sent(posts, 0.0)
        posts.refused(refusal(ErrorCode.TOO_FAST, key, 1e9), 0.0)
        assert posts.held_until == LONGEST_HOLD_SECONDS

    with_posts(scenario)


def test_a_message_that_a_leaving_server_refuses_waits_for_its_successor() -> None:
    def scenario(posts: Posts) -> None:
        stored = posts.post("a", 0)
        (key,) = keys_sent(posts, 0.0)
        posts.refused(refusal(ErrorCode.GOING_DOWN, key), 0.0)
        assert not stored.done()
        posts.begin()
        assert keys_sent(posts, 0.0) == [key]

    with_posts(scenario)


@pytest.mark.parametrize(
    ("error", "expected"), [(None, NotConnected), (ConnectionFailed("gone"), ConnectionFailed)]
)
def test_after_the_end_every_message_fails_also_one_posted_later(
    error: Exception | None, expected: type[Exception]
) -> None:
    def scenario(posts: Posts) -> None:
        before = posts.post("a", 0)
        posts.end(error)
        for failed in (before, posts.post("b", 0)):
            assert isinstance(failed.exception(), expected)
        assert [frame.text for frame in posts.unsent] == ["a", "b"]

    with_posts(scenario)


def test_a_future_that_its_program_has_cancelled_is_left_alone() -> None:
    async def work() -> None:
        posts = Posts("main", lambda: None)
        posts.post("a", 0).cancel()
        await asyncio.sleep(0)
        (key,) = keys_sent(posts, 0.0)
        posts.stored(key, 1)
        assert posts.waiting == 0

    run_jumping(work())
