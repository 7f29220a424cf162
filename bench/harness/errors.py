"""Why a measurement could not be made.

BenchError
├── MissingError   something is not installed
├── ServerError    a server did not start, or ended
├── LoadError      the load gave up: a delivery was missing, a connection was lost, something was refused
└── TooSlowError   the server did not finish in the time that it was given
"""

from __future__ import annotations


class BenchError(Exception):
    """Something that the run can go on without, and that the report must name."""


class MissingError(BenchError):
    """Something is not installed; the sentence says what, and how to install it."""


class ServerError(BenchError):
    """A server did not start, or ended."""


class LoadError(BenchError):
    """The load gave up."""


class TooSlowError(BenchError):
    """The server did not finish in the time that it was given."""
