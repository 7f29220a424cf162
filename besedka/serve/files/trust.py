"""Files that decide who may do what: read only if nobody else could have written or replaced them, as sshd(8) reads such files (StrictModes).

`why_untrusted` and `why_replaceable` are pure, and have the rules; decision 40 has their reasons:

- the file, and the folder that it is in, belong to the server's user or to root; a server of root's trusts the folder's owner, too;
- only these can write them, and members of a group of the server's own, of whom the operator is warned;
- a sticky folder may be anybody's to write, because nobody can replace another's file there (inode(7));
- no folder above it is anybody's to write, unless it is sticky;
- where the file system has no permissions, nothing is refused, and the operator is warned.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.files.descriptor import PRIVATE, Descriptor, create_private, fresh_beside

_ROOT: Final = 0


class UntrustedFile(OSError):  # noqa: N818 - says what it is
    """Somebody else could have written or replaced the file; the message says what ends that."""


class Inode(NamedTuple):
    """A file or a folder, and who may write it.

    Attributes:
        path: where it is.
        owner: its user.
        group: its group.
        mode: its permissions.
    """

    path: Path
    owner: int
    group: int
    mode: int

    @classmethod
    def of(cls, path: Path, status: os.stat_result) -> Inode:
        """That of a path, by its status."""
        return cls(path, status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))

    @property
    def is_sticky(self) -> bool:
        """Whether only their owners can move and remove the files of a folder."""
        return bool(self.mode & stat.S_ISVTX)


class Trusted(NamedTuple):
    """Those who may write what the server believes.

    Attributes:
        user: the server's user.
        users: all who may own it.
        groups: the groups that may write it.
    """

    user: int
    users: frozenset[int]
    groups: frozenset[int]

    @classmethod
    def now(cls) -> Trusted:
        """The server's user and root; the groups of this process."""
        user = os.geteuid()
        return cls(user, frozenset({user, _ROOT}), frozenset({os.getegid(), _ROOT, *os.getgroups()}))

    def and_also(self, *, users: Iterable[int] = (), groups: Iterable[int] = ()) -> Trusted:
        """These, and others."""
        return self._replace(users=self.users.union(users), groups=self.groups.union(groups))


def why_untrusted(file: Inode, trusted: Trusted) -> str:
    """Why a file's content is not believed, as a part of a sentence; empty if it is."""
    if file.owner not in trusted.users:
        return (
            f"another user of this machine (uid {file.owner}) owns it and can change it: "
            f"if it says what it should, chown {trusted.user} {file.path}"
        )
    if file.mode & stat.S_IWOTH:
        return (
            f"every user of this machine can change it (mode {file.mode:04o}): chmod {PRIVATE:o} {file.path}"
        )
    if file.mode & stat.S_IWGRP and file.group not in trusted.groups:
        return (
            f"members of another group (gid {file.group}) can change it (mode {file.mode:04o}): "
            f"chmod {PRIVATE:o} {file.path}"
        )
    return ""


def why_replaceable(folder: Inode, above: Iterable[Inode], trusted: Trusted) -> str:
    """Why a file of a folder could be another one than yesterday, as a part of a sentence; empty if it could not.

    Args:
        folder: the folder.
        above: the folders above it.
        trusted: who may write there.
    """
    if folder.owner not in trusted.users:
        return (
            f"another user of this machine (uid {folder.owner}) owns its folder and can replace it: "
            f"chown {trusted.user} {folder.path}"
        )
    for inode in (folder, *above):
        if inode.mode & stat.S_IWOTH and not inode.is_sticky:
            return f"every user of this machine can replace it (mode {inode.mode:04o} of {inode.path}): chmod o-w {inode.path}"
    if folder.mode & stat.S_IWGRP and folder.group not in trusted.groups and not folder.is_sticky:
        return (
            f"members of another group (gid {folder.group}) can replace it (mode {folder.mode:04o} of {folder.path}): "
            f"chmod g-w {folder.path}"
        )
    return ""


def refuse_untrusted(path: Path, file: Descriptor, *, is_of_server: bool = True) -> None:
    """Refuse a file of which somebody else could have written the content.

    Args:
        path: the file.
        file: the same, open.
        is_of_server: whether this process is the server; else a command reads for its own user, and whoever owns the file may be the server.

    Raises:
        UntrustedFile: with a sentence that says what to do.
    """
    folder = _real(path).parent
    inode = Inode.of(path, os.fstat(file.number))
    owners = frozenset() if is_of_server else frozenset({inode.owner})
    why = why_untrusted(inode, _trusted_in(folder, inode.owner).and_also(users=owners))
    if why and _has_permissions(folder):
        raise UntrustedFile(errno.EPERM, why)
    refuse_replaceable(path, owners)


