"""The language in which a person wants to read: as a client says it, and as an environment does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from besedka.wire.access import SUBPROTOCOL
from besedka.wire.errors import Language

ACCEPT_LANGUAGE: Final = "accept-language"
"""The header of a request or handshake, and the metadata of a gRPC call, in which a client says its languages."""

LANGUAGE_SUBPROTOCOL: Final = f"{SUBPROTOCOL}.lang."
"""Prefix of the same among the subprotocols that a page offers: it cannot add headers, and may not have its browser's language."""

RANGES_AT_MOST: Final = 20
"""Language ranges that are looked at; a browser sends a few."""

_LANGUAGES: Final = {language.value: language for language in Language}


def preferred(accepted: str) -> Language | None:
    """The language that a client prefers of those that the server has (RFC 9110, section 12.5.4).

    Args:
        accepted: language ranges with their weights, such as ``ru-RU,ru;q=0.9,en;q=0.8``. Anything else is skipped.

    Returns:
        None if it accepts none of them, or says nothing.
    """
    weights: dict[Language, float] = {}
    for part in accepted.split(",", RANGES_AT_MOST)[:RANGES_AT_MOST]:
        tag, _, parameter = part.partition(";")
        language = _LANGUAGES.get(tag.strip().lower().partition("-")[0])
        if language is not None:
            weights.setdefault(language, _weight(parameter))
    best = max(weights, key=weights.__getitem__, default=None)
    return best if best is not None and weights[best] > 0 else None


def first_preferred(accepted: Iterable[str], default: Language) -> Language:
    """The language of the first of these values that names one of the server's (`preferred`); else the default one."""
    return next(filter(None, map(preferred, accepted)), default)


def language_of(environment: Mapping[str, str]) -> Language:
    """The language of an environment's messages: English, unless it says otherwise.

    ``LC_ALL`` takes precedence over ``LC_MESSAGES``, and that over ``LANG`` (POSIX, Base Definitions, section 8.2).
    """
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(variable):
            return Language.RU if value.lower().startswith("ru") else Language.EN
    return Language.EN


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
