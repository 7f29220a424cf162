"""The file of the access keys: created if it does not exist, and watched while the server runs.

A file that is gone, or cannot be used, while the server runs changes nothing: many editors remove a file for a moment when they
save it, and that must neither revoke access nor grant it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

from besedka.serve.act_on_each import act_on_each
from besedka.serve.authentication.keys import Authenticator, BadKeys, Key, Keys, read_keys
from besedka.serve.errors import KeyFileUnusable
from besedka.serve.files.descriptor import open_regular, reason, write_whole
from besedka.serve.files.ownership import Care, concern
from besedka.serve.files.trust import refuse_replaceable, refuse_untrusted
from besedka.serve.limits.descriptors import SPARE_DESCRIPTORS
from besedka.serve.log_event import event
from besedka.serve.repeated_error import LASTING_SECONDS
from besedka.serve.threads import Threads

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
"""It is looked at so often, so that who came by a key that is withdrawn is gone within a second."""

KEY_BYTES: Final = 32
"""The chance in a key that we make."""

FILE_BYTES: Final = 64 * 1024
"""A longer file is none of ours: this is several hundred keys."""

_FRESH: Final = """\
# Whoever has one of these keys may come into the chat. One key a line, a label may stand behind it;
# a line that is taken out shuts out at once all who came by its key.
{key}
"""


def open_keys(path: Path, *, may_be_link: bool = True) -> tuple[list[Key], str]:
    """The keys in the file, with a new one if there is no such file.

    Args:
        path: the file.
        may_be_link: whether a symbolic link is followed, because the operator has named the file.

    Returns:
        The keys, and what is wrong with the file though it can be used.

    Raises:
        KeyFileUnusable: if there are no keys to be had from it.
    """
    try:
        refuse_replaceable(path)
        if not path.exists():
            write_whole(path, _FRESH.format(key=secrets.token_urlsafe(KEY_BYTES)), replace=False)
        keys = keys_in(path, may_be_link=may_be_link)
        return keys, _warning(path, may_be_link=may_be_link)
    except OSError as error:
        raise KeyFileUnusable(path, reason(error)) from None


def keys_in(path: Path, *, may_be_link: bool = True, is_of_server: bool = True) -> list[Key]:
    """The keys in a file that is there; one at least.

    Args:
        path: the file.
        may_be_link: whether a symbolic link is followed, because the operator has named the file.
        is_of_server: whether this process is the server, and not a command that anybody may run who can read the file.

    Raises:
        KeyFileUnusable: if there are no keys to be had from it.
    """
    try:
        keys = read_keys(_read(path, may_be_link=may_be_link, is_of_server=is_of_server))
    except BadKeys as error:
        raise KeyFileUnusable(path, str(error)) from None
    except OSError as error:
        raise KeyFileUnusable(path, reason(error)) from None
    if not keys:
        raise KeyFileUnusable(path, "there is no key in it")
    return keys


class KeyFile:
    """Keeps the valid keys in step with the file.

    Args:
        path: the file.
        keys: the keys that are valid now.
        access: uses them.
        reader: the thread that reads the file; it may be far away, behind a network that does not answer.
        may_be_link: whether a symbolic link is followed, because the operator has named the file.
    """

    def __init__(
        self,
        path: Path,
        keys: list[Key],
        access: Authenticator,
        reader: Threads,
        *,
        may_be_link: bool = True,
    ) -> None:
        self._path = path
        self._keys = keys
        self._access = access
        self._reader = reader
        self._read = partial(_read, path, may_be_link=may_be_link)
        self._looking = asyncio.Lock()
        self._logged, self._logged_at = "", float("-inf")

    async def watch(self) -> None:
        """Look at the file twice a second, for ever."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._reader.close(cancel=True)

    async def look(self) -> str:
        """Take the keys that are in the file now.

        Returns:
            Why that is not possible, and the keys are as before; empty if it is.
        """
        async with self._looking:
            try:
                keys = read_keys(await self._reader.run(SPARE_DESCRIPTORS.use, self._read))
            except (BadKeys, OSError) as error:
                why = str(error) if isinstance(error, BadKeys) else reason(error)
                self._report(why)
                return why
            self._logged = ""
            if keys != self._keys:
                self._keys = keys
                _change(self._access, keys)
            return ""

    @property
    def count(self) -> int:
        """The number of valid keys."""
        return len(Keys(self._keys))

    def _report(self, why: str) -> None:
        now = asyncio.get_running_loop().time()
        if why != self._logged or now >= self._logged_at + LASTING_SECONDS:
            self._logged, self._logged_at = why, now
            log.error(
                "the access keys in %s cannot be read, those before stay valid: %s",
                self._path,
                why,
                extra=event("keys_unreadable", path=str(self._path), why=why),
            )


def _change(access: Authenticator, keys: list[Key]) -> None:
    valid = Keys(keys)
    gone = access.change(valid)
    log.info("access keys valid from now on: %d", len(valid), extra=event("keys_changed", count=len(valid)))
    act_on_each(
        [session for session, _ in gone],
        lambda session: session.revoke_access(),
        "the access of a session could not be revoked",
    )
    for label, count in Counter(label for _, label in gone).items():
        log.info(
            "the access key %r was withdrawn; connections, calls and downloads ended: %d",
            label,
            count,
            extra=event("key_withdrawn", label=label, ended=count),
        )


def _read(path: Path, *, may_be_link: bool, is_of_server: bool = True) -> str:
    file = open_regular(path, os.O_RDONLY, may_be_link=may_be_link)
    refuse_untrusted(path, file, is_of_server=is_of_server)
    data = file.read(0, FILE_BYTES + 1)
    if len(data) > FILE_BYTES:
        raise BadKeys(f"it has more than {FILE_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadKeys("it is not text in UTF-8") from None


def _warning(path: Path, *, may_be_link: bool) -> str:
    return concern(path, open_regular(path, os.O_RDONLY, may_be_link=may_be_link), Care.TRUSTED)
