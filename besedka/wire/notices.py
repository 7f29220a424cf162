"""The sentences that tell of comings and goings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from besedka.wire.errors import Language

NAMES_IN_A_SENTENCE = 5
"""More names than this make a sentence that nobody reads; the rest is a number."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """How one language tells of one or many people without a name, of those with names, and of others beside them."""

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


_HERE = {Language.RU: "Сейчас в чате: {n}", Language.EN: "In the chat now: {n}"}


def presence(count: int, language: Language) -> str:
    """How many are here, for one who has missed who came and went."""
    return _HERE[language].format(n=count)


def notice(joined: Sequence[str], left: Sequence[str], language: Language) -> str:
    """One sentence or two; a person who has given no name is an empty string."""
    told = ((_CAME[language], joined), (_WENT[language], left))
    return ". ".join(_sentence(phrases, names) for phrases, names in told if names)


def _sentence(phrases: Phrases, people: Sequence[str]) -> str:
    if list(people) == [""]:
        return phrases.nameless
    if not any(people):
        return phrases.nameless_many.format(n=len(people))
    names = [name for name in people if name][:NAMES_IN_A_SENTENCE]
    rest = len(people) - len(names)
    parts = [*names, phrases.others.format(n=rest)] if rest else names
    *most, last = parts
    listed = ", ".join(most) + phrases.joiner + last if most else last
    return phrases.named.format(names=listed)
