"""The frames that clients and servers send: one type for each.

Each frame is a JSON object whose ``type`` names it. Frames of the seed's protocol are the same types with fewer
fields, so that one encoding of a message serves both kinds of client.

A new one also belongs into one of the unions at the end; if gRPC shall have it, into `chat.proto` and `besedka/proto/frames.py`.

The server acts on them in `besedka/serve/session/chat_session.py`, and on requests in `besedka/serve/session/requests.py`; the client library in
`besedka/remote/chat_connection.py`, the page in `besedka/client/chat/`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, TypeVar, get_args

import msgspec

from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.json_elements import has_more_elements
from besedka.wire.log_line import clock_time
from besedka.wire.message import Message, MessageId
from besedka.wire.salvage import key_and_room
from besedka.wire.validation import DEFAULT_ROOM, SYSTEM_NAME

PAGE_MESSAGES = 50
"""Default size of a page of older messages."""

PAGE_MESSAGES_AT_MOST = 500
"""Largest page; a request for more is no error."""

FOUND_MESSAGES = 20
"""Default number of messages that a search returns at once."""

FOUND_MESSAGES_AT_MOST = 100
"""Most messages that a search returns at once; a request for more is no error."""


ROOMS_LISTED = 500
"""Most rooms on a page of their list; a request for more is no error."""

ROOMS_LISTED_BYTES = 64 * 1024
"""Largest page of the list of rooms, in bytes of JSON: a request of 16 bytes must not cost megabytes."""

SERVER_ELEMENTS_AT_MOST = 10_000
"""Most elements of all lists of a server's frame. The most have a page of the list of rooms, with five fields for each room, and over
gRPC the messages that a stream has missed: some three thousand."""

LAST_SECOND = 253_370_764_800
"""The end of the year 9998, in unix seconds."""

Cursor = Annotated[int, msgspec.Meta(ge=0)]
"""The id of the last message seen; 0: none."""

Ordinal = Annotated[int, msgspec.Meta(ge=1)]

UnixSeconds = Annotated[int, msgspec.Meta(ge=0, le=LAST_SECOND)]
"""A moment of the years 1970 to 9998: whatever the zone, its year has four digits."""

INVITATION_SECONDS = 7 * 24 * 60 * 60
"""Default lifetime of an invitation."""


class Kind(StrEnum):
    """The kinds of rooms.

    Anyone in the chat may enter an open room. A private room needs an invitation. A direct room is for direct messages between
    two people.
    """

    OPEN = "open"
    PRIVATE = "private"
    DIRECT = "direct"


class Act(StrEnum):
    """The actions of moderators."""

    KICK = "kick"
    MUTE = "mute"
    UNMUTE = "unmute"
    BAN = "ban"
    UNBAN = "unban"
    SLOW = "slow"
    REDACT = "redact"
    APPOINT = "appoint"
    DISMISS = "dismiss"
    ADMIT = "admit"
    RELEASE = "release"
    ENTRUST = "entrust"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    RENAME = "rename"
    DELETE = "delete"


class Frame(msgspec.Struct, tag_field="type", frozen=True, omit_defaults=True):
    """The base of all frames. Fields that hold their default are left out on the wire."""


class Join(Frame, tag="join", frozen=True):
    """Enter a room.

    Attributes:
        user: the name to be known by; absent for a reader, who cannot post and is not shown to others.
        room: the room to enter.
        since: the id of the last message seen; absent for a newcomer, who receives the last 10.
        epoch: the ``epoch`` that ``since`` belongs to.
        secret: shows that two connections are the same person, who may then be present more than once.
        quiet: join unseen: not counted, not announced, not among the users. For programs.
        invite: the token of an invitation to this room or to this name.
        must_exist: open no new room: if it is not there, the join is refused with `no_such_room`. For names that may be mistyped.
        rename: take this name in a room that the connection is in under another one; if it is refused, the old one stays in use.
    """

    user: str | None = None
    room: str = DEFAULT_ROOM
    since: Cursor | None = None
    epoch: str = ""
    secret: str = ""
    quiet: bool = False
    invite: str = ""
    must_exist: bool = False
    rename: bool = False


class Say(Frame, tag="chat", frozen=True):
    """Post a message in a room.

    Attributes:
        text: the message.
        room: the room, which must have been joined.
        key: chosen by the sender, comes back with the message. The same key is never stored twice.
        after: on a resend, the last id that the sender had seen before sending it the first time.
    """

    text: str
    room: str = DEFAULT_ROOM
    key: str = ""
    after: Cursor | None = None


class ListHistory(Frame, tag="history", frozen=True):
    """Request a page of a room's messages: those older than an id, or those from a time on.

    Attributes:
        before: the id.
        room: the room, which must have been joined.
        limit: return at most this many.
        from_time: in unix seconds; the page begins with the first message of this time or later. Either this or ``before`` is given.
        key: comes back with the answer.
    """

    before: Ordinal | None = None
    room: str = DEFAULT_ROOM
    limit: Ordinal = PAGE_MESSAGES
    from_time: UnixSeconds | None = None
    key: str = ""


class BeginTyping(Frame, tag="typing", frozen=True):
    """Let the others know that the user is typing."""

    room: str = DEFAULT_ROOM


class Leave(Frame, tag="leave", frozen=True):
    """Leave a room."""

    room: str = DEFAULT_ROOM


class MarkRead(Frame, tag="read", frozen=True):
    """Note that the user has read a room up to a message. It is answered only if it is refused; of several the highest counts.

    Attributes:
        id: the last message that they have read.
        room: the room, which must have been joined under a claimed name.
    """

    id: Ordinal
    room: str = DEFAULT_ROOM


class ListRooms(Frame, tag="rooms", frozen=True):
    """Request a page of the list of rooms; no room need be joined.

    Attributes:
        key: comes back with the answer.
        after: the ``next`` of the page before this one; empty for the first page. A room's name is taken, too.
        limit: return at most this many.
        watch: send a ``place`` for each new open room from now on.
    """

    key: str = ""
    after: str = ""
    limit: Ordinal = ROOMS_LISTED
    watch: bool = False


class Search(Frame, tag="search", frozen=True):
    """Search the messages of a room, newest first. A text, a name or a time must be given; what is found fits all that are.

    Attributes:
        text: a message must contain it, in any case and spelling of its letters.
        room: the room, which must have been joined.
        before: search only messages older than this id; 0: all.
        limit: return at most this many.
        key: comes back with the answer.
        user: the author's whole name, in any case.
        from_time: the earliest time, in unix seconds.
        to_time: the time before which a message was posted, in unix seconds.
    """

    text: str = ""
    room: str = DEFAULT_ROOM
    before: Cursor = 0
    limit: Ordinal = FOUND_MESSAGES
    key: str = ""
    user: str = ""
    from_time: UnixSeconds | None = None
    to_time: UnixSeconds | None = None


class OpenPrivate(Frame, tag="private", frozen=True):
    """Create a private room and become its owner. Answered by a ``place``; enter it with a join."""

    room: str
    key: str = ""


class OpenDirect(Frame, tag="direct", frozen=True):
    """Open the direct room with a person. Answered by a ``place``; enter it with a join."""

    user: str
    key: str = ""


class Invite(Frame, tag="invite", frozen=True):
    """Create an invitation to a private room, as its owner. Answered by an ``invitation``.

    Attributes:
        room: the private room.
        uses: how many people may join with it.
        seconds: how long it lasts.
        key: comes back with the answer.
    """

    room: str
    uses: Ordinal = 1
    seconds: Ordinal = INVITATION_SECONDS
    key: str = ""


class Uninvite(Frame, tag="uninvite", frozen=True):
    """Revoke all invitations to a private room, or a ``user``'s membership, as its owner. Answered by ``done``."""

    room: str
    user: str = ""
    key: str = ""


