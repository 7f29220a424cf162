"""Polls: messages that begin with ``/poll``, whose further lines are the options.

The grammar of the text::

    poll   = "/poll " question 2*(LF number ". " option)   ; the numbers from 1 on, in order
"""

from __future__ import annotations

from typing import Final

import msgspec

POLL: Final = "/poll "
OPTIONS_AT_LEAST: Final = 2
OPTIONS_AT_MOST: Final = 20


class Poll(msgspec.Struct, frozen=True):
    """A poll.

    Attributes:
        question: what is asked.
        options: the answers, the first of which has the number 1.
    """

    question: str
    options: tuple[str, ...]


def read_poll(text: str) -> Poll | None:
    """The poll that a message's text is; None if it is none."""
    if not text.startswith(POLL):
        return None
    question, *lines = text.removeprefix(POLL).split("\n")
    if not (question.strip() and OPTIONS_AT_LEAST <= len(lines) <= OPTIONS_AT_MOST):
        return None
    options = [line.removeprefix(f"{number}. ") for number, line in enumerate(lines, 1)]
    # Each begins with its number, and says something.
    is_poll = all(option != line and option.strip() for option, line in zip(options, lines, strict=True))
    return Poll(question, tuple(options)) if is_poll else None


def write_poll(poll: Poll) -> str:
    """The text of a message that is a poll."""
    return "\n".join(
        [f"{POLL}{poll.question}", *(f"{number}. {option}" for number, option in enumerate(poll.options, 1))]
    )
