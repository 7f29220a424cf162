"""``besedka search``: the messages of a room that a search on the server finds, read without being visible there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from besedka.commands.access import KEY, find_key
from besedka.commands.exit_status import Failure, report_remote_errors, used_wrongly
from besedka.commands.messages import Output, received_as_json, received_as_line
from besedka.commands.options import IDENTITY, ROOM, URL, UTF8, ClientCommand, chat_address, secret_of
from besedka.commands.unseen import join_unseen

if TYPE_CHECKING:
    from besedka.remote.address import Address
    from besedka.remote.room.events import ReceivedMessage
    from besedka.terminal.search_terms import SearchTerms

FOUND: Final = 20
"""Messages that are printed if `-n` is not given, as the page and the terminal show them."""

FOUND_AT_ONCE: Final = 100
"""Messages that a server returns for one search, at most."""


@click.command(
    cls=ClientCommand,
    short_help="Search the messages of a room.",
    epilog="""\b
Examples:
  besedka search cake
  besedka search --room dev from:Anna since:2026-11-01 until:2026-11-30 deploy
  besedka search 'from:"Anna Maria" cake'
  besedka search --json -n 1000 deploy | jq -r .time""",
)
@click.argument("words", nargs=-1, required=True, type=UTF8)
@click.option(
    "-n",
    "most",
    type=click.IntRange(1),
    default=FOUND,
    show_default=True,
    help="The newest so many of those that are found.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line instead of the log's own lines."
)
@ROOM
@URL
@KEY
@IDENTITY
def search(
    *,
    words: tuple[str, ...],
    most: int,
    as_json: bool,
    room: str | None,
    url: str,
    key: str | None,
    identity: Path | None,
) -> None:
    """Print the messages of a room that hold WORDS, as the search of the page finds them: in any case and spelling of letters.

    from:NAME, since:DATE and until:DATE among the WORDS narrow it down, also without other words: from:Anna, since:2026-11-01. A
    name with blanks is in double quotes inside of single ones: 'from:"Anna Maria"'.

    The messages come in the order of the log, as besedka tail prints them. Your presence is not visible to others. If nothing is
    found, the status is 1.
    """
    terms = _terms(words)
    with report_remote_errors():
        there = chat_address(url)
        there = replace(there, room=room or there.room, key=find_key(url, key).text)
        found = asyncio.run(_find(there, secret_of(identity, there.url), terms, most))
    if not found:
        raise Failure("nothing was found")
    output = Output()
    for message in found:
        output.write(received_as_json(message) if as_json else received_as_line(message))
    output.flush()


def _terms(words: tuple[str, ...]) -> SearchTerms:
    from besedka.terminal.search_terms import begins_with_term, parse_terms

    for word in words:
        # The shell has taken the quotes away, and a name may be of one word or of more.
        if begins_with_term(word) and any(map(str.isspace, word)) and '"' not in word:
            field, _, value = word.partition(":")
            raise used_wrongly(
                f"{word!r} may be a name or more: say '{field}:\"{value}\"' for a name with blanks, and give other words apart"
            )
    try:
        terms = parse_terms(" ".join(words))
    except ValueError as error:
        raise used_wrongly(f"{str(error)!r} is no day of the years 1970 to 9998, as 2026-11-01 is") from None
    return terms


async def _find(there: Address, secret: str, terms: SearchTerms, most: int) -> list[ReceivedMessage]:
    """The newest messages that are found, the oldest of them first."""
    found: list[ReceivedMessage] = []
    before = 0
    async with join_unseen(there, secret, must_exist=True) as (membership, _):
        history = membership.history
        # The server limits the time of each search.
        while len(found) < most:
            answer = await history.search(
                terms.text,
                before,
                min(FOUND_AT_ONCE, most - len(found)),
                user=terms.user,
                from_time=terms.from_time(history.utc_offset),
                to_time=terms.to_time(history.utc_offset),
            )
            found, before = [*answer.messages, *found], answer.before
            if not before:
                break
    return found
