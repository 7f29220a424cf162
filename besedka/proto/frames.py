"""Frames as protobuf messages and back, as `Converse` and `Follow` carry them. Pure.

``ConverseResponse.messages`` and ``FollowResponse.messages`` have the same number, so the same bytes serve both; and
responses with messages can be joined as bytes, because protobuf merges a field that comes twice
(protobuf.dev, *Encoding*, "Last one wins").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar, get_type_hints

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import UNSET

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import (
    FOUND_MESSAGES,
    INVITATION_SECONDS,
    LAST_SECOND,
    PAGE_MESSAGES,
    ROOMS_LISTED,
    Act,
    AddDevice,
    BeginTyping,
    Block,
    Chat,
    ClientFrame,
    Device,
    DeviceLink,
    Done,
    Error,
    Found,
    History,
    Invitation,
    Invite,
    Join,
    Kind,
    Leave,
    Limits,
    ListHistory,
    ListRooms,
    MarkRead,
    Moderate,
    OpenDirect,
    OpenPrivate,
    ReadUpTo,
    Redacted,
    Request,
    Response,
    Rights,
    RoomEntry,
    RoomOpened,
    Rooms,
    Say,
    Search,
    ServerFrame,
    System,
    TakeDevice,
    Typing,
    Unblock,
    Uninvite,
    Welcome,
)
from besedka.wire.log_line import clock_time, moment, read_line, stamp_by_clock, write_line
from besedka.wire.message import Message, MessageId
from besedka.wire.validation import DEFAULT_ROOM, SYSTEM_NAME

NO_TIME: Final = "0000-00-00 00:00:00"
"""The time of a message whose log has none that can be read."""

REQUESTS: Final[dict[str, type[Request]]] = {
    "private": OpenPrivate,
    "direct": OpenDirect,
    "invite": Invite,
    "uninvite": Uninvite,
    "block": Block,
    "unblock": Unblock,
    "add_device": AddDevice,
    "take_device": TakeDevice,
    "moderate": Moderate,
}
"""Requests that have the same fields in both forms."""

RESPONSES: Final[dict[str, type[Response | Redacted | Rights | ReadUpTo]]] = {
    "place": RoomOpened,
    "invitation": Invitation,
    "device_link": DeviceLink,
    "device": Device,
    "done": Done,
    "redacted": Redacted,
    "rights": Rights,
    "read": ReadUpTo,
}
"""Responses that have the same fields in both forms."""

W = TypeVar("W", bound=msgspec.Struct)
E = TypeVar("E", bound=StrEnum)

# From clients.


def request(frame: ClientFrame) -> pb.ConverseRequest:
    """A client's frame as a request of `Converse`."""
    match frame:
        case Join(user, room, since, epoch, secret, quiet, invite, must_exist, rename):
            join = pb.Join(
                room=room,
                user=user,
                since=since,
                epoch=epoch,
                secret=secret,
                quiet=quiet,
                invite=invite,
                must_exist=must_exist,
                rename=rename,
            )
            return pb.ConverseRequest(join=join)
        case Say(text, room, key, after):
            return pb.ConverseRequest(say=pb.Say(room=room, text=text, key=key, after=after))
        case ListHistory(before, room, limit, from_time, key):
            at = _proto_time(from_time)
            history = pb.ListHistory(room=room, before=before, limit=limit, from_time=at, key=key)
            return pb.ConverseRequest(history=history)
        case BeginTyping(room):
            return pb.ConverseRequest(typing=pb.BeginTyping(room=room))
        case Leave(room):
            return pb.ConverseRequest(leave=pb.Leave(room=room))
        case MarkRead(number, room):
            return pb.ConverseRequest(read=pb.MarkRead(room=room, id=number))
        case ListRooms(key, after, limit, watch):
            listing = pb.ListRooms(key=key, after=after, limit=limit, watch=watch)
            return pb.ConverseRequest(list_rooms=listing)
        case Search(text, room, before, limit, key, user, from_time, to_time):
            looked_for = pb.Search(
                room=room,
                text=text,
                before=before,
                limit=limit,
                key=key,
                user=user,
                from_time=_proto_time(from_time),
                to_time=_proto_time(to_time),
            )
            return pb.ConverseRequest(search=looked_for)
        case _:
            return pb.ConverseRequest(**{_kind_of_ask(frame): _fields(frame)})


