"""The servers of NATS that a command is given, as options or from the server's config file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import click

from besedka.commands.exit_status import Failure


def cluster_servers(_: click.Context, __: click.Parameter, given: Sequence[str]) -> tuple[str, ...]:
    """The addresses of an option that may be repeated, and may have several with a comma between them.

    Raises:
        click.BadParameter: if one of them is no address of a server of NATS.
    """
    urls = tuple(url.strip() for some in given for url in some.split(",") if url.strip())
    for url in urls:
        parts = urlsplit(url)
        try:
            is_server = parts.scheme in {"nats", "tls"} and parts.hostname and (parts.port or True)
        except ValueError:
            is_server = False
        if not is_server:
            raise click.BadParameter(
                "one of them is no server of NATS; write nats://host:port, or tls://host:port, with a comma between several"
            )
    return urls


@contextmanager
def needs_nats() -> Iterator[None]:
    """A block that imports what a cluster needs.

    Raises:
        Failure: if a package is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        from besedka.serve.errors import missing_package

        raise Failure(missing_package(error)) from error
