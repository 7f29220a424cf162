"""The page and the Python programs share their limits: ``tests/vectors/limits.json``, which limits.test.mjs reads too."""

from __future__ import annotations

import json
from pathlib import Path

from besedka.remote import address, backoff
from besedka.remote.room import outbox
from besedka.serve.room import typists
from besedka.serve.session import chat_session
from besedka.terminal import room_view
from besedka.terminal.session import typed_lines
from besedka.wire import access, validation

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "limits.json").read_text(encoding="utf-8"))


def test_the_limits_of_the_page_are_those_of_the_server_and_the_client_library() -> None:
    assert VECTORS == {
        "default_port": address.DEFAULT_PORT,
        "default_room": validation.DEFAULT_ROOM,
        "first_wait_seconds": backoff.FIRST_WAIT_SECONDS,
        "key_characters_at_least": access.KEY_CHARACTERS_AT_LEAST,
        "longest_wait_seconds": backoff.LONGEST_WAIT_SECONDS,
        "messages_in_flight": outbox.IN_FLIGHT_AT_MOST,
        "reason_characters": validation.REASON_CHARACTERS_AT_MOST,
        "room_characters": validation.ROOM_CHARACTERS_AT_MOST,
        "rooms_of_a_connection": chat_session.ROOMS_OF_ONE_AT_MOST,
        "typing_relayed_every_seconds": typists.TYPING_RELAYED_SECONDS,
        "typing_shown_seconds": room_view.TYPING_SHOWN_SECONDS,
    }


def test_the_terminal_says_that_somebody_types_no_more_often_than_it_is_relayed_and_before_it_is_forgotten() -> (
    None
):
    assert typists.TYPING_RELAYED_SECONDS < typed_lines.TYPING_SENT_SECONDS < room_view.TYPING_SHOWN_SECONDS
