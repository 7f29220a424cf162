"""What a client may say and what a server may tell: one type for each frame.

Each frame is a JSON object whose ``type`` names it. Frames of the seed's protocol are the same types with fewer
fields, so that one encoding of a message serves both kinds of client.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeVar, get_args

import msgspec

from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.log_line import clock_time
from besedka.wire.message import Message, MessageId
from besedka.wire.validation import DEFAULT_ROOM, SYSTEM_NAME

PAGE_MESSAGES = 50
"""How many older messages a client gets that does not say how many."""

PAGE_MESSAGES_AT_MOST = 500
"""How many it gets at most in one frame; asking for more is no error."""

FOUND_MESSAGES = 20
"""How many messages a client is shown at once that searches and does not say how many."""

FOUND_MESSAGES_AT_MOST = 100
"""How many at most; asking for more is no error."""


Cursor = Annotated[int, msgspec.Meta(ge=0)]
"""The id of the last message seen; 0: none."""

Ordinal = Annotated[int, msgspec.Meta(ge=1)]

INVITATION_SECONDS = 7 * 24 * 60 * 60
"""How long an invitation lasts that says nothing else."""


class Kind(StrEnum):
    """The kinds of rooms.

    Anyone who is in the chat may enter an open one; a private one those who were invited; a direct one is the talk of two.
    """

    OPEN = "open"
    PRIVATE = "private"
    DIRECT = "direct"


class Act(StrEnum):
    """What those who keep order may do."""

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


class Frame(msgspec.Struct, tag_field="type", frozen=True, omit_defaults=True):
    """The root of all frames. Fields that hold their default are left out on the wire."""


class Join(Frame, tag="join", frozen=True):
    """Enter a room.

    Attributes:
        user: the name to be known by; absent for one who only reads, and is not seen.
        room: the room to enter.
        since: the id of the last message seen; absent for a newcomer, who is given the last 10.
        epoch: the ``epoch`` that ``since`` belongs to.
        secret: shows that two connections are the same person, who may then be there more than once.
        quiet: come in unseen: not counted, not announced, not among the users. For programs.
        invite: the token of an invitation, into this room or to this name.
    """

    user: str | None = None
    room: str = DEFAULT_ROOM
    since: Cursor | None = None
    epoch: str = ""
    secret: str = ""
    quiet: bool = False
    invite: str = ""


class Say(Frame, tag="chat", frozen=True):
    """Say something in a room.

    Attributes:
        text: what to say.
        room: where; it must have been joined.
        key: the sender's own mark, which comes back with the message. The same key is never stored twice.
        after: on a resend, the last id that the sender had seen before he said it the first time.
    """

    text: str
    room: str = DEFAULT_ROOM
    key: str = ""
    after: Cursor | None = None


class ListHistory(Frame, tag="history", frozen=True):
    """Ask for a page of messages older than the one with the id ``before``, ``limit`` of them at most."""

    before: Ordinal
    room: str = DEFAULT_ROOM
    limit: Ordinal = PAGE_MESSAGES


class BeginTyping(Frame, tag="typing", frozen=True):
    """Tell the others that something is being typed."""

    room: str = DEFAULT_ROOM


class Leave(Frame, tag="leave", frozen=True):
    """Leave a room."""

    room: str = DEFAULT_ROOM


class ListRooms(Frame, tag="rooms", frozen=True):
    """Ask which rooms there are; nothing need be joined for it. ``key`` comes back with the answer."""

    key: str = ""


class Search(Frame, tag="search", frozen=True):
    """Look for messages in a room, the newest ones first.

    Attributes:
        text: what a message must hold, in capitals or small letters.
        room: where; it must have been joined.
        before: look only at messages older than this id; 0: at all.
        limit: how many to show at most.
        key: comes back with the answer.
    """

    text: str
    room: str = DEFAULT_ROOM
    before: Cursor = 0
    limit: Ordinal = FOUND_MESSAGES
    key: str = ""


class OpenPrivate(Frame, tag="private", frozen=True):
    """Make a private room, and be its owner. Answered by a ``place``; enter it with a join."""

    room: str
    key: str = ""


class OpenDirect(Frame, tag="direct", frozen=True):
    """Talk with one person alone. Answered by a ``place``, whose room is the talk; enter it with a join."""

    user: str
    key: str = ""


class Invite(Frame, tag="invite", frozen=True):
    """Make an invitation into a private room that one owns. Answered by an ``invitation``.

    Attributes:
        room: the private room.
        uses: how many people may come in by it.
        seconds: how long it lasts.
        key: comes back with the answer.
    """

    room: str
    uses: Ordinal = 1
    seconds: Ordinal = INVITATION_SECONDS
    key: str = ""


class Uninvite(Frame, tag="uninvite", frozen=True):
    """Take back all invitations into a private room that one owns; or have a ``user`` be no member of it. Answered by ``done``."""

    room: str
    user: str = ""
    key: str = ""


class AddDevice(Frame, tag="add_device", frozen=True):
    """Take one's name along to another device. Answered by a ``device_link``.

    Attributes:
        user: the name, claimed by oneself.
        secret: one's own, once more: the server does not keep it.
        key: comes back with the answer.
    """

    user: str
    secret: str
    key: str = ""


class TakeDevice(Frame, tag="take_device", frozen=True):
    """Be, on this device, who has made the link with this token. Answered by a ``device``; nothing need be joined for it."""

    token: str
    key: str = ""


class Moderate(Frame, tag="moderate", frozen=True):
    """Keep order. Answered by ``done``; `admit` by an ``invitation``.

    Attributes:
        act: what to do.
        user: to whom; for a ban and its end it may also be an address.
        room: where, for `slow` and `redact`; all other acts are for the whole chat.
        id: of the message to redact.
        seconds: for how long to mute or ban, 0: until it is taken back; of `slow`: one message in so many, 0: as many as one likes.
        reason: why; for the record, and for who is banned.
        key: comes back with the answer.
    """

    act: Act
    user: str = ""
    room: str = DEFAULT_ROOM
    id: Cursor = 0
    seconds: Cursor = 0
    reason: str = ""
    key: str = ""


class SeedSay(Frame, tag="chat", frozen=True):
    """Say something, the seed's way: who speaks is said each time."""

    user: str
    text: str


