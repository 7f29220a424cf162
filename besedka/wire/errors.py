"""Every refusal: its code, and its sentence in each language.

A code is for programs and never changes; a sentence is for people, says what was wrong and what is allowed, and is
filled in with the figures of the case. Doors turn a `Refused` into an ``error`` frame.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from besedka.wire.naming import in_sentence


class Language(StrEnum):
    """The languages of sentences for people."""

    RU = "ru"
    EN = "en"


class ErrorCode(StrEnum):
    """The reason of a refusal, for programs."""

    BAD_JSON = "bad_json"
    BAD_FRAME = "bad_frame"
    UNKNOWN_TYPE = "unknown_type"
    BINARY_FRAME = "binary_frame"
    FRAME_TOO_LONG = "frame_too_long"
    BAD_NAME = "bad_name"
    NAME_RESERVED = "name_reserved"
    NAME_TAKEN = "name_taken"
    BAD_ROOM = "bad_room"
    EMPTY_TEXT = "empty_text"
    TEXT_TOO_LONG = "text_too_long"
    BAD_KEY = "bad_key"
    BAD_SEARCH = "bad_search"
    NO_NAME = "no_name"
    NOT_JOINED = "not_joined"
    ALREADY_JOINED = "already_joined"
    TOO_FAST = "too_fast"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    TOO_MANY_ROOMS = "too_many_rooms"
    ROOM_UNAVAILABLE = "room_unavailable"
    NO_SUCH_ROOM = "no_such_room"
    BAD_CURSOR = "bad_cursor"
    STORAGE_FULL = "storage_full"
    NOT_STORED = "not_stored"
    GOING_DOWN = "going_down"
    OUT_OF_REACH = "out_of_reach"
    NAME_CLAIMED = "name_claimed"
    NOT_KNOWN = "not_known"
    TOO_MANY_NAMES = "too_many_names"
    NO_SUCH_NAME = "no_such_name"
    NO_SECRET = "no_secret"  # noqa: S105 - a code
    ROOM_TAKEN = "room_taken"
    NOT_INVITED = "not_invited"
    BAD_LINK = "bad_link"
    NOT_ALLOWED = "not_allowed"
    MUTED = "muted"
    BANNED = "banned"
    NO_ACCESS = "no_access"
    NOT_ACCEPTED = "not_accepted"
    ROOM_ARCHIVED = "room_archived"
    ROOM_GONE = "room_gone"


SENTENCES: dict[ErrorCode, dict[Language, str]] = {
    # The Russian sentence is the seed server's own, which its clients show as it is.
    ErrorCode.BAD_JSON: {
        Language.RU: "Ошибка формата сообщения",
        Language.EN: "The frame is not JSON: {detail}",
    },
    ErrorCode.BAD_FRAME: {
        Language.RU: "Неверный кадр: {detail}",
        Language.EN: "The frame breaks the rules: {detail}",
    },
    ErrorCode.UNKNOWN_TYPE: {
        Language.RU: "Неизвестный вид кадра {given}. Можно: {allowed}",
        Language.EN: "Unknown frame type {given}. Allowed: {allowed}",
    },
    ErrorCode.BINARY_FRAME: {
        Language.RU: "Двоичные кадры не принимаются, нужен текст JSON",
        Language.EN: "Binary frames are not accepted; send JSON text",
    },
    ErrorCode.FRAME_TOO_LONG: {
        Language.RU: "Кадр слишком велик: можно до {limit} байт",
        Language.EN: "The frame is too long: at most {limit} bytes",
    },
    ErrorCode.BAD_NAME: {
        Language.RU: "Такое имя не подходит: {why}",
        Language.EN: "This name cannot be used: {why}",
    },
    ErrorCode.NAME_RESERVED: {
        Language.RU: "Имя {name} похоже на имя сервера или администрации чата, выберите другое",
        Language.EN: "The name {name} looks like the server's own, or like a title of those who run it; choose another",
    },
    ErrorCode.NAME_TAKEN: {
        Language.RU: "Имя {name} (или похожее на него) сейчас занято, выберите другое",
        Language.EN: "The name {name}, or one that looks like it, is in use; choose another",
    },
    ErrorCode.BAD_ROOM: {
        Language.RU: "Такое название комнаты не подходит: {why}",
        Language.EN: "This room name cannot be used: {why}",
    },
    ErrorCode.EMPTY_TEXT: {
        Language.RU: "Сообщение пустое, напишите хотя бы один знак",
        Language.EN: "The message is empty; write at least one character",
    },
    ErrorCode.TEXT_TOO_LONG: {
        Language.RU: "Сообщение слишком длинное: {length} знаков, можно до {limit}",
        Language.EN: "The message is too long: {length} characters, at most {limit}",
    },
    ErrorCode.BAD_KEY: {
        Language.RU: "Ключ сообщения не подходит: нужно до {limit} печатных знаков ASCII",
        Language.EN: "The message key cannot be used: at most {limit} printable ASCII characters",
    },
    ErrorCode.BAD_SEARCH: {
        Language.RU: "Такое искать нельзя: {why}",
        Language.EN: "This cannot be searched for: {why}",
    },
    ErrorCode.NO_NAME: {
        Language.RU: "Вы вошли без имени и можете только читать; чтобы писать, войдите с именем",
        Language.EN: "You joined without a name and can only read; to post, join with a name",
    },
    ErrorCode.NOT_JOINED: {
        Language.RU: "Вы не в комнате {room}, сначала войдите (join)",
        Language.EN: "You are not in the room {room}; join it first",
    },
    ErrorCode.ALREADY_JOINED: {
        Language.RU: "Вы уже в комнате {room}",
        Language.EN: "You are already in the room {room}",
    },
    ErrorCode.TOO_FAST: {
        Language.RU: "Слишком быстро, повторите через {wait} с",
        Language.EN: "Too fast; try again in {wait} seconds",
    },
    ErrorCode.TOO_MANY_CONNECTIONS: {
        Language.RU: "С вашего адреса слишком много соединений, можно до {limit}",
        Language.EN: "Too many connections from your address, at most {limit}",
    },
    ErrorCode.TOO_MANY_ROOMS: {
        Language.RU: "Слишком много комнат: {why}",
        Language.EN: "Too many rooms: {why}",
    },
    ErrorCode.ROOM_UNAVAILABLE: {
        Language.RU: "Комнату {room} открыть не удалось: её файл истории недоступен",
        Language.EN: "The room {room} could not be opened: its history file is not available",
    },
    ErrorCode.NO_SUCH_ROOM: {
        Language.RU: "Комнаты {room} нет",
        Language.EN: "There is no room {room}",
    },
    ErrorCode.BAD_CURSOR: {
        Language.RU: "В комнате {room} нет сообщения {given}, последнее — {head}",
        Language.EN: "There is no message {given} in the room {room}; the last one is {head}",
    },
    ErrorCode.STORAGE_FULL: {
        Language.RU: "На диске сервера нет места, ничего не сохранено",
        Language.EN: "The server's disk is full; nothing was stored",
    },
    ErrorCode.NOT_STORED: {
        Language.RU: "Сервер не смог записать это на диск",
        Language.EN: "The server could not write this to its disk",
    },
    ErrorCode.GOING_DOWN: {
        Language.RU: "Сервер останавливается, сообщение не принято",
        Language.EN: "The server is going down; the message was not accepted",
    },
    ErrorCode.OUT_OF_REACH: {
        Language.RU: "Не отправлено: этот сервер не достаёт до остальных; повторите через {wait} с",
        Language.EN: "Not sent: this server cannot reach the others; try again in {wait} seconds",
    },
    ErrorCode.NAME_CLAIMED: {
        Language.RU: "Имя {name} (или похожее на него) принадлежит другому. Выберите другое; если оно ваше, "
        "откройте ссылку «ещё одно устройство» там, где вы под ним вошли",
        Language.EN: "The name {name}, or one that looks like it, belongs to somebody else. Choose another; if it is yours, create "
        "an add-a-device link where you use it",
    },
    ErrorCode.NOT_KNOWN: {
        Language.RU: "Сюда входят только те, чьё имя известно. Попросите приглашение у администратора чата",
        Language.EN: "Only people whose name is known here can join. Ask the operator of the chat for an invitation",
    },
    ErrorCode.TOO_MANY_NAMES: {
        Language.RU: "Слишком много новых имён: {why}",
        Language.EN: "Too many new names: {why}",
    },
    ErrorCode.NO_SUCH_NAME: {
        Language.RU: "Никого по имени {name} здесь не знают",
        Language.EN: "Nobody here is known as {name}",
    },
    ErrorCode.NO_SECRET: {
        Language.RU: "Для этого нужно войти под именем, которое закреплено за вами",
        Language.EN: "This needs a name that you have claimed: join under it first",
    },
    ErrorCode.ROOM_TAKEN: {
        Language.RU: "Комната {room} уже есть, выберите другое название",
        Language.EN: "The room {room} already exists; choose another name",
    },
    ErrorCode.NOT_INVITED: {
        Language.RU: "Комната {room} частная, в неё входят по приглашению",
        Language.EN: "The room {room} is private; you need an invitation to join",
    },
    ErrorCode.BAD_LINK: {
        Language.RU: "Эта ссылка больше не действует: она использована, устарела или отозвана",
        Language.EN: "This link is no longer valid: it was used up, has expired, or was revoked",
    },
    ErrorCode.NOT_ALLOWED: {
        Language.RU: "Действие не выполнено: {why}",
        Language.EN: "This cannot be done: {why}",
    },
    ErrorCode.MUTED: {
        Language.RU: "Вам запрещено писать ({why})",
        Language.EN: "You are muted ({why})",
    },
    ErrorCode.BANNED: {
        Language.RU: "Вы заблокированы ({why})",
        Language.EN: "You are banned ({why})",
    },
    ErrorCode.NO_ACCESS: {
        Language.RU: "Нужен ключ доступа: откройте ссылку, которую показал сервер при запуске",
        Language.EN: "An access key is needed: open the link that the server printed at its start",
    },
    ErrorCode.NOT_ACCEPTED: {
        Language.RU: "{name} сейчас не принимает от вас личных сообщений",
        Language.EN: "{name} is not accepting direct messages from you",
    },
    ErrorCode.ROOM_GONE: {
        Language.RU: "Комнаты {room} больше нет: {why}",
        Language.EN: "The room {room} is gone: {why}",
    },
    ErrorCode.ROOM_ARCHIVED: {
        Language.RU: "Комната {room} в архиве: её можно читать, но писать в неё нельзя",
        Language.EN: "The room {room} is archived: it can be read, but nobody can post in it",
    },
}


INTERNAL_ERROR: Final = "internal_error"
"""The code of an ``error`` on the operator's socket after an error of the server. It is no `ErrorCode`, because it is no refusal: at
all other doors such an error ends the connection or the call."""


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an accident
    """The server refuses a client's request.

    Args:
        code: the reason.
        figures: fill in the sentence of this code. Of a value that is itself a pair of sentences (a mapping from
            `Language`), the one in the requested language is used.
        wait: how many seconds to wait before trying again; 0 where waiting does not help.

    Attributes:
        key: the key of the refused message, empty where there is none.
        room: the room that it was about, empty where there is none.
    """

    def __init__(
        self, code: ErrorCode, *, key: str = "", room: str = "", wait: float = 0.0, **figures: object
    ) -> None:
        super().__init__(code)
        self.code = code
        self.key = key
        self.room = room
        self.wait = wait
        self._figures = figures

    def sentence(self, language: Language) -> str:
        """The sentence for the user, in their language."""
        figures = {
            name: value[language] if isinstance(value, dict) else value
            for name, value in self._figures.items()
        }
        if "name" in figures:
            figures["name"] = in_sentence(str(figures["name"]), language)
        return SENTENCES[self.code][language].format(room=self.room, wait=round(self.wait, 1), **figures)

    def __str__(self) -> str:
        return self.sentence(Language.EN)