class Block(Frame, tag="block", frozen=True):
    """Take no direct messages from a person any more. Answered by ``done``.

    Attributes:
        user: the person's name.
        key: comes back with the answer.
    """

    user: str
    key: str = ""


class Unblock(Frame, tag="unblock", frozen=True):
    """Take direct messages from a person again. Answered by ``done``.

    Attributes:
        user: the person's name, as they have it now or as it was when they were blocked.
        key: comes back with the answer.
    """

    user: str
    key: str = ""


class AddDevice(Frame, tag="add_device", frozen=True):
    """Add another device to a name. Answered by a ``device_link``.

    Attributes:
        user: the name, which the sender has claimed.
        secret: the sender's own, once more: the server does not keep it.
        key: comes back with the answer.
    """

    user: str
    secret: str
    key: str = ""


class TakeDevice(Frame, tag="take_device", frozen=True):
    """Become, on this device, the person who made the link with this token. Answered by a ``device``; no room need be joined."""

    token: str
    key: str = ""


class Moderate(Frame, tag="moderate", frozen=True):
    """Moderate. Answered by ``done``; `admit` by an ``invitation``.

    Attributes:
        act: the action.
        user: its target; for a ban and its end it may also be an address.
        room: the room, for `slow`, `redact`, `entrust`, `archive`, `unarchive`, `rename` and `delete`; all other acts are for the whole chat.
        id: of the message to redact.
        seconds: how long to mute or ban, 0: until revoked; for `slow`: the interval between messages, 0: none.
        reason: for the audit log, and for the person banned.
        key: comes back with the answer.
        to: of `rename`: the new name.
    """

    act: Act
    user: str = ""
    room: str = DEFAULT_ROOM
    id: Cursor = 0
    seconds: Cursor = 0
    reason: str = ""
    key: str = ""
    to: str = ""


