import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_OPEN: _ClassVar[Kind]
    KIND_PRIVATE: _ClassVar[Kind]
    KIND_DIRECT: _ClassVar[Kind]

class Act(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACT_UNSPECIFIED: _ClassVar[Act]
    ACT_KICK: _ClassVar[Act]
    ACT_MUTE: _ClassVar[Act]
    ACT_UNMUTE: _ClassVar[Act]
    ACT_BAN: _ClassVar[Act]
    ACT_UNBAN: _ClassVar[Act]
    ACT_SLOW: _ClassVar[Act]
    ACT_REDACT: _ClassVar[Act]
    ACT_APPOINT: _ClassVar[Act]
    ACT_DISMISS: _ClassVar[Act]
    ACT_ADMIT: _ClassVar[Act]
    ACT_RELEASE: _ClassVar[Act]
    ACT_ENTRUST: _ClassVar[Act]
    ACT_ARCHIVE: _ClassVar[Act]
    ACT_UNARCHIVE: _ClassVar[Act]
    ACT_RENAME: _ClassVar[Act]
    ACT_DELETE: _ClassVar[Act]

class Code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CODE_UNSPECIFIED: _ClassVar[Code]
    CODE_BAD_JSON: _ClassVar[Code]
    CODE_BAD_FRAME: _ClassVar[Code]
    CODE_UNKNOWN_TYPE: _ClassVar[Code]
    CODE_BINARY_FRAME: _ClassVar[Code]
    CODE_FRAME_TOO_LONG: _ClassVar[Code]
    CODE_BAD_NAME: _ClassVar[Code]
    CODE_NAME_RESERVED: _ClassVar[Code]
    CODE_NAME_TAKEN: _ClassVar[Code]
    CODE_BAD_ROOM: _ClassVar[Code]
    CODE_EMPTY_TEXT: _ClassVar[Code]
    CODE_TEXT_TOO_LONG: _ClassVar[Code]
    CODE_BAD_KEY: _ClassVar[Code]
    CODE_NOT_JOINED: _ClassVar[Code]
    CODE_ALREADY_JOINED: _ClassVar[Code]
    CODE_TOO_FAST: _ClassVar[Code]
    CODE_TOO_MANY_CONNECTIONS: _ClassVar[Code]
    CODE_TOO_MANY_ROOMS: _ClassVar[Code]
    CODE_ROOM_UNAVAILABLE: _ClassVar[Code]
    CODE_STORAGE_FULL: _ClassVar[Code]
    CODE_NOT_STORED: _ClassVar[Code]
    CODE_GOING_DOWN: _ClassVar[Code]
    CODE_NO_SUCH_ROOM: _ClassVar[Code]
    CODE_BAD_CURSOR: _ClassVar[Code]
    CODE_BAD_SEARCH: _ClassVar[Code]
    CODE_NO_NAME: _ClassVar[Code]
    CODE_NAME_CLAIMED: _ClassVar[Code]
    CODE_NOT_KNOWN: _ClassVar[Code]
    CODE_TOO_MANY_NAMES: _ClassVar[Code]
    CODE_NO_SUCH_NAME: _ClassVar[Code]
    CODE_NO_SECRET: _ClassVar[Code]
    CODE_ROOM_TAKEN: _ClassVar[Code]
    CODE_NOT_INVITED: _ClassVar[Code]
    CODE_BAD_LINK: _ClassVar[Code]
    CODE_NOT_ALLOWED: _ClassVar[Code]
    CODE_MUTED: _ClassVar[Code]
    CODE_BANNED: _ClassVar[Code]
    CODE_NO_ACCESS: _ClassVar[Code]
    CODE_NOT_ACCEPTED: _ClassVar[Code]
    CODE_ROOM_ARCHIVED: _ClassVar[Code]
    CODE_ROOM_GONE: _ClassVar[Code]
    CODE_OUT_OF_REACH: _ClassVar[Code]
KIND_OPEN: Kind
KIND_PRIVATE: Kind
KIND_DIRECT: Kind
ACT_UNSPECIFIED: Act
ACT_KICK: Act
ACT_MUTE: Act
ACT_UNMUTE: Act
ACT_BAN: Act
ACT_UNBAN: Act
ACT_SLOW: Act
ACT_REDACT: Act
ACT_APPOINT: Act
ACT_DISMISS: Act
ACT_ADMIT: Act
ACT_RELEASE: Act
ACT_ENTRUST: Act
ACT_ARCHIVE: Act
ACT_UNARCHIVE: Act
ACT_RENAME: Act
ACT_DELETE: Act
CODE_UNSPECIFIED: Code
CODE_BAD_JSON: Code
CODE_BAD_FRAME: Code
CODE_UNKNOWN_TYPE: Code
CODE_BINARY_FRAME: Code
CODE_FRAME_TOO_LONG: Code
CODE_BAD_NAME: Code
CODE_NAME_RESERVED: Code
CODE_NAME_TAKEN: Code
CODE_BAD_ROOM: Code
CODE_EMPTY_TEXT: Code
CODE_TEXT_TOO_LONG: Code
CODE_BAD_KEY: Code
CODE_NOT_JOINED: Code
CODE_ALREADY_JOINED: Code
CODE_TOO_FAST: Code
CODE_TOO_MANY_CONNECTIONS: Code
CODE_TOO_MANY_ROOMS: Code
CODE_ROOM_UNAVAILABLE: Code
CODE_STORAGE_FULL: Code
CODE_NOT_STORED: Code
CODE_GOING_DOWN: Code
CODE_NO_SUCH_ROOM: Code
CODE_BAD_CURSOR: Code
CODE_BAD_SEARCH: Code
CODE_NO_NAME: Code
CODE_NAME_CLAIMED: Code
CODE_NOT_KNOWN: Code
CODE_TOO_MANY_NAMES: Code
CODE_NO_SUCH_NAME: Code
CODE_NO_SECRET: Code
CODE_ROOM_TAKEN: Code
CODE_NOT_INVITED: Code
CODE_BAD_LINK: Code
CODE_NOT_ALLOWED: Code
CODE_MUTED: Code
CODE_BANNED: Code
CODE_NO_ACCESS: Code
CODE_NOT_ACCEPTED: Code
CODE_ROOM_ARCHIVED: Code
CODE_ROOM_GONE: Code
CODE_OUT_OF_REACH: Code

class Message(_message.Message):
    __slots__ = ("id", "user", "text", "time", "key", "clock", "unverified")
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    UNVERIFIED_FIELD_NUMBER: _ClassVar[int]
    id: int
    user: str
    text: str
    time: _timestamp_pb2.Timestamp
    key: str
    clock: str
    unverified: bool
    def __init__(self, id: _Optional[int] = ..., user: _Optional[str] = ..., text: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key: _Optional[str] = ..., clock: _Optional[str] = ..., unverified: _Optional[bool] = ...) -> None: ...

class Messages(_message.Message):
    __slots__ = ("room", "messages")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    room: str
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    def __init__(self, room: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ...) -> None: ...

class SendRequest(_message.Message):
    __slots__ = ("room", "user", "text", "key", "secret", "after")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    room: str
    user: str
    text: str
    key: str
    secret: str
    after: int
    def __init__(self, room: _Optional[str] = ..., user: _Optional[str] = ..., text: _Optional[str] = ..., key: _Optional[str] = ..., secret: _Optional[str] = ..., after: _Optional[int] = ...) -> None: ...

class SendResponse(_message.Message):
    __slots__ = ("id", "time", "epoch")
    ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    id: int
    time: _timestamp_pb2.Timestamp
    epoch: str
    def __init__(self, id: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., epoch: _Optional[str] = ...) -> None: ...

class ListMessagesRequest(_message.Message):
    __slots__ = ("room", "after", "before", "from_time", "limit", "secret")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    room: str
    after: int
    before: int
    from_time: _timestamp_pb2.Timestamp
    limit: int
    secret: str
    def __init__(self, room: _Optional[str] = ..., after: _Optional[int] = ..., before: _Optional[int] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limit: _Optional[int] = ..., secret: _Optional[str] = ...) -> None: ...

class ListMessagesResponse(_message.Message):
    __slots__ = ("messages", "head", "epoch")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    head: int
    epoch: str
    def __init__(self, messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., head: _Optional[int] = ..., epoch: _Optional[str] = ...) -> None: ...

class ListRoomsRequest(_message.Message):
    __slots__ = ("secret", "page_size", "page_token")
    SECRET_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    secret: str
    page_size: int
    page_token: str
    def __init__(self, secret: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRoomsResponse(_message.Message):
    __slots__ = ("rooms", "next_page_token")
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedCompositeFieldContainer[Room]
    next_page_token: str
    def __init__(self, rooms: _Optional[_Iterable[_Union[Room, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Room(_message.Message):
    __slots__ = ("name", "clients_count", "kind", "peer", "asked", "blocked", "archived")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_COUNT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    name: str
    clients_count: int
    kind: Kind
    peer: str
    asked: int
    blocked: bool
    archived: bool
    def __init__(self, name: _Optional[str] = ..., clients_count: _Optional[int] = ..., kind: _Optional[_Union[Kind, str]] = ..., peer: _Optional[str] = ..., asked: _Optional[int] = ..., blocked: _Optional[bool] = ..., archived: _Optional[bool] = ...) -> None: ...

class SearchRequest(_message.Message):
    __slots__ = ("room", "text", "before", "limit", "secret", "user", "from_time", "to_time")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    room: str
    text: str
    before: int
    limit: int
    secret: str
    user: str
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    def __init__(self, room: _Optional[str] = ..., text: _Optional[str] = ..., before: _Optional[int] = ..., limit: _Optional[int] = ..., secret: _Optional[str] = ..., user: _Optional[str] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("messages", "before", "head", "epoch")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    before: int
    head: int
    epoch: str
    def __init__(self, messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., before: _Optional[int] = ..., head: _Optional[int] = ..., epoch: _Optional[str] = ...) -> None: ...

class FollowRequest(_message.Message):
    __slots__ = ("room", "since", "epoch", "secret")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    room: str
    since: int
    epoch: str
    secret: str
    def __init__(self, room: _Optional[str] = ..., since: _Optional[int] = ..., epoch: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...

class FollowResponse(_message.Message):
    __slots__ = ("started", "messages", "caught_up", "redacted")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    REDACTED_FIELD_NUMBER: _ClassVar[int]
    started: Started
    messages: Messages
    caught_up: CaughtUp
    redacted: Redacted
    def __init__(self, started: _Optional[_Union[Started, _Mapping]] = ..., messages: _Optional[_Union[Messages, _Mapping]] = ..., caught_up: _Optional[_Union[CaughtUp, _Mapping]] = ..., redacted: _Optional[_Union[Redacted, _Mapping]] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("room", "head", "epoch", "reset")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    room: str
    head: int
    epoch: str
    reset: bool
    def __init__(self, room: _Optional[str] = ..., head: _Optional[int] = ..., epoch: _Optional[str] = ..., reset: _Optional[bool] = ...) -> None: ...

class CaughtUp(_message.Message):
    __slots__ = ("head",)
    HEAD_FIELD_NUMBER: _ClassVar[int]
    head: int
    def __init__(self, head: _Optional[int] = ...) -> None: ...

class ImportRequest(_message.Message):
    __slots__ = ("speaker", "messages")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    speaker: Speaker
    messages: _containers.RepeatedCompositeFieldContainer[ImportedMessage]
    def __init__(self, speaker: _Optional[_Union[Speaker, _Mapping]] = ..., messages: _Optional[_Iterable[_Union[ImportedMessage, _Mapping]]] = ...) -> None: ...

class Speaker(_message.Message):
    __slots__ = ("room", "user", "secret")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    room: str
    user: str
    secret: str
    def __init__(self, room: _Optional[str] = ..., user: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...

class ImportedMessage(_message.Message):
    __slots__ = ("text", "key")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    text: str
    key: str
    def __init__(self, text: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class ImportResponse(_message.Message):
    __slots__ = ("count", "ids", "epoch")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    count: int
    ids: _containers.RepeatedCompositeFieldContainer[IdRange]
    epoch: str
    def __init__(self, count: _Optional[int] = ..., ids: _Optional[_Iterable[_Union[IdRange, _Mapping]]] = ..., epoch: _Optional[str] = ...) -> None: ...

class IdRange(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class ConverseRequest(_message.Message):
    __slots__ = ("join", "say", "history", "typing", "leave", "list_rooms", "search", "private", "direct", "invite", "uninvite", "add_device", "take_device", "moderate", "block", "unblock", "read")
    JOIN_FIELD_NUMBER: _ClassVar[int]
    SAY_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    TYPING_FIELD_NUMBER: _ClassVar[int]
    LEAVE_FIELD_NUMBER: _ClassVar[int]
    LIST_ROOMS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_FIELD_NUMBER: _ClassVar[int]
    DIRECT_FIELD_NUMBER: _ClassVar[int]
    INVITE_FIELD_NUMBER: _ClassVar[int]
    UNINVITE_FIELD_NUMBER: _ClassVar[int]
    ADD_DEVICE_FIELD_NUMBER: _ClassVar[int]
    TAKE_DEVICE_FIELD_NUMBER: _ClassVar[int]
    MODERATE_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    UNBLOCK_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    join: Join
    say: Say
    history: ListHistory
    typing: BeginTyping
    leave: Leave
    list_rooms: ListRooms
    search: Search
    private: OpenPrivate
    direct: OpenDirect
    invite: Invite
    uninvite: Uninvite
    add_device: AddDevice
    take_device: TakeDevice
    moderate: Moderate
    block: Block
    unblock: Unblock
    read: MarkRead
    def __init__(self, join: _Optional[_Union[Join, _Mapping]] = ..., say: _Optional[_Union[Say, _Mapping]] = ..., history: _Optional[_Union[ListHistory, _Mapping]] = ..., typing: _Optional[_Union[BeginTyping, _Mapping]] = ..., leave: _Optional[_Union[Leave, _Mapping]] = ..., list_rooms: _Optional[_Union[ListRooms, _Mapping]] = ..., search: _Optional[_Union[Search, _Mapping]] = ..., private: _Optional[_Union[OpenPrivate, _Mapping]] = ..., direct: _Optional[_Union[OpenDirect, _Mapping]] = ..., invite: _Optional[_Union[Invite, _Mapping]] = ..., uninvite: _Optional[_Union[Uninvite, _Mapping]] = ..., add_device: _Optional[_Union[AddDevice, _Mapping]] = ..., take_device: _Optional[_Union[TakeDevice, _Mapping]] = ..., moderate: _Optional[_Union[Moderate, _Mapping]] = ..., block: _Optional[_Union[Block, _Mapping]] = ..., unblock: _Optional[_Union[Unblock, _Mapping]] = ..., read: _Optional[_Union[MarkRead, _Mapping]] = ...) -> None: ...

class Join(_message.Message):
    __slots__ = ("room", "user", "since", "epoch", "secret", "quiet", "invite", "must_exist", "rename")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    QUIET_FIELD_NUMBER: _ClassVar[int]
    INVITE_FIELD_NUMBER: _ClassVar[int]
    MUST_EXIST_FIELD_NUMBER: _ClassVar[int]
    RENAME_FIELD_NUMBER: _ClassVar[int]
    room: str
    user: str
    since: int
    epoch: str
    secret: str
    quiet: bool
    invite: str
    must_exist: bool
    rename: bool
    def __init__(self, room: _Optional[str] = ..., user: _Optional[str] = ..., since: _Optional[int] = ..., epoch: _Optional[str] = ..., secret: _Optional[str] = ..., quiet: _Optional[bool] = ..., invite: _Optional[str] = ..., must_exist: _Optional[bool] = ..., rename: _Optional[bool] = ...) -> None: ...

class Say(_message.Message):
    __slots__ = ("room", "text", "key", "after")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    room: str
    text: str
    key: str
    after: int
    def __init__(self, room: _Optional[str] = ..., text: _Optional[str] = ..., key: _Optional[str] = ..., after: _Optional[int] = ...) -> None: ...

class ListHistory(_message.Message):
    __slots__ = ("room", "before", "limit", "from_time", "key")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    room: str
    before: int
    limit: int
    from_time: _timestamp_pb2.Timestamp
    key: str
    def __init__(self, room: _Optional[str] = ..., before: _Optional[int] = ..., limit: _Optional[int] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key: _Optional[str] = ...) -> None: ...

class BeginTyping(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class Leave(_message.Message):
    __slots__ = ("room",)
    ROOM_FIELD_NUMBER: _ClassVar[int]
    room: str
    def __init__(self, room: _Optional[str] = ...) -> None: ...

class MarkRead(_message.Message):
    __slots__ = ("room", "id")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    room: str
    id: int
    def __init__(self, room: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class ListRooms(_message.Message):
    __slots__ = ("key", "after", "limit", "watch")
    KEY_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    key: str
    after: str
    limit: int
    watch: bool
    def __init__(self, key: _Optional[str] = ..., after: _Optional[str] = ..., limit: _Optional[int] = ..., watch: _Optional[bool] = ...) -> None: ...

class Search(_message.Message):
    __slots__ = ("room", "text", "before", "limit", "key", "user", "from_time", "to_time")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    room: str
    text: str
    before: int
    limit: int
    key: str
    user: str
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    def __init__(self, room: _Optional[str] = ..., text: _Optional[str] = ..., before: _Optional[int] = ..., limit: _Optional[int] = ..., key: _Optional[str] = ..., user: _Optional[str] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OpenPrivate(_message.Message):
    __slots__ = ("room", "key")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    room: str
    key: str
    def __init__(self, room: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class OpenDirect(_message.Message):
    __slots__ = ("user", "key")
    USER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    user: str
    key: str
    def __init__(self, user: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("user", "key")
    USER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    user: str
    key: str
    def __init__(self, user: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class Unblock(_message.Message):
    __slots__ = ("user", "key")
    USER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    user: str
    key: str
    def __init__(self, user: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class Invite(_message.Message):
    __slots__ = ("room", "uses", "seconds", "key")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    room: str
    uses: int
    seconds: int
    key: str
    def __init__(self, room: _Optional[str] = ..., uses: _Optional[int] = ..., seconds: _Optional[int] = ..., key: _Optional[str] = ...) -> None: ...

class Uninvite(_message.Message):
    __slots__ = ("room", "user", "key")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    room: str
    user: str
    key: str
    def __init__(self, room: _Optional[str] = ..., user: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class AddDevice(_message.Message):
    __slots__ = ("key", "user", "secret")
    KEY_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    key: str
    user: str
    secret: str
    def __init__(self, key: _Optional[str] = ..., user: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...

class TakeDevice(_message.Message):
    __slots__ = ("token", "key")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    token: str
    key: str
    def __init__(self, token: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class Moderate(_message.Message):
    __slots__ = ("act", "user", "room", "id", "seconds", "reason", "key", "to")
    ACT_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    act: Act
    user: str
    room: str
    id: int
    seconds: int
    reason: str
    key: str
    to: str
    def __init__(self, act: _Optional[_Union[Act, str]] = ..., user: _Optional[str] = ..., room: _Optional[str] = ..., id: _Optional[int] = ..., seconds: _Optional[int] = ..., reason: _Optional[str] = ..., key: _Optional[str] = ..., to: _Optional[str] = ...) -> None: ...

class ConverseResponse(_message.Message):
    __slots__ = ("welcome", "messages", "history", "presence", "typing", "refused", "rooms", "found", "place", "invitation", "device_link", "device", "done", "redacted", "rights", "read")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    TYPING_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    INVITATION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_LINK_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    REDACTED_FIELD_NUMBER: _ClassVar[int]
    RIGHTS_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    messages: Messages
    history: HistoryPage
    presence: Presence
    typing: Typing
    refused: Refused
    rooms: Rooms
    found: Found
    place: Place
    invitation: Invitation
    device_link: DeviceLink
    device: Device
    done: Done
    redacted: Redacted
    rights: Rights
    read: ReadUpTo
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., messages: _Optional[_Union[Messages, _Mapping]] = ..., history: _Optional[_Union[HistoryPage, _Mapping]] = ..., presence: _Optional[_Union[Presence, _Mapping]] = ..., typing: _Optional[_Union[Typing, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ..., rooms: _Optional[_Union[Rooms, _Mapping]] = ..., found: _Optional[_Union[Found, _Mapping]] = ..., place: _Optional[_Union[Place, _Mapping]] = ..., invitation: _Optional[_Union[Invitation, _Mapping]] = ..., device_link: _Optional[_Union[DeviceLink, _Mapping]] = ..., device: _Optional[_Union[Device, _Mapping]] = ..., done: _Optional[_Union[Done, _Mapping]] = ..., redacted: _Optional[_Union[Redacted, _Mapping]] = ..., rights: _Optional[_Union[Rights, _Mapping]] = ..., read: _Optional[_Union[ReadUpTo, _Mapping]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("room", "user", "head", "epoch", "clients_count", "users", "limits", "utc_offset", "reset", "kind", "peer", "may", "read_up_to", "slow", "archived")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_COUNT_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    UTC_OFFSET_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    MAY_FIELD_NUMBER: _ClassVar[int]
    READ_UP_TO_FIELD_NUMBER: _ClassVar[int]
    SLOW_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    room: str
    user: str
    head: int
    epoch: str
    clients_count: int
    users: _containers.RepeatedScalarFieldContainer[str]
    limits: Limits
    utc_offset: int
    reset: bool
    kind: Kind
    peer: str
    may: _containers.RepeatedScalarFieldContainer[str]
    read_up_to: int
    slow: int
    archived: bool
    def __init__(self, room: _Optional[str] = ..., user: _Optional[str] = ..., head: _Optional[int] = ..., epoch: _Optional[str] = ..., clients_count: _Optional[int] = ..., users: _Optional[_Iterable[str]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., utc_offset: _Optional[int] = ..., reset: _Optional[bool] = ..., kind: _Optional[_Union[Kind, str]] = ..., peer: _Optional[str] = ..., may: _Optional[_Iterable[str]] = ..., read_up_to: _Optional[int] = ..., slow: _Optional[int] = ..., archived: _Optional[bool] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("name", "room", "text", "frame")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    name: int
    room: int
    text: int
    frame: int
    def __init__(self, name: _Optional[int] = ..., room: _Optional[int] = ..., text: _Optional[int] = ..., frame: _Optional[int] = ...) -> None: ...

class HistoryPage(_message.Message):
    __slots__ = ("room", "before", "messages", "from_time", "first", "key")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    room: str
    before: int
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    from_time: _timestamp_pb2.Timestamp
    first: int
    key: str
    def __init__(self, room: _Optional[str] = ..., before: _Optional[int] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., first: _Optional[int] = ..., key: _Optional[str] = ...) -> None: ...

class Presence(_message.Message):
    __slots__ = ("room", "clients_count", "joined", "left", "text", "users", "is_whole", "renamed", "slow", "archived")
    class RenamedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ROOM_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_COUNT_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    IS_WHOLE_FIELD_NUMBER: _ClassVar[int]
    RENAMED_FIELD_NUMBER: _ClassVar[int]
    SLOW_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    room: str
    clients_count: int
    joined: _containers.RepeatedScalarFieldContainer[str]
    left: _containers.RepeatedScalarFieldContainer[str]
    text: str
    users: _containers.RepeatedScalarFieldContainer[str]
    is_whole: bool
    renamed: _containers.ScalarMap[str, str]
    slow: int
    archived: bool
    def __init__(self, room: _Optional[str] = ..., clients_count: _Optional[int] = ..., joined: _Optional[_Iterable[str]] = ..., left: _Optional[_Iterable[str]] = ..., text: _Optional[str] = ..., users: _Optional[_Iterable[str]] = ..., is_whole: _Optional[bool] = ..., renamed: _Optional[_Mapping[str, str]] = ..., slow: _Optional[int] = ..., archived: _Optional[bool] = ...) -> None: ...

class Typing(_message.Message):
    __slots__ = ("room", "user")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    room: str
    user: str
    def __init__(self, room: _Optional[str] = ..., user: _Optional[str] = ...) -> None: ...

class Rooms(_message.Message):
    __slots__ = ("rooms", "key", "blocked", "next")
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    rooms: _containers.RepeatedCompositeFieldContainer[Room]
    key: str
    blocked: _containers.RepeatedScalarFieldContainer[str]
    next: str
    def __init__(self, rooms: _Optional[_Iterable[_Union[Room, _Mapping]]] = ..., key: _Optional[str] = ..., blocked: _Optional[_Iterable[str]] = ..., next: _Optional[str] = ...) -> None: ...

class Found(_message.Message):
    __slots__ = ("room", "text", "messages", "before", "key")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    room: str
    text: str
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    before: int
    key: str
    def __init__(self, room: _Optional[str] = ..., text: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., before: _Optional[int] = ..., key: _Optional[str] = ...) -> None: ...

class Place(_message.Message):
    __slots__ = ("room", "kind", "peer", "key", "asked")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    room: str
    kind: Kind
    peer: str
    key: str
    asked: bool
    def __init__(self, room: _Optional[str] = ..., kind: _Optional[_Union[Kind, str]] = ..., peer: _Optional[str] = ..., key: _Optional[str] = ..., asked: _Optional[bool] = ...) -> None: ...

class Invitation(_message.Message):
    __slots__ = ("room", "token", "uses", "expires", "key")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    room: str
    token: str
    uses: int
    expires: int
    key: str
    def __init__(self, room: _Optional[str] = ..., token: _Optional[str] = ..., uses: _Optional[int] = ..., expires: _Optional[int] = ..., key: _Optional[str] = ...) -> None: ...

class DeviceLink(_message.Message):
    __slots__ = ("token", "user", "seconds", "key")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    token: str
    user: str
    seconds: int
    key: str
    def __init__(self, token: _Optional[str] = ..., user: _Optional[str] = ..., seconds: _Optional[int] = ..., key: _Optional[str] = ...) -> None: ...

class Device(_message.Message):
    __slots__ = ("user", "secret", "key")
    USER_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    user: str
    secret: str
    key: str
    def __init__(self, user: _Optional[str] = ..., secret: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ("text", "key")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    text: str
    key: str
    def __init__(self, text: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class Redacted(_message.Message):
    __slots__ = ("room", "id", "text")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    room: str
    id: int
    text: str
    def __init__(self, room: _Optional[str] = ..., id: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class Rights(_message.Message):
    __slots__ = ("room", "may")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    MAY_FIELD_NUMBER: _ClassVar[int]
    room: str
    may: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, room: _Optional[str] = ..., may: _Optional[_Iterable[str]] = ...) -> None: ...

class ReadUpTo(_message.Message):
    __slots__ = ("room", "id")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    room: str
    id: int
    def __init__(self, room: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ("code", "text", "key", "room", "retry_after")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    code: Code
    text: str
    key: str
    room: str
    retry_after: float
    def __init__(self, code: _Optional[_Union[Code, str]] = ..., text: _Optional[str] = ..., key: _Optional[str] = ..., room: _Optional[str] = ..., retry_after: _Optional[float] = ...) -> None: ...

class Cursors(_message.Message):
    __slots__ = ("cursors",)
    CURSORS_FIELD_NUMBER: _ClassVar[int]
    cursors: _containers.RepeatedCompositeFieldContainer[Cursor]
    def __init__(self, cursors: _Optional[_Iterable[_Union[Cursor, _Mapping]]] = ...) -> None: ...

class Cursor(_message.Message):
    __slots__ = ("room", "since", "epoch")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    room: str
    since: int
    epoch: str
    def __init__(self, room: _Optional[str] = ..., since: _Optional[int] = ..., epoch: _Optional[str] = ...) -> None: ...
