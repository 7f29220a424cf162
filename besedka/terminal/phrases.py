"""What the terminal client itself says, in the language of its user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language."""

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


ENGLISH = Phrases(
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
)

RUSSIAN = Phrases(
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
)


def phrases(environment: Mapping[str, str]) -> Phrases:
    """The language that the environment asks for (POSIX: LC_ALL before LC_MESSAGES before LANG)."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(variable):
            return RUSSIAN if value.lower().startswith("ru") else ENGLISH
    return ENGLISH