class SeedSay(Frame, tag="chat", frozen=True):
    """Post a message in the seed's protocol, where each frame names its sender."""

    user: str
    text: str


class Limits(msgspec.Struct, frozen=True):
    """The server's limits: characters of a name, a room and a text, bytes of a frame."""

    name: int
    room: int
    text: int
    frame: int


class Welcome(Frame, tag="welcome", frozen=True):
    """The answer to a join.

    Attributes:
        room: the room's name as it is used.
        user: the name as it is used.
        head: the id of the last message of the room, 0 if there is none.
        epoch: changes when the log is replaced, and with it the meaning of ids; empty while there is no message.
        clients_count: how many people are present.
        users: their names (the first hundred or so).
        limits: the server's limits.
        utc_offset: how far the server's clock time is east of UTC, in seconds.
        reset: ``since`` could not be used; forget all messages and start with the history that follows.
        kind: the room's kind.
        peer: the other person in a direct room.
        may: the recipient's rights here beside posting: `invite`, `moderate`.
        read_up_to: the id of the last message that they have read, on any device, 0 if they have read none of this log; None if the
            server keeps no marks for them, because they have shown no secret of a claimed name.
        slow: in slow mode, the seconds between two messages of a person who is no moderator; 0: the room is not slow.
        archived: whether the room is archived: it can be read, and nobody may post.
    """

    room: str
    user: str
    head: int
    epoch: str
    clients_count: int
    users: list[str]
    limits: Limits
    utc_offset: int
    reset: bool = False
    kind: Kind = Kind.OPEN
    peer: str = ""
    may: list[str] = []
    read_up_to: int | None = None
    slow: int = 0
    archived: bool = False


class History(Frame, tag="history", frozen=True):
    """A run of messages.

    Attributes:
        room: their room.
        first: the id of the first message; the others follow without a gap.
        messages: the log's own lines, one string for each message.
        before: as in the request that this answers, if it answers one.
        from_time: the same.
        keys: the keys that the recipient gave to messages of this run, by id, as far as the server remembers them.
        unverified: the ids of messages whose sender is not verified: the name was not claimed when they were posted, or is
            unclaimed, or claimed by somebody else, now.
        key: that of the request that this answers.
    """

    room: str
    first: int
    messages: list[str]
    before: int | None = None
    keys: dict[int, str] = {}
    unverified: list[int] = []
    from_time: int | None = None
    key: str = ""


class SeedHistory(Frame, tag="history", frozen=True):
    """A run of messages, as the seed's clients know it.

    Attributes:
        messages: the log's own lines.
        user: for seed clients that show every frame as a message.
        text: for them, the same lines.
        timestamp: the server's clock time, ``HH:MM:SS``.
    """

    messages: list[str]
    user: str
    text: str
    timestamp: str


class Chat(Frame, tag="chat", frozen=True):
    """A message, sent only after it is on disk.

    Attributes:
        id: its ordinal number in the room.
        timestamp: the server's clock time, ``HH:MM:SS``.
        at: the same moment in unix seconds.
        key: chosen by its sender.
        unverified: its sender has not shown that the name is theirs.
    """

    room: str
    id: int
    user: str
    text: str
    timestamp: str
    at: int
    key: str = ""
    unverified: bool = False

    @classmethod
    def of(cls, room: str, message: Message) -> Chat:
        """The frame of a message."""
        clock = clock_time(message.stamp)
        return cls(
            room, message.id, message.user, message.text, clock, message.at, message.key, message.unverified
        )

    def message(self, stamp: str) -> Message:
        """The message in the frame; ``stamp`` is its time as the log writes it (`stamp_by_clock`)."""
        return Message(stamp, self.user, self.text, MessageId(self.id), self.at, self.key, self.unverified)


