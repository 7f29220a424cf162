"""The unary calls and `Import`: what each does with a request, and what its answer is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from besedka.proto import words as proto
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.chat import Chat
from besedka.serve.fairness import SEARCH_FRAMES, Pace
from besedka.serve.people.names import claim_of
from besedka.serve.people.presence import Person
from besedka.serve.room import Room, Said, Sender
from besedka.wire.names import (
    DEFAULT_ROOM,
    clean_key,
    clean_name,
    clean_room,
    clean_search,
    clean_secret,
    clean_text,
)
from besedka.wire.refusals import Code, Refused
from besedka.wire.words import FOUND_MESSAGES, PAGE_MESSAGES, Search
from besedka.wire.words import Chat as ChatWord


class ItemRefused(Exception):  # noqa: N818 - says what happened
    """One of many messages was refused; those before it are stored.

    Attributes:
        index: which one, from 0.
        refusal: why.
    """

    def __init__(self, index: int, refusal: Refused) -> None:
        super().__init__(f"message {index}: {refusal}")
        self.index = index
        self.refusal = refusal


async def send(request: pb.SendRequest, chat: Chat, pace: Pace) -> pb.SendResponse:
    """Say one message, and wait until it is on disk."""
    text, key = clean_text(request.text), clean_key(request.key)
    speaker = await _Speaker.come(request, chat, pace)
    try:
        room, once = speaker.room, _Once()
        said = Said(once, speaker.person.name, text, key, speaker.person.is_unverified)
        if not (key and room.knows(said.user, key)):
            chat.let_talk(room, speaker.person)
            pace.say(chat.now())
            chat.has_talked(room, speaker.person)
        after = request.after if request.HasField("after") else None
        word = await _find(room, said, after, chat) or await _say(room, said, chat) or await once.word
        return pb.SendResponse(id=word.id, time=Timestamp(seconds=word.at), epoch=room.epoch)
    finally:
        speaker.go(chat)


async def list_messages(request: pb.ListMessagesRequest, chat: Chat) -> pb.ListMessagesResponse:
    """A page of a room's log."""
    room = await chat.rooms.existing(clean_room(request.room or DEFAULT_ROOM), reader(request))
    limit = request.limit or PAGE_MESSAGES
    chat.rooms.hold(room)
    try:
        if request.WhichOneof("from") == "after":
            if request.after > room.head:
                raise Refused(Code.BAD_CURSOR, room=room.name, given=request.after, head=room.head)
            page = await chat.reading.page_after(room, request.after, limit)
        else:
            page = await chat.reading.page(room, request.before or room.head + 1, limit)
    finally:
        chat.rooms.let_go(room)
    found = proto.listed(page.first, page.messages, chat.zone, page.unverified)
    return pb.ListMessagesResponse(messages=found, head=room.head, epoch=room.epoch)


async def list_rooms(request: pb.ListRoomsRequest, chat: Chat) -> pb.ListRoomsResponse:
    """All rooms that one may know of."""
    return pb.ListRoomsResponse(rooms=proto.rooms(await chat.rooms.listed(reader(request))))


async def search(request: pb.SearchRequest, chat: Chat, pace: Pace) -> pb.SearchResponse:
    """Messages of a room that hold a text."""
    text = clean_search(request.text)
    pace.hear(chat.now(), SEARCH_FRAMES)
    await asyncio.sleep(pace.deaf_for(chat.now()))
    room = await chat.rooms.existing(clean_room(request.room or DEFAULT_ROOM), reader(request))
    hits = await chat.reading.search(room, text, request.before, request.limit or FOUND_MESSAGES)
    found = chat.reading.found(room, Search(text), hits)
    messages = proto.picked(found.ids, found.messages, chat.zone, found.unverified)
    return pb.SearchResponse(messages=messages, before=hits.before, head=room.head, epoch=room.epoch)


def reader(
    request: pb.ListMessagesRequest | pb.ListRoomsRequest | pb.SearchRequest | pb.FollowRequest,
) -> str:
    """The claim of who reads; empty if he shows nothing.

    Raises:
        Refused: `bad_frame` if the secret is too long.
    """
    return claim_of(clean_secret(request.secret))


