"""The server's settings, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

from besedka.serve.limits.rate_limits import RateLimits
from besedka.serve.own_addresses import is_loopback
from besedka.serve.people.names import Names
from besedka.wire.errors import Language

KEY_FILE: Final = "access_key.txt"
"""The file with the access keys where no other is named: beside the history."""

CLAIM_DAYS: Final = 90
"""A term of school, and the holidays behind it."""


def admin_socket_of(history: Path) -> Path:
    """Where the operator's socket is if nothing else is said."""
    return history.with_name(f"{history.name}.admin")


def access_keys_of(history: Path) -> Path:
    """Where the access keys are if nothing else is said."""
    return history.parent / KEY_FILE


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for TLS and its private key, in PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one server.

    Attributes:
        host: the address to listen on; an empty one is all of them, of IPv4 and IPv6.
        port: its TCP port; 0 takes a free one.
        history: the default room's log; the other rooms' logs stand beside it.
        utc: write times in UTC instead of the machine's own zone.
        language: of the sentences for people whose client does not say their language.
        seed_language: of the sentences at ``/``, whose clients cannot say it.
        rate_limits: how much each connection and each address may say.
        grpc_port: the TCP port of gRPC; None is none.
        grpc_unix: a Unix socket for gRPC, for this user only.
        certificate: for TLS on both ports.
        key_file: the file with the access keys; None is the one beside the history, if a key is needed.
        is_open: no key is needed, wherever it listens.
        metrics_open: figures are for other machines, too.
        names: how names are held.
        claim_days: after so many days without its holder, and a week of uptime, a name is free again; 0: never.
        admin_socket: a Unix socket for the operator, for this user only; None is none.
        people: the folder of the small files about people; None is the history's.
        origins: web pages that may talk to us, beside those of our own host; as `clean_origin` gives them.
        public_hosts: names by which the chat may be asked for, as `clean_host` gives them.
        proxies: reverse proxies that are believed for whom they speak, as `clean_proxy` gives them.
        cluster: servers of NATS that decide the order together with other nodes; none if this server is alone.
        cluster_unchecked: whether these servers are taken as they are.
        base_path: below which path of its host the chat is, as `clean_base_path` gives it.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    history: Path = Path("chat_history.txt")
    utc: bool = False
    language: Language = Language.EN
    seed_language: Language = Language.RU
    rate_limits: RateLimits = field(default_factory=RateLimits)
    origins: tuple[str, ...] = ()
    public_hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    base_path: str = ""
    grpc_port: int | None = None
    grpc_unix: Path | None = None
    certificate: Certificate | None = None
    key_file: Path | None = None
    is_open: bool = False
    metrics_open: bool = False
    names: Names = Names.CLAIMED
    claim_days: int = CLAIM_DAYS
    people: Path | None = None
    admin_socket: Path | None = None
    cluster: tuple[str, ...] = ()
    cluster_unchecked: bool = False

    @property
    def people_folder(self) -> Path:
        """Where the small files about people are."""
        return (self.people or self.history.parent).absolute()

    @property
    def zone(self) -> tzinfo | None:
        """The zone of the log's times; None is the machine's own."""
        return UTC if self.utc else None

    @property
    def access_keys(self) -> Path | None:
        """The file with the keys that are needed; None if everybody may come in."""
        is_reached_from_elsewhere = not is_loopback(self.host) or self.proxies or self.public_hosts
        if self.is_open or not (self.key_file or is_reached_from_elsewhere):
            return None
        return self.key_file or access_keys_of(self.history)
