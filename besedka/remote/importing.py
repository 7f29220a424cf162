"""Posts many messages over gRPC by calls of `Import`: in order and exactly once, even if a call breaks off.

`Import` acknowledges only at its end, so each call posts a part of the messages. If a call breaks off, its messages are posted again one
by one by `Send`, which recognises those that are stored: by their keys, or, after a restart of the server, among the messages behind the
last id seen before the call.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc

from besedka.home import secret_for
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.remote.address import address, check_key
from besedka.remote.backoff import backoff, hold
from besedka.remote.errors import (
    ConnectionFailed,
    JoinRefused,
    SayRefused,
    needs_key,
    not_besedka,
    parsing_frames,
)
from besedka.remote.outgoing_requests import REQUEST_SECONDS
from besedka.remote.room.posts import RESENT_AFTER
from besedka.remote.transport import credentials
from besedka.remote.transport.grpc import RECONNECT_STATUSES, open_channel
from besedka.remote.transport.grpc_responses import chat_stub, check_length, readable, reason_of
from besedka.wire.errors import ErrorCode, Language
from besedka.wire.message import MessageId
from besedka.wire.received_frames import check_id
from besedka.wire.validation import clean_name, clean_room

REQUEST_CHARACTERS: Final = 100_000
"""The text in one request; at 4 bytes a character it is far below the server's limit of 1 MiB."""

CALL_MESSAGES: Final = 5_000
"""Messages of one call: their ids are an element each at most, and half as many as a response may have."""


class Importer:
    """Posts many messages to one room; it is in the room only while a call runs. Made by `importing`.

    Args:
        stub: the server.
        speaker: the room and the author.
        last: the id of the room's last message.
        key: the access key, if the chat requires one.
        url: the chat's URL, for errors.

    Attributes:
        room: the room's name.
        name: the author's name.
    """

    def __init__(self, stub: Any, speaker: pb.Speaker, last: MessageId, key: str = "", url: str = "") -> None:
        self._url = url
        self.room = clean_room(speaker.room)
        self.name = clean_name(speaker.user)
        self._stub = stub
        self._speaker = speaker
        self._last = last
        self._metadata = _metadata(key)

    async def say(self, texts: Sequence[str]) -> AsyncIterator[MessageId]:
        """Post all these messages, across losses of the connection; yields each id once the message is on the server's disk.

        Raises:
            SayRefused: if the server refuses one of them; those before it are stored, and none after it.
            ConnectionFailed: if what the server answers cannot be understood.
        """
        for first in range(0, len(texts), CALL_MESSAGES):
            async for number in self._say(texts[first : first + CALL_MESSAGES]):
                yield number

    async def _say(self, texts: Sequence[str]) -> AsyncIterator[MessageId]:
        keyed = [(text, secrets.token_hex(16)) for text in texts]
        try:
            response = await self._stub.Import(iter(_requests(self._speaker, keyed)), metadata=self._metadata)
            ids = _ids(readable(response, self._url), len(keyed), self._url)
        except grpc.aio.AioRpcError:
            # Posting them one by one shows which are stored and which are refused, whatever the error.
            ids = []
        for number in ids:
            self._last = number
            yield number
        for text, key in keyed[len(ids) :]:
            # `after` keeps it from being matched with an earlier message of the same text.
            self._last = await self._send(text, key, self._last)
            yield self._last

    async def _send(self, text: str, key: str, after: int) -> MessageId:
        speaker = self._speaker
        request = pb.SendRequest(
            room=speaker.room, user=speaker.user, secret=speaker.secret, text=text, key=key, after=after
        )
        tries = 0
        while True:
            try:
                response = readable(await self._stub.Send(request, metadata=self._metadata), self._url)
            except grpc.aio.AioRpcError as error:
                check_length(error.code(), error.details(), self._url)
                code, wait = reason_of(error.trailing_metadata(), self._url)
                if code not in {"", ErrorCode.TOO_FAST, *RESENT_AFTER}:
                    raise SayRefused(code, error.details() or code, wait) from None
                if not code and error.code() not in RECONNECT_STATUSES:
                    raise ConnectionFailed(f"the chat ended the call: {error.details()}") from None
                await asyncio.sleep(hold(wait, tries) if code == ErrorCode.TOO_FAST else backoff(tries))
                tries += 1
            else:
                with parsing_frames(self._url):
                    return check_id(response.id)


@asynccontextmanager
async def importing(
    url: str, name: str, room: str = "", *, secret: str | None = None, key: str = ""
) -> AsyncIterator[Importer]:
    """Post many messages to a room, without being announced in it.

    Args:
        url: ``grpc://``, ``grpcs://`` or ``unix:``; a room may follow behind a ``#``.
        name: the author's name.
        room: the room, if the URL names none.
        secret: proves that the name is the author's; as in `besedka.connect`.
        key: the access key, if the URL has none.

    Raises:
        InvalidAddress: if the URL is not valid.
        ConnectionFailed: if the chat cannot be reached.
        JoinRefused: if the chat refuses the room or the name.
    """
    there = address(url)
    check_key(key)
    key = there.key or key
    secret = secret_for(there.url, name) if secret is None else secret
    speaker = pb.Speaker(room=room or there.room, user=name, secret=secret)
    async with open_channel(there.url) as channel:
        stub = chat_stub(channel)
        try:
            # First, because a call that ends while its requests are being written may hide its status.
            last = await _head(stub, speaker, key, there.url)
            greeting = iter([pb.ImportRequest(speaker=speaker)])
            response = await stub.Import(greeting, metadata=_metadata(key), timeout=REQUEST_SECONDS)
            readable(response, there.url)
        except grpc.aio.AioRpcError as error:
            check_length(error.code(), error.details(), there.url)
            if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                raise needs_key(there.url, key) from None
            code, wait = reason_of(error.trailing_metadata(), there.url)
            if code and code not in RESENT_AFTER:
                raise JoinRefused(code, error.details() or code, wait) from None
            raise ConnectionFailed(f"cannot reach a chat at {there.url}: {error.details()}") from None
        yield Importer(stub, speaker, last, key, there.url)


async def _head(stub: Any, speaker: pb.Speaker, key: str, url: str) -> MessageId:
    request = pb.ListMessagesRequest(room=speaker.room, limit=1, secret=speaker.secret)
    try:
        page = await stub.ListMessages(request, metadata=_metadata(key), timeout=REQUEST_SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return MessageId(0)
        raise
    with parsing_frames(url):
        return check_id(readable(page, url).head, least=0)


def _metadata(key: str) -> tuple[tuple[str, str], ...]:
    return (*credentials(key, Language.EN).items(),)


def _ids(response: pb.ImportResponse, count: int, url: str) -> list[MessageId]:
    """The ids in an answer about so many messages.

    Raises:
        ConnectionFailed: if they are more, or none at all.
    """
    parts = [range(part.first, part.last + 1) for part in response.ids]
    if not all(parts) or sum(part.stop - part.start for part in parts) > count:
        raise not_besedka(url, f"it answers {count} messages with ids that cannot be theirs")
    with parsing_frames(url):
        return [check_id(number) for part in parts for number in part]


def _requests(speaker: pb.Speaker, messages: Sequence[tuple[str, str]]) -> Iterator[pb.ImportRequest]:
    request, size = pb.ImportRequest(speaker=speaker), 0
    for text, key in messages:
        if size + len(text) > REQUEST_CHARACTERS:
            yield request
            request, size = pb.ImportRequest(), 0
        request.messages.append(pb.ImportedMessage(text=text, key=key))
        size += len(text)
    yield request