async def import_(requests: AsyncIterator[pb.ImportRequest], chat: Chat, pace: Pace) -> pb.ImportResponse:
    """Say many messages.

    Raises:
        ItemRefused: one of them was refused.
        Refused: the call began wrongly.
    """
    first = await anext(requests, None)
    if first is None or not first.HasField("speaker"):
        raise Refused(Code.BAD_FRAME, detail="the first request must hold the `speaker`")
    speaker, many = await _Speaker.come(first.speaker, chat, pace), _Many()
    try:
        await _take(first, many, speaker, chat, pace)
        async for request in requests:
            if request.HasField("speaker"):
                refusal = Refused(Code.BAD_FRAME, detail="only the first request has a `speaker`")
                raise ItemRefused(many.taken, refusal)
            await _take(request, many, speaker, chat, pace)
    finally:
        try:
            await many.settled()
        finally:
            speaker.go(chat)
    return pb.ImportResponse(count=many.stored_count, ids=many.ids, epoch=speaker.room.epoch)


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Who has a name, and keeps a room open, for the time of a call."""

    person: Person
    room: Room

    @classmethod
    async def come(cls, given: pb.SendRequest | pb.Speaker, chat: Chat, pace: Pace) -> _Speaker:
        name, secret = clean_name(given.user), clean_secret(given.secret)
        chat.register.admission.into_chat(claim_of(secret), name, now=chat.clock())
        found = chat.rooms.open(clean_room(given.room or DEFAULT_ROOM), claim_of(secret))
        room = found if isinstance(found, Room) else await asyncio.shield(found)
        person = chat.register.come_in(name, secret, "", pace)
        chat.rooms.hold(room)
        return cls(person, room)

    def go(self, chat: Chat) -> None:
        chat.rooms.let_go(self.room)
        chat.register.go(self.person)


async def _find(room: Room, said: Said, after: int | None, chat: Chat) -> ChatWord | None:
    """A message that is said again after a lost connection, if the log has it."""
    if after is None or room.knows(said.user, said.key):
        return None
    return chat.reading.recognise(room, said, after, await chat.reading.said_by(room, said.user, after))


async def _say(room: Room, said: Said, chat: Chat) -> ChatWord | None:
    while room.is_full:
        await asyncio.shield(chat.space(room))
    return chat.say(room, said)


async def _take(request: pb.ImportRequest, many: _Many, speaker: _Speaker, chat: Chat, pace: Pace) -> None:
    for message in request.messages:
        many.check()
        try:
            text, key = clean_text(message.text), clean_key(message.key)
            await _keep_pace(pace, speaker, key, chat)
            said = Said(many, speaker.person.name, text, key, speaker.person.is_unverified)
            known = await _say(speaker.room, said, chat)
        except Refused as refusal:
            raise ItemRefused(many.taken, refusal) from None
        many.taken += 1
        if known:
            many.stored(known)


async def _keep_pace(pace: Pace, speaker: _Speaker, key: str, chat: Chat) -> None:
    """Many messages are held back rather than refused; those of this machine itself only where the room is slow."""
    while True:
        try:
            chat.let_talk(speaker.room, speaker.person, key)
            if not pace.is_own_program:
                pace.say(chat.now())
        except Refused as refusal:
            if refusal.code is not Code.TOO_FAST:
                raise
            await asyncio.sleep(refusal.wait)
        else:
            chat.has_talked(speaker.room, speaker.person)
            return


class _Once(Sender):
    """Waits for one message.

    Attributes:
        word: the message as it is told, when it is on disk.
    """

    __slots__ = ("word",)

    def __init__(self) -> None:
        self.word: asyncio.Future[ChatWord] = asyncio.get_running_loop().create_future()

    def stored(self, word: ChatWord) -> None:
        if not self.word.done():
            self.word.set_result(word)

    def refused(self, refusal: Refused) -> None:
        if not self.word.done():
            self.word.set_exception(refusal)


class _Many(Sender):
    """Waits for many messages.

    Attributes:
        taken: how many have been said.
        stored_count: how many of them are on disk.
        ids: theirs.
    """

    __slots__ = ("_changed", "_refusal", "_refused_count", "ids", "stored_count", "taken")

    def __init__(self) -> None:
        self.taken = 0
        self.stored_count = 0
        self.ids: list[pb.IdRange] = []
        self._refusal: Refused | None = None
        self._refused_count = 0
        self._changed = asyncio.Event()

    def stored(self, word: ChatWord) -> None:
        self.stored_count += 1
        if self.ids and self.ids[-1].last + 1 == word.id:
            self.ids[-1].last = word.id
        else:
            self.ids.append(pb.IdRange(first=word.id, last=word.id))
        self._changed.set()

    def refused(self, refusal: Refused) -> None:
        self._refusal = self._refusal or refusal
        self._refused_count += 1
        self._changed.set()

    async def settled(self) -> None:
        """Wait until each is on disk or refused.

        Raises:
            ItemRefused: if one was refused by the disk.
        """
        while self.stored_count + self._refused_count < self.taken:
            self._changed.clear()
            await self._changed.wait()
        self.check()

    def check(self) -> None:
        """Notice what was refused.

        Raises:
            ItemRefused: the first one of it.
        """
        if self._refusal:
            raise ItemRefused(self.stored_count, self._refusal)