def client_frame(request: pb.ConverseRequest) -> ClientFrame:
    """A client's frame from a request of `Converse`.

    Raises:
        Refused: `unknown_type` if it holds none, `bad_frame` if it requests messages before id 0 or an unknown act, or marks id 0.
    """
    kind = request.WhichOneof("action")
    if kind is None:
        allowed = ", ".join(field.name for field in request.DESCRIPTOR.fields)
        raise Refused(ErrorCode.UNKNOWN_TYPE, given="nothing", allowed=allowed)
    action = getattr(request, kind)
    if kind in REQUESTS:
        return _asked(REQUESTS[kind], action)
    if isinstance(action, pb.ListRooms):
        return ListRooms(action.key, action.after, action.limit or ROOMS_LISTED, action.watch)
    room = action.room or DEFAULT_ROOM
    match action:
        case pb.Join():
            user = action.user if action.HasField("user") else None
            since = action.since if action.HasField("since") else None
            return Join(
                user,
                room,
                since,
                action.epoch,
                action.secret,
                action.quiet,
                action.invite,
                action.must_exist,
                action.rename,
            )
        case pb.Say():
            return Say(action.text, room, action.key, action.after if action.HasField("after") else None)
        case pb.ListHistory():
            return _list_history(action, room)
        case pb.BeginTyping():
            return BeginTyping(room)
        case pb.MarkRead():
            return _mark_read(action, room)
        case pb.Search():
            return search(action, action.key)
        case _:
            return Leave(room)


def _list_history(action: pb.ListHistory, room: str) -> ListHistory:
    from_time = _time_of(action, "from_time")
    if not action.before and from_time is None:
        detail = "`before` is 1 or more, unless `from_time` is given"
        raise Refused(ErrorCode.BAD_FRAME, detail=detail, room=room, key=action.key)
    return ListHistory(action.before or None, room, action.limit or PAGE_MESSAGES, from_time, action.key)


def _mark_read(action: pb.MarkRead, room: str) -> MarkRead:
    if not action.id:
        raise Refused(ErrorCode.BAD_FRAME, detail="`id` is 1 or more", room=room)
    return MarkRead(action.id, room)


def search(action: pb.Search | pb.SearchRequest, key: str = "") -> Search:
    """A search from a request.

    Raises:
        Refused: `bad_frame` if a time is outside the years 1970 to 9998.
    """
    return Search(
        action.text,
        action.room or DEFAULT_ROOM,
        action.before,
        action.limit or FOUND_MESSAGES,
        key,
        action.user,
        _time_of(action, "from_time"),
        _time_of(action, "to_time"),
    )


def _time_of(action: pb.Search | pb.SearchRequest | pb.ListHistory, field: str) -> int | None:
    """A time in a request, if it has one."""
    return unix_seconds(field, getattr(action, field)) if action.HasField(field) else None


def unix_seconds(field: str, time: Timestamp) -> int:
    """The seconds of a time in a request; whole ones, as the log has them.

    Raises:
        Refused: `bad_frame` if it is outside the years 1970 to 9998.
    """
    if not 0 <= time.seconds <= LAST_SECOND:
        detail = f"`{field}` is a time of the years 1970 to 9998"
        raise Refused(ErrorCode.BAD_FRAME, detail=detail)
    seconds: int = time.seconds
    return seconds


def _proto_time(at: int | None) -> Timestamp | None:
    return None if at is None else Timestamp(seconds=at)


# From servers.


def messages(frames: Sequence[Chat]) -> pb.Messages:
    """Messages that were just posted."""
    found = [_encoded(frame.message(frame.timestamp)) for frame in frames]
    return pb.Messages(room=frames[0].room, messages=found)


def listed(
    first: int, lines: Iterable[str], zone: tzinfo | None, unverified: Iterable[int] = ()
) -> list[pb.Message]:
    """Messages from a log, one behind the other."""
    flagged = frozenset(unverified)
    return [_message(number, raw, zone, number in flagged) for number, raw in enumerate(lines, first)]


def picked(
    ids: Iterable[int], lines: Iterable[str], zone: tzinfo | None, unverified: Iterable[int] = ()
) -> list[pb.Message]:
    """Messages from anywhere in a log."""
    flagged = frozenset(unverified)
    return [_message(number, raw, zone, number in flagged) for number, raw in zip(ids, lines, strict=True)]