class Limits(msgspec.Struct, frozen=True):
    """What the server takes at most: characters of a name, a room and a text, bytes of a frame."""

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
        epoch: changes when the log was replaced, and with it the meaning of ids; empty while there is no message.
        clients_count: how many people are there.
        users: their names (the first hundred or so).
        limits: what the server takes at most.
        utc_offset: how far the server's clock time is east of UTC, in seconds.
        reset: ``since`` could not be used; forget what was seen and start with the history that follows.
        kind: what kind of room it is.
        peer: with whom a direct talk is.
        may: what the one who is welcomed may do here beside talking: `invite`, `moderate`.
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


class History(Frame, tag="history", frozen=True):
    """A run of messages.

    Attributes:
        room: whose messages.
        first: the id of the first one; the others follow without a hole.
        messages: the log's own lines, one string for each message.
        before: repeats the question, if this answers one.
        keys: the keys that the one who is told gave to messages of this run, by id, as far as they are remembered.
        unverified: the ids of messages that nobody can be held to: their names were not claimed when they were said, or are
            claimed by nobody, or by another, now.
    """

    room: str
    first: int
    messages: list[str]
    before: int | None = None
    keys: dict[int, str] = {}
    unverified: list[int] = []


class SeedHistory(Frame, tag="history", frozen=True):
    """A run of messages, as the seed's clients know it.

    Attributes:
        messages: the log's own lines.
        user: for those of its clients who show every frame as somebody's words.
        text: for them, the same lines.
        timestamp: the server's clock time, ``HH:MM:SS``.
    """

    messages: list[str]
    user: str
    text: str
    timestamp: str


class Chat(Frame, tag="chat", frozen=True):
    """A message, told only after it is on disk.

    Attributes:
        id: its ordinal number in the room.
        timestamp: the server's clock time, ``HH:MM:SS``.
        at: the same moment in unix seconds.
        key: what its sender gave to know it by.
        unverified: its sender has not shown that the name is his.
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
    """Who came and who went.

    Attributes:
        text: a sentence for people.
        clients_count: how many people are in the room now.
        joined: the names of those who came (the first few of them).
        left: the names of those who went.
        users: told only to one who has missed some of it while he was behind: the names of all who are here now
            (the first of them), in place of what he knew.
    """

    room: str
    text: str
    timestamp: str
    clients_count: int
    joined: list[str]
    left: list[str]
    user: str = SYSTEM_NAME
    users: list[str] | msgspec.UnsetType = msgspec.UNSET


class Typing(Frame, tag="typing", frozen=True):
    """Somebody types."""

    room: str
    user: str


class RoomEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room, as it is listed.

    Attributes:
        name: its name.
        clients_count: how many people are there.
        kind: what kind it is.
        peer: with whom a direct talk is.
    """

    name: str
    clients_count: int
    kind: Kind = Kind.OPEN
    peer: str = ""


class Rooms(Frame, tag="rooms", frozen=True):
    """All rooms that have a log or are open, by name; of private ones and direct talks only one's own.

    Attributes:
        rooms: each of them.
        key: the question's.
    """

    rooms: list[RoomEntry]
    key: str = ""


