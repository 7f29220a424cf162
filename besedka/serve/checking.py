"""Checks of the settings that need files, without a start: nothing is created, locked or repaired, and a server may be running meanwhile."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from besedka.serve.authentication.key_file import keys_in
from besedka.serve.errors import (
    CertificateUnusable,
    HistoryUnusable,
    KeyFileUnusable,
    RecordUnusable,
    StartError,
)
from besedka.serve.files.descriptor import open_regular, reason
from besedka.serve.files.trust import refuse_replaceable, refuse_untrusted
from besedka.serve.history.index import index_path
from besedka.serve.history.opening.foreign import refuse_foreign
from besedka.serve.settings import Certificate, Settings

PEOPLE: Final = ("audit.txt", "known_names.txt", "private_rooms.txt", "blocks.txt", "invitations.txt")
"""The files that say who may do what."""


def check_certificate(certificate: Certificate) -> None:
    """Check a certificate before the doors load it, for one clear error.

    Raises:
        CertificateUnusable: if it, or its key, is not valid.
    """
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.certificate, certificate.key)
    except (OSError, ssl.SSLError) as error:
        why = (error.strerror or str(error)).split(" (", 1)[0].lower()
        raise CertificateUnusable(certificate.certificate, why) from error


def obstacles(settings: Settings) -> Iterator[StartError]:
    """The errors of a start with these settings, as far as files show them; ports are not looked at."""
    try:
        if settings.certificate:
            check_certificate(settings.certificate)
    except CertificateUnusable as error:
        yield error
    try:
        _check_history(settings.history.absolute())
    except HistoryUnusable as error:
        yield error
    except OSError as error:
        yield HistoryUnusable(settings.history.absolute(), reason(error))
    yield from _people_obstacles(settings.people_folder)
    if keys := settings.access_keys:
        try:
            _check_keys(keys, may_be_link=settings.key_file is not None)
        except StartError as error:
            yield error
        except OSError as error:
            yield KeyFileUnusable(keys, reason(error))


def _people_obstacles(folder: Path) -> Iterator[StartError]:
    if not folder.is_dir():
        return  # as the history's, and said of that
    for name in PEOPLE:
        path = folder / name
        try:
            _check_record(path)
        except OSError as error:
            yield RecordUnusable(path, reason(error))
            if not path.exists():
                return  # the same is true of the others


def _check_history(path: Path) -> None:
    if path.exists():
        log = open_regular(path, os.O_RDWR, may_be_link=True)
        try:
            if not index_path(path).exists():
                refuse_foreign(log, path)
        finally:
            log.close()
    else:
        _check_folder(path.parent)


def _check_keys(path: Path, *, may_be_link: bool) -> None:
    if path.exists():
        keys_in(path, may_be_link=may_be_link)
    else:
        _check_folder(path.absolute().parent)
        refuse_replaceable(path)


def _check_record(path: Path) -> None:
    if os.path.lexists(path):
        file = open_regular(path, os.O_RDWR)
        try:
            refuse_untrusted(path, file)
        finally:
            file.close()
    else:
        _check_folder(path.parent)
        refuse_replaceable(path)


def _check_folder(folder: Path) -> None:
    if not os.access(folder.resolve(strict=True), os.W_OK | os.X_OK):
        raise PermissionError("no file can be made in its folder")