def page(history: History, zone: tzinfo | None) -> pb.Messages:
    """A page of the log, for one who reads on."""
    lines = listed(history.first, history.messages, zone, history.unverified)
    found = pb.Messages(room=history.room, messages=lines)
    for number, key in history.keys.items():
        found.messages[number - history.first].key = key
    return found


def response(frame: ServerFrame, zone: tzinfo | None) -> pb.ConverseResponse:
    """A frame as a response of `Converse`; the times of the log are in this zone."""
    match frame:
        case Chat():
            return pb.ConverseResponse(messages=messages([frame]))
        case History(before=None, from_time=None):
            return pb.ConverseResponse(messages=page(frame, zone))
        case History():
            found = listed(frame.first, frame.messages, zone, frame.unverified)
            return pb.ConverseResponse(
                history=pb.HistoryPage(
                    room=frame.room,
                    before=frame.before,
                    messages=found,
                    from_time=_proto_time(frame.from_time),
                    first=frame.first,
                    key=frame.key,
                )
            )
        case System():
            users = None if frame.users is UNSET else frame.users
            presence = pb.Presence(
                room=frame.room,
                clients_count=frame.clients_count,
                joined=frame.joined,
                left=frame.left,
                text=frame.text,
                users=users,
                is_whole=users is not None,
                renamed=None if frame.renamed is UNSET else frame.renamed,
                slow=None if frame.slow is UNSET else frame.slow,
                archived=None if frame.archived is UNSET else frame.archived,
            )
            return pb.ConverseResponse(presence=presence)
        case Typing():
            return pb.ConverseResponse(typing=pb.Typing(room=frame.room, user=frame.user))
        case Rooms():
            listed_rooms = pb.Rooms(
                rooms=rooms(frame.rooms), key=frame.key, blocked=frame.blocked, next=frame.next
            )
            return pb.ConverseResponse(rooms=listed_rooms)
        case Found():
            hits = picked(frame.ids, frame.messages, zone, frame.unverified)
            return pb.ConverseResponse(
                found=pb.Found(
                    room=frame.room, text=frame.text, messages=hits, before=frame.before, key=frame.key
                )
            )
        case Error():
            refused = pb.Refused(
                code=f"CODE_{frame.code.upper()}",
                text=frame.text,
                key=frame.key,
                room=frame.room,
                retry_after=frame.retry_after,
            )
            return pb.ConverseResponse(refused=refused)
        case Welcome():
            limits = pb.Limits(
                name=frame.limits.name,
                room=frame.limits.room,
                text=frame.limits.text,
                frame=frame.limits.frame,
            )
            welcome = pb.Welcome(
                room=frame.room,
                user=frame.user,
                head=frame.head,
                epoch=frame.epoch,
                clients_count=frame.clients_count,
                users=frame.users,
                limits=limits,
                utc_offset=frame.utc_offset,
                reset=frame.reset,
                kind=_proto_value(frame.kind),
                peer=frame.peer,
                may=frame.may,
                read_up_to=frame.read_up_to,
                slow=frame.slow,
                archived=frame.archived,
            )
            return pb.ConverseResponse(welcome=welcome)
        case _:
            return pb.ConverseResponse(**{_kind_of_answer(frame): _fields(frame)})


def rooms(entries: Iterable[RoomEntry]) -> list[pb.Room]:
    """Rooms of a list."""
    return [pb.Room(**_fields(entry)) for entry in entries]


def server_frames(response: pb.ConverseResponse, utc_offset: int) -> list[ServerFrame]:
    """The server's frames from a response of `Converse`; the clock is ``utc_offset`` seconds east of UTC."""
    kind = response.WhichOneof("event")
    event = getattr(response, kind) if kind else None
    if kind in RESPONSES:
        return [_built(RESPONSES[kind], event)]
    match event:
        case pb.Messages():
            return [Chat.of(event.room, _decoded(message, utc_offset)) for message in event.messages]
        case pb.HistoryPage():
            lines = [write_line(_decoded(message, utc_offset)) for message in event.messages]
            from_time = event.from_time.seconds if event.HasField("from_time") else None
            before = event.before if from_time is None else None
            first = event.messages[0].id if event.messages else event.first or event.before
            flagged = _unverified(event.messages)
            return [History(event.room, first, lines, before, {}, flagged, from_time, event.key)]
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
                    renamed=dict(event.renamed) or UNSET,
                    slow=event.slow if event.HasField("slow") else UNSET,
                    archived=event.archived if event.HasField("archived") else UNSET,
                )
            ]
        case pb.Typing():
            return [Typing(room=event.room, user=event.user)]
        case pb.Rooms():
            entries = [_built(RoomEntry, room) for room in event.rooms]
            return [Rooms(entries, event.key, [*event.blocked], event.next)]
        case pb.Found():
            lines = [write_line(_decoded(message, utc_offset)) for message in event.messages]
            ids = [message.id for message in event.messages]
            flagged = _unverified(event.messages)
            return [Found(event.room, event.text, lines, ids, event.before, event.key, flagged)]
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
                    kind=_word_value(Kind, event.kind),
                    peer=event.peer,
                    may=list(event.may),
                    read_up_to=event.read_up_to if event.HasField("read_up_to") else None,
                    slow=event.slow,
                    archived=event.archived,
                )
            ]
        case _:
            return []  # from a newer server


