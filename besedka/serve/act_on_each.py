"""Acts on many sessions at once, such as withdrawing a right: a faulty session neither spares the others nor keeps the right."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

log = logging.getLogger(__name__)


class Abortable(Protocol):
    """A session that can be cut off."""

    def abort(self) -> None:
        """Cut it off at once, without a word."""


S = TypeVar("S", bound=Abortable)


def act_on_each(sessions: Iterable[S], act: Callable[[S], None], failure: str) -> None:
    """Act on all sessions. A session whose act raises is logged, and aborted.

    Args:
        sessions: the sessions; acting on one may change the collection they come from only if this is a copy.
        act: what to do with each.
        failure: says in the log what has failed: "a session could not be disconnected".
    """
    for session in sessions:
        try:
            act(session)
        except Exception:
            log.exception("%s, and is cut off", failure)
            _abort(session)


def _abort(session: Abortable) -> None:
    try:
        session.abort()
    except Exception:
        log.exception("a faulty session could not be cut off")
