"""The server's own errors::

ServeError
├── StartError              the server cannot start; the message is for the person who started it
│   ├── HistoryUnusable
│   ├── HistoryInUse
│   ├── FolderInUse
│   ├── RecordUnusable
│   ├── AddressUnusable
│   ├── SocketUnusable
│   ├── CertificateUnusable
│   ├── KeyFileUnusable
│   ├── ClusterUnusable
│   └── ThreadsMissing
├── AppendError             a batch was not stored, and is not delivered
│   ├── StorageFull         no space now; the file is as it was, try again later
│   └── HistoryLost         final: the server must stop, nothing is retried
├── ClusterLost             the cluster cannot be used any more; the server must stop
├── PartFailed              something that runs in the background failed; the server must stop
├── SessionFailed           a call was cut off, because an error of ours kept it from being disconnected
├── SourceUnusable          a file cannot be imported
├── HistoryChanged          a message is not as it was written, and is left alone
└── AuditLost               an act of moderation was not noted, and so is not carried out
"""

from __future__ import annotations

from pathlib import Path


class ServeError(Exception):
    """The root of the server's own errors."""


class StartError(ServeError):
    """The server cannot start."""


class HistoryUnusable(StartError):  # noqa: N818 - the names of the tree say what happened
    """The history file cannot be read and written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot use the history {path}: {reason}")


class HistoryInUse(StartError):  # noqa: N818
    """Another process holds the history file."""

    def __init__(self, path: Path, holder: int | None) -> None:
        who = f"process {holder}" if holder else "another process"
        super().__init__(f"the history {path} is in use by {who}")
        self.holder = holder


class FolderInUse(StartError):  # noqa: N818
    """Another server uses the files about people in this folder."""

    def __init__(self, folder: Path, holder: int | None) -> None:
        who = f"process {holder}" if holder else "another process"
        super().__init__(
            f"the folder {folder} is in use by {who}; a second server needs another one (--people)"
        )


class RecordUnusable(StartError):  # noqa: N818
    """A file about people cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot use {path}: {reason}")


class AddressUnusable(StartError):  # noqa: N818
    """The address to listen on cannot be used."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host} port {port}: {reason}")


class SocketUnusable(StartError):  # noqa: N818
    """A Unix socket cannot be created."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot listen on {path}: {reason}")


class CertificateUnusable(StartError):  # noqa: N818
    """The certificate, or its key, is not valid."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot use the certificate {path} with its key: {reason}")


class KeyFileUnusable(StartError):  # noqa: N818
    """The file of access keys cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot use the access keys in {path}: {reason}")


def missing_package(error: ModuleNotFoundError) -> str:
    """A sentence about a package that only a cluster needs, and that is not installed."""
    return f"the Python package {error.name} is missing; it comes with besedka[cluster], or with make cluster"


class ClusterUnusable(StartError):  # noqa: N818
    """The cluster cannot be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"cannot use the cluster: {reason}")


class ClusterLost(ServeError):  # noqa: N818
    """The cluster cannot be used any more."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the cluster cannot be used any more: {reason}")


class ThreadsMissing(StartError):  # noqa: N818
    """The system allows no more threads."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"cannot start {count} more thread{'' if count == 1 else 's'}: the system allows none (ulimit -u, TasksMax=, --pids-limit)"
        )


class AppendError(ServeError):
    """A batch was not stored."""


class StorageFull(AppendError):  # noqa: N818
    """There is no space on the disk; the history is as it was before."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(f"no room for {size} bytes in {path}")


class HistoryForeign(AppendError):  # noqa: N818
    """Another user's file is in the place of a private room's log; nothing was written, and later it may be the server's own again."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"nothing is written into {path}: {reason}")


class HistoryLost(AppendError):  # noqa: N818
    """The history can no longer be trusted to hold what is written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the history {path} cannot be written any more: {reason}")


class PartFailed(ServeError):  # noqa: N818
    """An error of ours has ended something without which the server cannot go on."""

    def __init__(self, what: str, error: Exception) -> None:
        super().__init__(f"the server had to stop: {what} failed ({type(error).__name__}: {error})")


class SessionFailed(ServeError):  # noqa: N818
    """An error of ours, logged already, kept a call from being disconnected with its reason."""


class SourceUnusable(ServeError):  # noqa: N818
    """A file cannot be imported."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"cannot import {name}: {reason}")


class HistoryChanged(ServeError):  # noqa: N818
    """A message that was to be changed has been edited externally."""

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(f"message {number} of {path} is not as it was written")


class AuditLost(ServeError):  # noqa: N818
    """An entry could not be added to the audit log.

    Attributes:
        is_full: whether there is no space on the disk; there may be later.
    """

    def __init__(self, path: Path, reason: str, *, is_full: bool) -> None:
        super().__init__(f"{path} could not be written: {reason}")
        self.is_full = is_full