def refuse_untrusted_log(path: Path, file: Descriptor) -> None:
    """Refuse a private log as `refuse_untrusted` does, and close it at once, with its lock: the error refers to it for some time.

    Raises:
        UntrustedFile: with a sentence that says what to do.
    """
    try:
        refuse_untrusted(path, file)
    except OSError:
        file.close()
        raise


def refuse_less_trusted(path: Path, file: Descriptor, original: Descriptor) -> None:
    """Refuse a file that says something of another one beside it, if somebody could have written it who can not write that one.

    Args:
        path: the file.
        file: the same, open.
        original: the other one, open.

    Raises:
        UntrustedFile: with a sentence that says what to do.
    """
    folder = _real(path).parent
    inode, other = Inode.of(path, os.fstat(file.number)), Inode.of(path, os.fstat(original.number))
    trusted = _trusted_in(folder, inode.owner).and_also(users={other.owner}, groups={other.group})
    why = why_untrusted(inode, trusted)
    if why and _has_permissions(folder):
        raise UntrustedFile(errno.EPERM, why)


def refuse_replaceable(path: Path, owners: Iterable[int] = ()) -> None:
    """Refuse a file, be it there or not, that somebody else can lay or replace. A link's folder counts, and the folder of what it leads to.

    Args:
        path: the file.
        owners: who may own its folder, besides the server's user and root.

    Raises:
        UntrustedFile: with a sentence that says what to do.
        OSError: from the system.
    """
    for folder in {_real(path.parent), _real(path).parent}:
        found = [Inode.of(one, one.stat()) for one in (folder, *folder.parents)]
        trusted = _trusted_in(folder, found[0].owner).and_also(users=owners)
        why = why_replaceable(found[0], found[1:], trusted)
        if why and _has_permissions(folder):
            raise UntrustedFile(errno.EPERM, why)


def folder_concern(folder: Path) -> str:
    """A warning about a folder of trusted files that others than the server's user and root can change; empty if there is none.

    Where each user has a group of their own, as on Debian, its members are nobody else.
    """
    with suppress(OSError):  # whoever uses it tells what is wrong with it
        inode, trusted = Inode.of(folder, folder.stat()), Trusted.now()
        can = f"can replace the files that say who may do what, in {folder}"
        if inode.owner not in trusted.users:
            return f"another user of this machine (uid {inode.owner}) {can}: chown {trusted.user} {folder}"
        if inode.mode & stat.S_IWOTH and not _has_permissions(folder):
            return f"every user of this machine {can}: its file system has no permissions"
        if inode.mode & (stat.S_IWGRP | stat.S_IWOTH) == stat.S_IWGRP and not inode.is_sticky:
            return f"members of group {inode.group} {can} (mode {inode.mode:04o}): chmod g-w {folder}"
    return ""


def _real(path: Path) -> Path:
    # `Path.resolve` raises RuntimeError for a link to itself.
    return Path(os.path.realpath(path))


def _trusted_in(folder: Path, owner: int) -> Trusted:
    """Those who may write trusted files in a folder, one of which has this owner.

    A server of root's trusts the owner and the group of the folder that it was started for: in a container that is the user outside. And each
    one trusts the user that the file system takes it for: some have one user for all files, or map them (NFS, FAT).
    """
    trusted = Trusted.now()
    if trusted.user == _ROOT:
        status = folder.stat()
        trusted = trusted.and_also(users={status.st_uid}, groups={status.st_gid})
    if owner not in trusted.users:
        with suppress(OSError):
            trusted = trusted.and_also(users={_given(folder).st_uid})
    return trusted


def _has_permissions(folder: Path) -> bool:
    """Whether a file in a folder keeps the mode that it is given: on FAT, and on the drives of Windows, all have the same one."""
    try:
        return stat.S_IMODE(_given(folder).st_mode) == PRIVATE
    except OSError:
        return True


@lru_cache(maxsize=8)
def _given(folder: Path) -> os.stat_result:
    """The owner and the mode of a file that this process creates in a folder, for itself alone.

    Raises:
        OSError: from the system.
    """
    path = fresh_beside(folder / "owner", str(os.getpid()))
    try:
        file = create_private(path, os.O_WRONLY)
        return os.fstat(file.number)
    finally:
        path.unlink(missing_ok=True)
