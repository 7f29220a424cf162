"""Words as protobuf messages and back: what a client says and a server tells, as `Converse` and `Follow` carry it. Pure.

``ConverseResponse.messages`` and ``FollowResponse.messages`` have the same number, so the same bytes serve both; and
responses with messages can be joined as bytes, because protobuf merges a field that comes twice
(protobuf.dev, *Encoding*, "Last one wins").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, assert_never

from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import UNSET

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.wire.line import STAMP, Line, clock_time, moment, read_line, write_line
from besedka.wire.names import DEFAULT_ROOM, SYSTEM_NAME
from besedka.wire.refusals import Code, Refused
from besedka.wire.words import (
    FOUND_MESSAGES,
    PAGE_MESSAGES,
    BeginTyping,
    Browse,
    Chat,
    ClientWord,
    Error,
    Found,
    History,
    Join,
    Leave,
    Limits,
    ListRooms,
    RoomEntry,
    Rooms,
    Say,
    Search,
    ServerWord,
    System,
    Typing,
    Welcome,
)

FIRST_YEAR: Final = 1000
"""Years before it have not four digits, as the log's times must."""

NO_TIME: Final = "0000-00-00 00:00:00"
"""The time of a message whose log has none that can be read."""


# What a client says.


def request(word: ClientWord) -> pb.ConverseRequest:
    """A word as a request of `Converse`."""
    match word:
        case Join(user, room, since, epoch, secret, quiet):
            join = pb.Join(room=room, user=user, since=since, epoch=epoch, secret=secret, quiet=quiet)
            return pb.ConverseRequest(join=join)
        case Say(text, room, key, after):
            return pb.ConverseRequest(say=pb.Say(room=room, text=text, key=key, after=after))
        case Browse(before, room, limit):
            return pb.ConverseRequest(history=pb.ListHistory(room=room, before=before, limit=limit))
        case BeginTyping(room):
            return pb.ConverseRequest(typing=pb.BeginTyping(room=room))
        case Leave(room):
            return pb.ConverseRequest(leave=pb.Leave(room=room))
        case ListRooms(key):
            return pb.ConverseRequest(list_rooms=pb.ListRooms(key=key))
        case Search(text, room, before, limit, key):
            search = pb.Search(room=room, text=text, before=before, limit=limit, key=key)
            return pb.ConverseRequest(search=search)
        case _:
            assert_never(word)


def said(request: pb.ConverseRequest) -> ClientWord:
    """The word that a request holds.

    Raises:
        Refused: `unknown_type` if it holds none, `bad_cursor` if it asks for messages before none.
    """
    kind = request.WhichOneof("action")
    if kind is None:
        allowed = "join, say, history, typing, leave, list_rooms, search"
        raise Refused(Code.UNKNOWN_TYPE, given="nothing", allowed=allowed)
    action = getattr(request, kind)
    if isinstance(action, pb.ListRooms):
        return ListRooms(action.key)
    room = action.room or DEFAULT_ROOM
    match action:
        case pb.Join():
            user = action.user if action.HasField("user") else None
            since = action.since if action.HasField("since") else None
            return Join(user, room, since, action.epoch, action.secret, action.quiet)
        case pb.Say():
            return Say(action.text, room, action.key, action.after if action.HasField("after") else None)
        case pb.ListHistory():
            if not action.before:
                raise Refused(Code.BAD_FRAME, detail="`before` is 1 or more", room=room)
            return Browse(action.before, room, action.limit or PAGE_MESSAGES)
        case pb.BeginTyping():
            return BeginTyping(room)
        case pb.Search():
            return Search(action.text, room, action.before, action.limit or FOUND_MESSAGES, action.key)
        case _:
            return Leave(room)


# What a server tells.


def messages(words: Sequence[Chat]) -> pb.Messages:
    """Messages that were just said."""
    found = [
        pb.Message(id=word.id, user=word.user, text=word.text, time=Timestamp(seconds=word.at), key=word.key)
        for word in words
    ]
    return pb.Messages(room=words[0].room, messages=found)


def listed(first: int, lines: Iterable[str], zone: tzinfo | None) -> list[pb.Message]:
    """Messages from a log, one behind the other."""
    return [_message(number, raw, zone) for number, raw in enumerate(lines, first)]


def picked(ids: Iterable[int], lines: Iterable[str], zone: tzinfo | None) -> list[pb.Message]:
    """Messages from anywhere in a log."""
    return [_message(number, raw, zone) for number, raw in zip(ids, lines, strict=True)]


def page(history: History, zone: tzinfo | None) -> pb.Messages:
    """A page of the log, for one who reads on."""
    found = pb.Messages(room=history.room, messages=listed(history.first, history.messages, zone))
    for number, key in history.keys.items():
        found.messages[number - history.first].key = key
    return found


