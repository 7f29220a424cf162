"""Reloading, while the server runs: the config file, the access keys, and the certificate (decision 50)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from besedka.serve import service_manager
from besedka.serve.authentication.key_file import KeyFile
from besedka.serve.errors import CertificateUnusable
from besedka.serve.log_event import event

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reread:
    """A config file that was read again.

    Attributes:
        changed: what is in force now, as ``log-level = debug``.
        needs_restart: the options that are in force only after a restart.
        trouble: why the file cannot be used; then nothing has changed.
    """

    changed: Sequence[str] = ()
    needs_restart: Sequence[str] = ()
    trouble: str = ""


class Reloading:
    """Reloads what can be reloaded.

    Args:
        reread: reads the config file again, and puts in force what can be.
        keys: the file of the access keys, if a key is needed.
        renew_certificate: reads the certificate again, if there is one; raises `CertificateUnusable`.
    """

    def __init__(
        self,
        reread: Callable[[], Reread],
        *,
        keys: KeyFile | None = None,
        renew_certificate: Callable[[], None] | None = None,
    ) -> None:
        self._reread = reread
        self._keys = keys
        self._renew_certificate = renew_certificate

    async def reload(self) -> None:
        """Reload, and log what was done; what cannot be read leaves all as it was."""
        service_manager.reloading()
        done: list[str] = []
        troubles: list[str] = []
        found = self._reread()
        done += found.changed
        if found.trouble:
            troubles.append(found.trouble)
        if self._keys:
            trouble = await self._keys.look()
            if trouble:
                troubles.append(f"the access keys: {trouble}")
            else:
                done.append(f"access keys: {self._keys.count}")
        if self._renew_certificate:
            try:
                self._renew_certificate()
            except CertificateUnusable as error:
                troubles.append(str(error))
            else:
                done.append("the certificate")
        _log(done, troubles, found.needs_restart)
        service_manager.ready()


def _log(done: Sequence[str], troubles: Sequence[str], needs_restart: Sequence[str]) -> None:
    log.info("reloaded: %s", "; ".join(done) or "nothing has changed", extra=event("reloaded", done=[*done]))
    for trouble in troubles:
        log.error("not reloaded, and left as it was: %s", trouble, extra=event("not_reloaded", why=trouble))
    if needs_restart:
        log.warning(
            "in force only after a restart: %s",
            ", ".join(needs_restart),
            extra=event("restart_needed", options=[*needs_restart]),
        )
