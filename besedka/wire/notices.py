"""The sentences of presence notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from besedka.wire.counting import count_of
from besedka.wire.errors import Language
from besedka.wire.naming import in_sentence

NAMES_IN_A_SENTENCE = 5
"""A sentence with more names is hard to read; the rest become a number."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language's phrases for one or many people without a name, for people with names, and for the rest."""

    nameless: str
    nameless_many: str
    named: str
    others: str
    joiner: str


# The two nameless Russian sentences are the seed server's own.
_CAME = {
    Language.RU: Phrases(
        "Новый пользователь присоединился к чату",
        "Новых пользователей в чате: {n}",
        "{names} теперь в чате",
        "ещё {n}",
        " и ",
    ),
    Language.EN: Phrases(
        "A new user joined the chat",
        "{n} new users joined the chat",
        "{names} joined the chat",
        "{n} more",
        " and ",
    ),
}
_WENT = {
    Language.RU: Phrases(
        "Пользователь покинул чат",
        "Пользователей покинуло чат: {n}",
        "{names} больше не в чате",
        "ещё {n}",
        " и ",
    ),
    Language.EN: Phrases(
        "A user left the chat", "{n} users left the chat", "{names} left the chat", "{n} more", " and "
    ),
}


_RENAMED = {Language.RU: "{old} теперь под именем {new}", Language.EN: "{old} is now {new}"}
_RENAMED_MORE = {Language.RU: "ещё сменили имена: {n}", Language.EN: "{n} more changed their names"}
_SLOW = {
    Language.RU: "Медленный режим: одно сообщение от человека за {n} с",
    Language.EN: "Slow mode: one message per person every {pause}",
}
_NOT_SLOW = {Language.RU: "Медленный режим выключен", Language.EN: "Slow mode is off"}
_ARCHIVED = {
    Language.RU: "Комната {room} теперь в архиве: её можно читать, но писать в неё нельзя",
    Language.EN: "The room {room} is archived now: it can be read, but nobody can post in it",
}
_NOT_ARCHIVED = {
    Language.RU: "Комната {room} больше не в архиве: в неё снова можно писать",
    Language.EN: "The room {room} is no longer archived: people can post in it again",
}
_HERE = {Language.RU: "Сейчас в чате: {n}", Language.EN: "In the chat now: {n}"}


def presence(count: int, language: Language) -> str:
    """How many people are present, for a client that missed notices."""
    return _HERE[language].format(n=count)


def slow_mode(seconds: int, language: Language) -> str:
    """The slow mode of a room: the seconds between two messages of a person, 0: none."""
    pause = count_of(seconds, "second")
    return _SLOW[language].format(n=seconds, pause=pause) if seconds else _NOT_SLOW[language]


def archived(room: str, language: Language, *, is_archived: bool) -> str:
    """A room that was archived, or unarchived."""
    return (_ARCHIVED if is_archived else _NOT_ARCHIVED)[language].format(room=room)


def notice(
    joined: Sequence[str], left: Sequence[str], language: Language, renamed: Mapping[str, str] = {}
) -> str:
    """Some sentences about changes of presence.

    Args:
        joined: the names of people who joined; an empty string stands for a person without a name.
        left: the names of people who left.
        language: of the sentences.
        renamed: the new names of people who have changed theirs, by the old ones. The sentences about the others leave them out.
    """
    came = [name for name in joined if name not in {*renamed.values()}]
    went = [name for name in left if name not in renamed]
    changes = ((_CAME[language], came), (_WENT[language], went))
    sentences = [_sentence(phrases, names, language) for phrases, names in changes if names]
    return ". ".join([*sentences, *_renamings(renamed, language)])


def _renamings(renamed: Mapping[str, str], language: Language) -> list[str]:
    shown = [
        _RENAMED[language].format(old=in_sentence(old, language), new=in_sentence(new, language))
        for old, new in [*renamed.items()][:NAMES_IN_A_SENTENCE]
    ]
    rest = len(renamed) - len(shown)
    return [*shown, _RENAMED_MORE[language].format(n=rest)] if rest else shown


def _sentence(phrases: Phrases, people: Sequence[str], language: Language) -> str:
    if list(people) == [""]:
        return phrases.nameless
    if not any(people):
        return phrases.nameless_many.format(n=len(people))
    names = [in_sentence(name, language) for name in people if name][:NAMES_IN_A_SENTENCE]
    rest = len(people) - len(names)
    parts = [*names, phrases.others.format(n=rest)] if rest else names
    *most, last = parts
    listed = ", ".join(most) + phrases.joiner + last if most else last
    return phrases.named.format(names=listed)