def response(word: ServerWord, zone: tzinfo | None) -> pb.ConverseResponse:
    """A word as a response of `Converse`; the times of the log are in this zone."""
    match word:
        case Chat():
            return pb.ConverseResponse(messages=messages([word]))
        case History(before=None):
            return pb.ConverseResponse(messages=page(word, zone))
        case History():
            found = listed(word.first, word.messages, zone)
            return pb.ConverseResponse(
                history=pb.HistoryPage(room=word.room, before=word.before, messages=found)
            )
        case System():
            users = None if word.users is UNSET else word.users
            presence = pb.Presence(
                room=word.room,
                clients_count=word.clients_count,
                joined=word.joined,
                left=word.left,
                text=word.text,
                users=users,
                is_whole=users is not None,
            )
            return pb.ConverseResponse(presence=presence)
        case Typing():
            return pb.ConverseResponse(typing=pb.Typing(room=word.room, user=word.user))
        case Rooms():
            return pb.ConverseResponse(rooms=pb.Rooms(rooms=rooms(word.rooms), key=word.key))
        case Found():
            hits = picked(word.ids, word.messages, zone)
            return pb.ConverseResponse(
                found=pb.Found(
                    room=word.room, text=word.text, messages=hits, before=word.before, key=word.key
                )
            )
        case Error():
            refused = pb.Refused(
                code=f"CODE_{word.code.upper()}",
                text=word.text,
                key=word.key,
                room=word.room,
                retry_after=word.retry_after,
            )
            return pb.ConverseResponse(refused=refused)
        case Welcome():
            limits = pb.Limits(
                name=word.limits.name, room=word.limits.room, text=word.limits.text, frame=word.limits.frame
            )
            welcome = pb.Welcome(
                room=word.room,
                user=word.user,
                head=word.head,
                epoch=word.epoch,
                clients_count=word.clients_count,
                users=word.users,
                limits=limits,
                utc_offset=word.utc_offset,
                reset=word.reset,
            )
            return pb.ConverseResponse(welcome=welcome)
        case _:
            assert_never(word)


def rooms(entries: Iterable[RoomEntry]) -> list[pb.Room]:
    """Rooms, as they are listed."""
    return [pb.Room(name=entry.name, clients_count=entry.clients_count) for entry in entries]


def told(response: pb.ConverseResponse, utc_offset: int) -> list[ServerWord]:
    """The words that a response holds; clock times are east of UTC by so many seconds."""
    kind = response.WhichOneof("event")
    event = getattr(response, kind) if kind else None
    match event:
        case pb.Messages():
            return [_chat(event.room, message, utc_offset) for message in event.messages]
        case pb.HistoryPage():
            lines = [_line(message, utc_offset) for message in event.messages]
            first = event.messages[0].id if event.messages else event.before
            return [History(room=event.room, first=first, messages=lines, before=event.before)]
        case pb.Presence():
            return [
                System(
                    room=event.room,
                    text=event.text,
                    timestamp="",
                    clients_count=event.clients_count,
                    joined=list(event.joined),
                    left=list(event.left),
                    user=SYSTEM_NAME,
                    users=list(event.users) if event.is_whole else UNSET,
                )
            ]
        case pb.Typing():
            return [Typing(room=event.room, user=event.user)]
        case pb.Rooms():
            return [Rooms([RoomEntry(room.name, room.clients_count) for room in event.rooms], event.key)]
        case pb.Found():
            lines = [_line(message, utc_offset) for message in event.messages]
            ids = [message.id for message in event.messages]
            return [Found(event.room, event.text, lines, ids, event.before, event.key)]
        case pb.Refused():
            # A newer server may have more of them.
            name = pb.Code.Name(event.code) if event.code in pb.Code.values() else f"CODE_{event.code}"
            code = name.removeprefix("CODE_").lower()
            return [Error(code, event.text, "", event.key, event.room, event.retry_after)]
        case pb.Welcome():
            limits = event.limits
            return [
                Welcome(
                    room=event.room,
                    user=event.user,
                    head=event.head,
                    epoch=event.epoch,
                    clients_count=event.clients_count,
                    users=list(event.users),
                    limits=Limits(limits.name, limits.room, limits.text, limits.frame),
                    utc_offset=event.utc_offset,
                    reset=event.reset,
                )
            ]
        case _:
            return []  # from a newer server


def _message(number: int, raw: str, zone: tzinfo | None) -> pb.Message:
    line = read_line(raw)
    at = moment(line.stamp, zone)
    time = Timestamp(seconds=at) if at else None
    return pb.Message(id=number, user=line.user, text=line.text, time=time)


def _stamp(message: pb.Message, utc_offset: int) -> str:
    if not message.HasField("time"):
        return NO_TIME
    try:
        at = datetime.fromtimestamp(message.time.seconds, UTC) + timedelta(seconds=utc_offset)
    except (OverflowError, ValueError):
        return NO_TIME
    return at.strftime(STAMP) if at.year >= FIRST_YEAR else NO_TIME


def _chat(room: str, message: pb.Message, utc_offset: int) -> Chat:
    clock = clock_time(_stamp(message, utc_offset))
    return Chat(room, message.id, message.user, message.text, clock, message.time.seconds, message.key)


def _line(message: pb.Message, utc_offset: int) -> str:
    return write_line(Line(_stamp(message, utc_offset), message.user, message.text))
