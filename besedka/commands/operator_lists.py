"""``besedka admin who``, ``sessions`` and ``limits``: tables for people, JSON lines for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from besedka.commands.messages import Output, json_line
from besedka.commands.operator_socket import ask, not_besedka

if TYPE_CHECKING:
    from besedka.wire.operator_frames import (
        LimitEntry,
        OperatorRequest,
        PersonPresent,
        Present,
        SessionEntry,
        SessionList,
    )

THIS_MACHINE = "this machine"

P = TypeVar("P", "Present", "SessionList")


def show_present(socket: Path, room: str, *, as_json: bool) -> None:
    """Print who is in a room, or in all."""
    rows = _present(socket, room)
    if as_json:
        _print(
            json_line(room=row.room, user=row.user, verified=row.verified, sessions=row.sessions)
            for row in rows
        )
    else:
        heading = ("room", "user", "sessions")
        _print_table(heading, ((row.room, _shown_user(row), str(row.sessions)) for row in rows))


def show_sessions(socket: Path, *, as_json: bool) -> None:
    """Print all sessions."""
    rows = _sessions(socket)
    if as_json:
        _print(
            json_line(
                address=row.address or None,
                door=row.door,
                since=row.since,
                connection=row.connection,
                client=row.client,
                users=row.users,
                rooms=row.rooms,
                unsent=row.unsent,
                behind=row.behind,
            )
            for row in rows
        )
        return
    heading = ("since", "address", "door", "users", "rooms", "unsent", "behind", "program")
    _print_table(
        heading,
        (
            (
                f"{datetime.fromtimestamp(row.since).astimezone():%Y-%m-%d %H:%M:%S}",
                row.address or THIS_MACHINE,
                row.door,
                ", ".join(row.users) or "-",
                ", ".join(row.rooms) or "-",
                str(row.unsent),
                str(row.behind),
                row.client or "-",
            )
            for row in rows
        ),
    )


def show_limits(socket: Path, *, as_json: bool) -> None:
    """Print the limits in force."""
    rows = _limits(socket)
    if as_json:
        _print(
            json_line(name=row.name, used=row.used, limit=_number(row.limit), address=row.address or None)
            for row in rows
        )
    else:
        heading = ("limit", "used", "of", "address")
        _print_table(heading, ((row.name, *_shown_share(row), row.address or "-") for row in rows))


def _shown_user(row: PersonPresent) -> str:
    if not row.user:
        return "(without a name)"
    return row.user if row.verified else f"{row.user}?"


def _number(limit: float) -> float | None:
    """A limit for programs: a count is whole, no limit is `None`."""
    return (int(limit) if limit.is_integer() else limit) or None


def _shown_share(row: LimitEntry) -> tuple[str, str]:
    used = "-" if row.used is None else str(row.used)
    return used, f"{row.limit:g}" if row.limit % 1 else f"{row.limit:.0f}" if row.limit else "no limit"


def _present(socket: Path, room: str) -> Iterator[PersonPresent]:
    from besedka.wire.operator_frames import ListPresent, Present

    for page in _pages(socket, lambda after: ListPresent(room, after), Present):
        yield from page.people


def _sessions(socket: Path) -> Iterator[SessionEntry]:
    from besedka.wire.operator_frames import ListSessions, SessionList

    for page in _pages(socket, ListSessions, SessionList):
        yield from page.sessions


def _pages(socket: Path, request: Callable[[int], OperatorRequest], kind: type[P]) -> Iterator[P]:
    """The pages of a list.

    Args:
        socket: the server's socket.
        request: makes the request for the page behind what is known; behind 0 it is the first one.
        kind: of the answers.
    """
    after = 0
    while True:
        page = ask(socket, request(after))
        if not isinstance(page, kind):
            raise not_besedka(socket)
        yield page
        if page.next <= after:
            return
        after = page.next


def _limits(socket: Path) -> list[LimitEntry]:
    from besedka.wire.operator_frames import LimitList, ListLimits

    answer = ask(socket, ListLimits())
    if not isinstance(answer, LimitList):
        raise not_besedka(socket)
    return answer.limits


def _print(lines: Iterable[str]) -> None:
    output = Output()
    for line in lines:
        output.write(line)
    output.flush()


def _print_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as their widest cell. Names and programs are others' words, which must not act on a terminal."""
    from prompt_toolkit.utils import get_cwidth

    from besedka.wire.sanitize import sanitize_line

    cells = [[sanitize_line(cell) for cell in row] for row in (heading, *rows)]
    widths = [max(get_cwidth(row[at]) for row in cells) for at in range(len(heading))]
    _print(
        "  ".join(
            cell + " " * (width - get_cwidth(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        + "\n"
        for row in cells
    )