class Found(Frame, tag="found", frozen=True):
    """What a search has found.

    Attributes:
        room: whose messages.
        text: what was looked for, as it was asked.
        messages: the log's own lines, one string for each message, in the order of the ids.
        ids: theirs.
        before: where to go on: ask again with it for what is older. 0: all was looked at. It may be more even where nothing
            was found, because a server looks only so long at a time.
        key: the question's.
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
    """A room that one may enter: the answer to ``private`` and ``direct``.

    Told also, without being asked, to the other one of a direct talk that begins.

    Attributes:
        room: its name, to be joined.
        kind: what kind it is.
        peer: with whom a direct talk is.
        key: the question's.
    """

    room: str
    kind: Kind
    peer: str = ""
    key: str = ""


class Invitation(Frame, tag="invitation", frozen=True):
    """An invitation into a private room, or to a name.

    Attributes:
        room: which one; empty if it is to a name.
        token: to be joined with, as ``invite``; told only now.
        uses: how many people may come in by it.
        expires: until when, in unix seconds.
        key: the question's.
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
        user: who one will be there.
        seconds: how long it lasts.
        key: the question's.
    """

    token: str
    user: str
    seconds: int
    key: str = ""


class Device(Frame, tag="device", frozen=True):
    """Who one is on this device from now on.

    Attributes:
        user: the name.
        secret: to be joined with, and to be kept in place of one's own.
        key: the question's.
    """

    user: str
    secret: str
    key: str = ""


class Done(Frame, tag="done", frozen=True):
    """What was asked for is done.

    Attributes:
        text: what, a sentence for people.
        key: the question's.
    """

    text: str
    key: str = ""


class Redacted(Frame, tag="redacted", frozen=True):
    """A message has another text now, in the log too: those who keep order have taken its own away.

    Attributes:
        room: where.
        id: which one.
        text: what stands in its place.
    """

    room: str
    id: int
    text: str


class Rights(Frame, tag="rights", frozen=True):
    """What one may do in a room has changed.

    Attributes:
        room: where.
        may: what one may do there now beside talking, as a welcome tells it.
    """

    room: str
    may: list[str]


class Error(Frame, tag="error", frozen=True):
    """A refusal.

    Attributes:
        code: for programs, one of `ErrorCode`.
        text: a sentence for people.
        key: the key of the message, or of the question, that was refused.
        room: the room that it was about.
        retry_after: how many seconds to wait before it is said again, where that helps. Until it is, all else with a key
            is refused as well, so that the order stays.
    """

    code: str
    text: str
    timestamp: str
    key: str = ""
    room: str = ""
    retry_after: float = 0.0


Request = OpenPrivate | OpenDirect | Invite | Uninvite | AddDevice | TakeDevice | Moderate
"""What is answered by one word, with its key."""

ClientFrame = Join | Say | ListHistory | BeginTyping | Leave | ListRooms | Search | Request
Response = RoomOpened | Invitation | DeviceLink | Device | Done
ServerFrame = (
    Welcome | History | Chat | System | Typing | Rooms | Found | Response | Redacted | Rights | Error
)
AnyFrame = ClientFrame | ServerFrame | SeedSay | SeedHistory

T = TypeVar("T")

_client: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)
_seed: msgspec.json.Decoder[SeedSay] = msgspec.json.Decoder(SeedSay)
_server: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)
_encoder = msgspec.json.Encoder()


def _types(frames: object) -> str:
    return ", ".join(frame.__struct_config__.tag for frame in get_args(frames))


CLIENT_TYPES = _types(ClientFrame)
SERVER_TYPES = _types(ServerFrame)


def encode(frame: AnyFrame) -> bytes:
    """The frame's JSON."""
    return _encoder.encode(frame)


def decode_client(data: bytes | str) -> ClientFrame:
    """What a client said at ``/ws``.

    Raises:
        Refused: `bad_json`, `bad_frame` or `unknown_type`.
    """
    return _decode(_client, data, CLIENT_TYPES)


def decode_seed(data: bytes | str) -> SeedSay:
    """What a client said at ``/``.

    Raises:
        Refused: `bad_json`, `bad_frame` or `unknown_type`.
    """
    return _decode(_seed, data, "chat")


def decode_server(data: bytes | str) -> ServerFrame:
    """What a server told.

    Raises:
        Refused: `bad_json`, `bad_frame` or `unknown_type`; for a client it means that this is no Besedka.
    """
    return _decode(_server, data, SERVER_TYPES)


def _decode(decoder: msgspec.json.Decoder[T], data: bytes | str, allowed: str) -> T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        detail = str(error)
        if detail.endswith("`$.type`") and detail.startswith("Invalid value"):
            given = detail.removeprefix("Invalid value ").split(" - at", 1)[0]
            raise Refused(ErrorCode.UNKNOWN_TYPE, given=given[:40], allowed=allowed) from None
        raise Refused(ErrorCode.BAD_FRAME, detail=detail) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Refused(ErrorCode.BAD_JSON, detail=str(error)) from None
    except RecursionError:
        raise Refused(ErrorCode.BAD_JSON, detail="it is nested too deeply") from None