class System(Frame, tag="system", frozen=True, omit_defaults=False):
    """A change of presence, of slow mode, or of whether the room is archived.

    Attributes:
        text: a sentence for people.
        clients_count: how many people are in the room now.
        joined: the names of people who joined (the first few of them).
        left: the names of people who left.
        users: sent only to a client that missed notices while it was behind, or when somebody was hidden: the names of all who are present
            (the first of them), which replace the client's list.
        renamed: the new names of people who have changed theirs, by the old ones; they are among ``joined`` and ``left``, too.
        slow: sent only when slow mode has changed: as in a welcome.
        archived: sent only when the room was archived or unarchived: as in a welcome.
    """

    room: str
    text: str
    timestamp: str
    clients_count: int
    joined: list[str]
    left: list[str]
    user: str = SYSTEM_NAME
    users: list[str] | msgspec.UnsetType = msgspec.UNSET
    renamed: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    slow: int | msgspec.UnsetType = msgspec.UNSET
    archived: bool | msgspec.UnsetType = msgspec.UNSET


class Typing(Frame, tag="typing", frozen=True):
    """Somebody types."""

    room: str
    user: str


class RoomEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room, as it is listed.

    Attributes:
        name: its name.
        clients_count: how many people are present.
        kind: its kind.
        peer: the other person in a direct room.
        asked: of a direct room that the other has opened, and in which the recipient has not answered: its number among these,
            from 1, the newest last; 0 for all other rooms.
        blocked: whether the recipient has blocked the other person of a direct room, under whatever name.
        archived: whether it is archived: it can be read, and nobody may post.
    """

    name: str
    clients_count: int
    kind: Kind = Kind.OPEN
    peer: str = ""
    asked: int = 0
    blocked: bool = False
    archived: bool = False


class Rooms(Frame, tag="rooms", frozen=True):
    """A page of the list of rooms: the recipient's own private and direct rooms, then the open rooms with a log or with people.

    Attributes:
        rooms: each of them; both parts are sorted by name.
        key: the request's.
        blocked: the names of the people whom the recipient has blocked.
        next: the ``after`` of the next page; empty on the last one. A page may hold less than was requested, or nothing, and yet not
            be the last: the server limits its bytes, and how many rooms it looks at.
    """

    rooms: list[RoomEntry]
    key: str = ""
    blocked: list[str] = []
    next: str = ""


class Found(Frame, tag="found", frozen=True):
    """The result of a search.

    Attributes:
        room: the room searched.
        text: as in the request.
        messages: the log's own lines, one string for each message, in the order of the ids.
        ids: theirs.
        before: search again with it for older messages; 0: there are none. It may be above 0 even where nothing was found,
            because the server limits the time of one search.
        key: the request's.
        unverified: as in a run of messages.
    """

    room: str
    text: str
    messages: list[str]
    ids: list[int]
    before: int
    key: str = ""
    unverified: list[int] = []


class RoomOpened(Frame, tag="place", frozen=True):
    """A room that the recipient may enter: the answer to ``private`` and ``direct``.

    The server also sends it, unrequested, to the peer when a direct room is opened, and for each new open room to those who watch the list.

    Attributes:
        room: its name, for a join.
        kind: its kind.
        peer: the other person in a direct room.
        key: the request's.
        asked: the other has opened the direct room, and the recipient has not answered there.
    """

    room: str
    kind: Kind
    peer: str = ""
    key: str = ""
    asked: bool = False


class Invitation(Frame, tag="invitation", frozen=True):
    """An invitation to a private room, or to a name.

    Attributes:
        room: the private room; empty if the invitation is to a name.
        token: for the ``invite`` of a join; sent only once.
        uses: how many people may join with it.
        expires: when it ends, in unix seconds.
        key: the request's.
    """

    room: str
    token: str
    uses: int
    expires: int
    key: str = ""


class DeviceLink(Frame, tag="device_link", frozen=True):
    """A token by which another device becomes the same person, once.

    Attributes:
        token: for ``take_device``.
        user: the person's name.
        seconds: how long it lasts.
        key: the request's.
    """

    token: str
    user: str
    seconds: int
    key: str = ""


class Device(Frame, tag="device", frozen=True):
    """The identity of this device from now on.

    Attributes:
        user: the name.
        secret: for joins; replaces the device's own secret.
        key: the request's.
    """

    user: str
    secret: str
    key: str = ""


class Done(Frame, tag="done", frozen=True):
    """The request has been carried out.

    Attributes:
        text: a sentence for people that says what was done.
        key: the request's.
    """

    text: str
    key: str = ""


class Redacted(Frame, tag="redacted", frozen=True):
    """A moderator has redacted a message, in the log too.

    Attributes:
        room: its room.
        id: its id.
        text: replaces its text.
    """

    room: str
    id: int
    text: str


class Rights(Frame, tag="rights", frozen=True):
    """The recipient's rights in a room have changed.

    Attributes:
        room: the room.
        may: as in a welcome.
    """

    room: str
    may: list[str]


class ReadUpTo(Frame, tag="read", frozen=True):
    """The recipient has read more, on another device.

    Attributes:
        room: the room.
        id: the last message that they have read.
    """

    room: str
    id: int


NO_WAIT: Final = 0.0
"""The time to wait where waiting does not help. Only this very object is left out of the JSON: msgspec looks whether a number *is* the default."""


class Error(Frame, tag="error", frozen=True):
    """A refusal.

    Attributes:
        code: for programs, one of `ErrorCode`.
        text: a sentence for people.
        key: the key of the refused message or request.
        room: the room that it was about.
        retry_after: how many seconds to wait before resending it, where that helps. Until it is resent, the server refuses
            everything else with a key as well, to preserve the order.
    """

    code: str
    text: str
    timestamp: str
    key: str = ""
    room: str = ""
    retry_after: float = NO_WAIT


Request = OpenPrivate | OpenDirect | Invite | Uninvite | Block | Unblock | AddDevice | TakeDevice | Moderate
"""Requests that are answered by one frame, with their key."""

ClientFrame = Join | Say | ListHistory | BeginTyping | Leave | MarkRead | ListRooms | Search | Request
Response = RoomOpened | Invitation | DeviceLink | Device | Done
ServerFrame = (
    Welcome
    | History
    | Chat
    | System
    | Typing
    | Rooms
    | Found
    | Response
    | Redacted
    | Rights
    | ReadUpTo
    | Error
)
AnyFrame = ClientFrame | ServerFrame | SeedSay | SeedHistory

T = TypeVar("T")

_client: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)
_seed: msgspec.json.Decoder[SeedSay] = msgspec.json.Decoder(SeedSay)
_server: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)
_encoder = msgspec.json.Encoder()


def tags(frames: object) -> str:
    """The tags of a union of frames, for a sentence."""
    return ", ".join(frame.__struct_config__.tag for frame in get_args(frames))


CLIENT_TYPES = tags(ClientFrame)
SERVER_TYPES = tags(ServerFrame)


def encode(frame: AnyFrame) -> bytes:
    """The frame's JSON."""
    return _encoder.encode(frame)