# Words that are the same in both languages, field by field.


def _kind_of_ask(frame: Request) -> str:
    return next(kind for kind, one in REQUESTS.items() if one is type(frame))


def _kind_of_answer(frame: Response | Redacted | Rights | ReadUpTo) -> str:
    return next(kind for kind, one in RESPONSES.items() if one is type(frame))


def _fields(frame: msgspec.Struct) -> dict[str, Any]:
    return {name: _proto_value(value) for name, value in msgspec.structs.asdict(frame).items()}


def _proto_value(value: Any) -> Any:
    return f"{type(value).__name__.upper()}_{value.name}" if isinstance(value, StrEnum) else value


def _built(kind: type[W], message: Any) -> W:
    values = {name: getattr(message, name) for name in kind.__struct_fields__}
    return kind(**{**values, **{name: _word_value(enum, values[name]) for name, enum in _enum_fields(kind)}})


@cache
def _enum_fields(kind: type[msgspec.Struct]) -> Sequence[tuple[str, type[Kind | Act]]]:
    """The fields of a frame that hold a word of an enum. Type hints take some ten microseconds to evaluate, and lists are long."""
    return [(name, hint) for name, hint in get_type_hints(kind).items() if hint in {Kind, Act}]


def _word_value(kind: type[E], number: int) -> E:
    """The member of an enum of ours; of a number that is none, as a newer server may have, the first one."""
    return _words(kind).get(number) or next(iter(kind))


@cache
def _words(kind: type[E]) -> Mapping[int, E]:
    numbers: Mapping[str, int] = dict(getattr(pb, kind.__name__).items())
    return {numbers[_proto_value(one)]: one for one in kind}


def _asked(kind: type[Request], action: Any) -> Request:
    if kind is Moderate and action.act not in pb.Act.values()[1:]:
        raise Refused(ErrorCode.BAD_FRAME, detail=f"`act` is one of {', '.join(Act)}")
    frame = _built(kind, action)
    match frame:
        case Invite():
            uses, seconds = frame.uses or 1, frame.seconds or INVITATION_SECONDS
            return Invite(frame.room, uses, seconds, frame.key)
        case Moderate(room=""):
            return msgspec.structs.replace(frame, room=DEFAULT_ROOM)
        case _:
            return frame


def _unverified(messages: Iterable[pb.Message]) -> list[int]:
    return [message.id for message in messages if message.unverified]


def _message(number: int, raw: str, zone: tzinfo | None, unverified: bool) -> pb.Message:
    message = read_line(raw)
    at = moment(message.stamp, zone)
    return _encoded(msgspec.structs.replace(message, id=MessageId(number), at=at, unverified=unverified))


def _encoded(message: Message) -> pb.Message:
    return pb.Message(
        id=message.id,
        user=message.user,
        text=message.text,
        time=Timestamp(seconds=message.at) if message.at else None,
        key=message.key,
        clock=clock_time(message.stamp),
        unverified=message.unverified,
    )


def _decoded(message: pb.Message, utc_offset: int) -> Message:
    return Message(
        _stamp(message, utc_offset),
        message.user,
        message.text,
        MessageId(message.id),
        message.time.seconds,
        message.key,
        message.unverified,
    )


def _stamp(message: pb.Message, utc_offset: int) -> str:
    if not message.HasField("time"):
        return NO_TIME
    try:
        return stamp_by_clock(message.time.seconds, utc_offset, message.clock)
    except (OverflowError, ValueError, OSError):
        return NO_TIME
