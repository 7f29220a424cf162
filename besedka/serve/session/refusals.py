"""Refusals as frames: counted, with a sentence and the time."""

from __future__ import annotations

import logging

from besedka.serve.clock import Clock
from besedka.serve.limits.descriptors import is_none_left
from besedka.serve.limits.networks import Network
from besedka.serve.metrics import Metrics
from besedka.serve.repeated_error import RepeatedError
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import NO_WAIT, Error
from besedka.wire.log_line import clock_time

_none_left = RepeatedError(logging.getLogger(__name__))


def unavailable(error: Exception) -> Refused:
    """The refusal of a request that has found no file descriptor: it is not the client's fault, nor a reason to disconnect them.

    Raises:
        Exception: the error itself, if it is another one.
    """
    if not is_none_left(error):
        raise error
    _none_left.note("a request found no file descriptor, and was refused: %s", error)
    return Refused(ErrorCode.ROOM_UNAVAILABLE)


class Refusals:
    """Makes error frames of refusals.

    Args:
        metrics: counts them.
        clock: the server's clock.
        language: of the sentences.
    """

    def __init__(self, metrics: Metrics, clock: Clock, language: Language) -> None:
        self._metrics = metrics
        self._clock = clock
        self._language = language

    def frame(self, refusal: Refused, source: Network | None) -> Error:
        """Count a refusal of a client at this address, and return its frame."""
        self._metrics.refused(refusal.code, source)
        return Error(
            code=refusal.code,
            text=refusal.sentence(self._language),
            timestamp=clock_time(self._clock.stamp()),
            key=refusal.key,
            room=refusal.room,
            retry_after=refusal.wait or NO_WAIT,
        )