def listed_bytes(entry: RoomEntry) -> int:
    """The bytes that a room takes in a list."""
    return len(_encoder.encode(entry)) + 1


def decode_client(data: bytes | str) -> ClientFrame:
    """A client's frame at ``/ws``.

    Raises:
        Refused: `bad_json`, `bad_frame` or `unknown_type`.
    """
    return decode_frame(_client, data, CLIENT_TYPES)


def decode_seed(data: bytes | str) -> SeedSay:
    """A client's frame at ``/``.

    Raises:
        Refused: `bad_json`, `bad_frame` or `unknown_type`.
    """
    return decode_frame(_seed, data, "chat")


def decode_server(data: bytes | str) -> ServerFrame:
    """A server's frame.

    Raises:
        Refused: `bad_json`, `bad_frame` or `unknown_type`; for a client it means that the server is not Besedka.
    """
    # For counting it does not matter which characters the strings hold.
    text = data if isinstance(data, str) else data.decode("latin-1")
    if has_more_elements(text, SERVER_ELEMENTS_AT_MOST):
        raise Refused(ErrorCode.BAD_FRAME, detail=f"it has more than {SERVER_ELEMENTS_AT_MOST} elements")
    return decode_frame(_server, data, SERVER_TYPES)


def decode_frame(decoder: msgspec.json.Decoder[T], data: bytes | str, allowed: str) -> T:
    """A frame of a union.

    Args:
        decoder: of the union.
        data: the frame's JSON.
        allowed: the tags of the union.

    Raises:
        Refused: `bad_json`, `bad_frame` or `unknown_type`, with the frame's key and room if they can be found.
    """
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        refusal = _refusal(error, allowed)
    refusal.key, refusal.room = key_and_room(data)
    raise refusal


def _refusal(error: Exception, allowed: str) -> Refused:
    """The refusal of a frame that cannot be decoded."""
    detail = str(error)
    if isinstance(error, RecursionError):
        return Refused(ErrorCode.BAD_JSON, detail="it is nested too deeply")
    if not isinstance(error, msgspec.ValidationError):
        return Refused(ErrorCode.BAD_JSON, detail=detail)
    if detail.endswith("`$.type`") and detail.startswith("Invalid value"):
        given = detail.removeprefix("Invalid value ").split(" - at", 1)[0]
        return Refused(ErrorCode.UNKNOWN_TYPE, given=given[:40], allowed=allowed)
    return Refused(ErrorCode.BAD_FRAME, detail=detail)
