"""Reads a room's log on request: pages of older messages, and searches. The cursor does not move."""

from __future__ import annotations

from collections.abc import Callable

from besedka.remote.errors import not_besedka, parsing_frames
from besedka.remote.outgoing_requests import OutgoingRequests, new_key
from besedka.remote.room.cursor import Cursor
from besedka.remote.room.events import ReceivedMessage, SearchResults
from besedka.wire.frames import FOUND_MESSAGES, ListHistory, Search


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

    async def page(self, first: int, limit: int) -> list[ReceivedMessage]:
        """Read messages from the log, beginning with an id.

        Args:
            first: the first message's id.
            limit: the most messages to return.

        Raises:
            NotConnected: if there is no connection; try again after `Welcome`.
        """
        found: list[ReceivedMessage] = []
        before = first + limit
        # If messages are long, a page holds only the last ones of those requested.
        while before > first:
            self._check_joined()
            answer = await self._requests.page(
                ListHistory(before=before, room=self._room, limit=before - first)
            )
            with parsing_frames(self._url):
                page = self._cursor.read(answer)
            if page and page[0].id >= before:
                raise not_besedka(self._url, f"a page before {before} begins with {page[0].id}")
            # A log that was replaced may have no message between these two.
            page = [message for message in page if first <= message.id < before]
            if not page:
                break
            found = [*page, *found]
            before = page[0].id
        return found

    async def search(self, text: str, before: int = 0, limit: int = FOUND_MESSAGES) -> SearchResults:
        """Search the room for the newest messages with a text, ignoring case.

        A search has a time limit on the server: search again with `SearchResults.before` for older messages, until it is 0.

        Args:
            text: the text to find.
            before: search only messages older than this id; 0: all.
            limit: the most messages to find; the server allows 100.

        Raises:
            NotConnected: if there is no connection; try again after `Welcome`.
            RequestRefused: if the server does not search for this text.
        """
        self._check_joined()
        frame = Search(text=text, room=self._room, before=before, limit=limit, key=new_key())
        answer = await self._requests.search(frame)
        if before and answer.before >= before:
            raise not_besedka(self._url, f"a search before {before} goes on before {answer.before}")
        with parsing_frames(self._url):
            return SearchResults(self._cursor.read_found(answer), answer.before)
