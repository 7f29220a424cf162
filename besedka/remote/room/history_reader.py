"""Reads a room's log on request: pages of older messages, and searches. The cursor does not move."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import msgspec

from besedka.remote.errors import not_besedka, parsing_frames
from besedka.remote.outgoing_requests import OutgoingRequests, new_key
from besedka.remote.room.backlog import held_bytes
from besedka.remote.room.cursor import Cursor
from besedka.remote.room.events import ReceivedMessage, SearchResults
from besedka.wire.frames import FOUND_MESSAGES, Found, History, ListHistory, Search
from besedka.wire.received_frames import NUMBER_AT_MOST

READ_BYTES: Final = 64 * 1024 * 1024
"""Memory of the messages that are read at once. A thousand of the longest that can be posted take a third of it."""


class HistoryReader:
    """Reads the log of one room.

    Args:
        url: the chat's URL.
        room: the room's name.
        requests: the connection's requests.
        cursor: knows the room's clock, and which messages are the user's own.
        check_joined: raises `NotConnected` while the room is not joined.
    """

    def __init__(
        self,
        url: str,
        room: str,
        requests: OutgoingRequests,
        cursor: Cursor,
        check_joined: Callable[[], None],
    ) -> None:
        self._url = url
        self._room = room
        self._requests = requests
        self._cursor = cursor
        self._check_joined = check_joined

    @property
    def utc_offset(self) -> int:
        """How far the server's clock, whose days the log has, is east of UTC, in seconds."""
        return self._cursor.utc_offset

    async def page(self, first: int, limit: int) -> list[ReceivedMessage]:
        """Read messages from the log, beginning with an id.

        Args:
            first: the first message's id.
            limit: the most messages to return.

        Raises:
            NotConnected: if there is no connection; try again after `Welcome`.
            ConnectionFailed: if what the server answers are no such messages, or take more than `READ_BYTES`.
        """
        pages, size = list[list[ReceivedMessage]](), 0
        before = first + limit
        # If messages are long, a page holds only the last ones of those requested.
        while before > first:
            self._check_joined()
            answer = await self._requests.page(
                ListHistory(before=before, room=self._room, limit=before - first)
            )
            with parsing_frames(self._url):
                page = self._cursor.read(_asked_for(answer, first, before))
            if not page:
                break
            pages.append(page)
            size += sum(map(held_bytes, page))
            if size > READ_BYTES:
                raise not_besedka(self._url, f"{limit} messages take more than {READ_BYTES} bytes")
            before = page[0].id
        return [message for page in reversed(pages) for message in page]

    async def since(self, from_time: int, limit: int) -> list[ReceivedMessage]:
        """Read messages from the log, beginning with the first one of a time or later.

        Args:
            from_time: the time in unix seconds.
            limit: the most messages to return; there may be fewer, and still more in the log.

        Raises:
            NotConnected: if there is no connection; try again after `Welcome`.
            ConnectionFailed: if what the server answers is no such page.
        """
        self._check_joined()
        answer = await self._requests.page(ListHistory(room=self._room, limit=limit, from_time=from_time))
        with parsing_frames(self._url):
            if len(answer.messages) > limit:
                raise ValueError(f"a page of {limit} messages has {len(answer.messages)}")
            return self._cursor.read(answer)

    async def search(
        self,
        text: str = "",
        before: int = 0,
        limit: int = FOUND_MESSAGES,
        *,
        user: str = "",
        from_time: int | None = None,
        to_time: int | None = None,
    ) -> SearchResults:
        """Search the room for the newest messages with a text, by an author, or of a time. Case and spelling of letters are ignored.

        A search has a time limit on the server: search again with `SearchResults.before` for older messages, until it is 0.

        Args:
            text: the text to find.
            before: search only messages older than this id; 0: all.
            limit: the most messages to find; the server allows 100.
            user: the author's whole name.
            from_time: the earliest time, in unix seconds.
            to_time: the time before which a message was posted, in unix seconds.

        Raises:
            NotConnected: if there is no connection; try again after `Welcome`.
            RequestRefused: if the server does not search for this text.
            ConnectionFailed: if what the server answers does not answer this search.
        """
        self._check_joined()
        frame = Search(text, self._room, before, limit, new_key(), user, from_time, to_time)
        answer = await self._requests.search(frame)
        with parsing_frames(self._url):
            _check_found(answer, before or NUMBER_AT_MOST, limit)
            return SearchResults(self._cursor.read_found(answer), answer.before)


def _asked_for(page: History, first: int, before: int) -> History:
    """The part of a page that was asked for.

    There may be more in front of it: a server that is asked for messages before an id that is still to come answers with the last ones.

    Raises:
        ValueError: if it ends behind that.
    """
    if page.messages and page.first + len(page.messages) > before:
        raise ValueError(f"a page before {before} ends with {page.first + len(page.messages) - 1}")
    begin = max(first, page.first)
    return msgspec.structs.replace(page, first=begin, messages=page.messages[begin - page.first :])


def _check_found(found: Found, before: int, limit: int) -> None:
    if len(found.ids) > limit:
        raise ValueError(f"a search for {limit} messages finds {len(found.ids)}")
    if not all(one < other for one, other in pairwise((0, *found.ids, before))):
        raise ValueError(f"a search before {before} finds messages in no order")
    if found.before >= before:
        raise ValueError(f"a search before {before} goes on before {found.before}")
