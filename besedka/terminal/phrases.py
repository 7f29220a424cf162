"""What the terminal client itself says, in the language of its user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from besedka.wire.refusals import Code, Language


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language.

    Attributes:
        refusals: sentences for the refusals that a person meets, by code; for others the server's own is shown.
    """

    language: Language
    your_name: str
    welcome: str
    how: str
    away: str
    back: str
    waiting: str
    reset: str
    joined: str
    left: str
    people: str
    unknown_command: str
    refusals: Mapping[str, str]


ENGLISH = Phrases(
    language=Language.EN,
    your_name="Your name: ",
    welcome="You are in # {room} as {user}.",
    how="Enter sends, /exit leaves.",
    away="no connection, coming back …",
    back="connected again",
    waiting="{n} waiting",
    reset="The history was replaced; it starts anew here.",
    joined="{names} joined",
    left="{names} left",
    people="{n} here",
    unknown_command="There is no command {command}; only /exit. To say it, write /{command}.",
    refusals={
        Code.NAME_TAKEN: "This name, or one that looks like it, is in use; choose another.",
        Code.NAME_RESERVED: "This name looks like the server's own; choose another.",
        Code.BAD_NAME: "This name cannot be used: 1 to 32 visible characters, no colon, no * in front.",
        Code.BAD_ROOM: "There cannot be such a room: 1 to 32 letters and digits, with - and _ inside.",
        Code.TOO_FAST: "That was a lot at once; the rest is sent in a moment.",
        Code.STORAGE_FULL: "Not stored: the server's disk is full.",
        Code.NOT_STORED: "Not stored: the server could not write to its disk.",
        Code.GOING_DOWN: "The server is going down.",
    },
)

RUSSIAN = Phrases(
    language=Language.RU,
    your_name="Ваше имя: ",
    welcome="Вы в комнате # {room}, ваше имя {user}.",
    how="Enter отправляет, /exit завершает.",
    away="нет связи, восстанавливаем …",
    back="связь восстановлена",
    waiting="ждут отправки: {n}",
    reset="История была заменена; здесь она начинается заново.",
    joined="{names} теперь в чате",
    left="{names} больше не в чате",
    people="здесь {n}",
    unknown_command="Нет команды {command}, есть только /exit. Чтобы сказать это, напишите /{command}.",
    refusals={
        Code.NAME_TAKEN: "Это имя (или похожее на него) сейчас занято, выберите другое.",
        Code.NAME_RESERVED: "Это имя похоже на служебное, выберите другое.",
        Code.BAD_NAME: "Такое имя не подходит: нужно от 1 до 32 видимых знаков, без двоеточия и без * в начале.",
        Code.BAD_ROOM: "Такой комнаты быть не может: нужно от 1 до 32 букв и цифр, внутри можно - и _.",
        Code.TOO_FAST: "Слишком много сразу; остальное уйдёт через мгновение.",
        Code.STORAGE_FULL: "Не сохранено: на диске сервера нет места.",
        Code.NOT_STORED: "Не сохранено: сервер не смог записать на диск.",
        Code.GOING_DOWN: "Сервер останавливается.",
    },
)


def phrases(environment: Mapping[str, str]) -> Phrases:
    """The language that the environment asks for (POSIX: LC_ALL before LC_MESSAGES before LANG)."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(variable):
            return RUSSIAN if value.lower().startswith("ru") else ENGLISH
    return ENGLISH
