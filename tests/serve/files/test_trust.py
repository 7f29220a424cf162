"""Files that decide who may do what: who else could have written or replaced them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from besedka.serve.authentication.key_file import keys_in, open_keys
from besedka.serve.directory.audit import Audit
from besedka.serve.directory.records import Record
from besedka.serve.errors import KeyFileUnusable, RecordUnusable
from besedka.serve.files import trust
from besedka.serve.files.descriptor import Descriptor
from besedka.serve.files.trust import (
    Inode,
    Trusted,
    UntrustedFile,
    folder_concern,
    refuse_replaceable,
    refuse_untrusted,
    why_replaceable,
    why_untrusted,
)

SERVER, ROOT, OTHER = 1500, 0, 1600
OURS = Trusted(SERVER, frozenset({SERVER, ROOT}), frozenset({SERVER, ROOT, 100}))
FILE, FOLDER = Path("/srv/Talk/known_names.txt"), Path("/srv/Talk")
KEY = "a-key-of-some-length"


def inode(path: Path, mode: int, owner: int = SERVER, group: int = SERVER) -> Inode:
    return Inode(path, owner, group, mode)


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (inode(FILE, 0o600), ""),
        (inode(FILE, 0o644, ROOT, ROOT), ""),
        (inode(FILE, 0o664), ""),
        (inode(FILE, 0o660, group=100), ""),
        (inode(FILE, 0o660, group=OTHER), f"gid 1600) can change it (mode 0660): chmod 600 {FILE}"),
        (inode(FILE, 0o640, group=OTHER), ""),
        (inode(FILE, 0o602), f"every user of this machine can change it (mode 0602): chmod 600 {FILE}"),
        (inode(FILE, 0o666, ROOT), f"every user of this machine can change it (mode 0666): chmod 600 {FILE}"),
        (
            inode(FILE, 0o600, OTHER),
            f"uid 1600) owns it and can change it: if it says what it should, chown 1500 {FILE}",
        ),
        (inode(FILE, 0o444, OTHER, SERVER), "chown 1500"),
    ],
)
def test_a_file_is_believed_if_nobody_else_can_write_it(file: Inode, why: str) -> None:
    found = why_untrusted(file, OURS)
    assert why in found
    assert bool(why) is bool(found)


@pytest.mark.parametrize(
    ("folder", "above", "why"),
    [
        (inode(FOLDER, 0o700), 0o755, ""),
        (inode(FOLDER, 0o755, ROOT, ROOT), 0o755, ""),
        (inode(FOLDER, 0o2775), 0o755, ""),
        (inode(FOLDER, 0o775, group=100), 0o755, ""),
        (
            inode(FOLDER, 0o775, group=OTHER),
            0o755,
            f"gid 1600) can replace it (mode 0775 of {FOLDER}): chmod g-w {FOLDER}",
        ),
        (inode(FOLDER, 0o1777, ROOT, ROOT), 0o755, ""),
        (inode(FOLDER, 0o1777, ROOT, OTHER), 0o1777, ""),
        (
            inode(FOLDER, 0o777),
            0o755,
            f"every user of this machine can replace it (mode 0777 of {FOLDER}): chmod o-w {FOLDER}",
        ),
        (inode(FOLDER, 0o773), 0o755, "mode 0773"),
        (
            inode(FOLDER, 0o700, OTHER),
            0o755,
            f"uid 1600) owns its folder and can replace it: chown 1500 {FOLDER}",
        ),
        (inode(FOLDER, 0o1777, OTHER), 0o755, "uid 1600"),
        (inode(FOLDER, 0o700), 0o777, f"(mode 0777 of {FOLDER.parent}): chmod o-w {FOLDER.parent}"),
        (inode(FOLDER, 0o700), 0o1777, ""),
    ],
)
def test_a_file_is_believed_if_nobody_else_can_replace_it(folder: Inode, above: int, why: str) -> None:
    found = why_replaceable(folder, [inode(FOLDER.parent, above, ROOT, ROOT)], OURS)
    assert why in found
    assert bool(why) is bool(found)


def test_the_owner_of_a_folder_above_is_not_looked_at() -> None:
    """In a container, root outside may be nobody inside."""
    assert not why_replaceable(inode(FOLDER, 0o700), [inode(FOLDER.parent, 0o775, 65534, 65534)], OURS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text(f"{KEY}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def of_another_user(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes all files those of another user."""

    def fail(_: Path) -> int:
        raise PermissionError

    def become_another() -> None:
        user = os.geteuid() + 1
        monkeypatch.setattr(os, "geteuid", lambda: user)
        monkeypatch.setattr(trust, "_ROOT", -1)
        monkeypatch.setattr(trust, "_given", fail)

    return become_another


def test_every_file_that_decides_who_may_do_what_is_refused_if_it_is_of_another_user(
    tmp_path: Path, file: Path, of_another_user: Callable[[], None]
) -> None:
    record = Record(file)
    assert record.open(lambda _: 0) == f"{KEY}\n"
    assert [key.text for key in open_keys(file)[0]] == [KEY]
    Audit(tmp_path).open()
    of_another_user()
    for use in (lambda: Record(file).open(lambda _: 0), record.read, Audit(tmp_path).open):
        with pytest.raises(RecordUnusable, match="another user of this machine"):
            use()
    for read_keys in (open_keys, keys_in):
        with pytest.raises(KeyFileUnusable, match="another user of this machine"):
            read_keys(file)


def test_a_command_of_another_user_may_read_the_keys_if_nobody_but_their_owner_can_write_them(
    file: Path, of_another_user: Callable[[], None]
) -> None:
    of_another_user()
    assert [key.text for key in keys_in(file, is_of_server=False)] == [KEY]
    file.chmod(0o666)
    with pytest.raises(KeyFileUnusable, match="every user"):
        keys_in(file, is_of_server=False)


def test_where_the_file_system_gives_files_another_owner_they_are_the_servers_all_the_same(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(trust, "_ROOT", -1)
    refuse_untrusted(file, Descriptor(file, os.O_RDONLY))
    refuse_replaceable(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_server_of_roots_trusts_the_owner_of_its_folder_with_a_warning(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    monkeypatch.setattr(trust, "_ROOT", owner + 1)
    monkeypatch.setattr(os, "getegid", lambda: -1)
    monkeypatch.setattr(os, "getgroups", list)
    tmp_path.chmod(0o775)
    refuse_untrusted(file, Descriptor(file, os.O_RDONLY))
    assert folder_concern(tmp_path) == (
        f"another user of this machine (uid {owner}) can replace the files that say who may do what, in {tmp_path}: "
        f"chown {owner + 1} {tmp_path}"
    )
    file.chmod(0o666)
    with pytest.raises(UntrustedFile, match="every user"):
        refuse_untrusted(file, Descriptor(file, os.O_RDONLY))


@pytest.mark.parametrize("lead", ["the link", "the file"])
def test_neither_a_link_nor_what_it_leads_to_may_be_replaceable(tmp_path: Path, lead: str) -> None:
    beside, away = tmp_path / "beside", tmp_path / "away"
    for folder in (beside, away):
        folder.mkdir()
    (away / "keys").write_text(f"{KEY}\n")
    (beside / "keys").symlink_to(away / "keys")
    assert open_keys(beside / "keys")[0]
    (beside if lead == "the link" else away).chmod(0o777)
    with pytest.raises(KeyFileUnusable, match="every user of this machine can replace it"):
        open_keys(beside / "keys")


def test_a_link_to_itself_is_no_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "audit.txt").symlink_to("audit.txt")
    with pytest.raises(RecordUnusable, match="symbolic link"):
        Audit(tmp_path).open()


def test_nothing_is_made_where_it_could_be_replaced(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(RecordUnusable, match=f"mode 0777 of {tmp_path}"):
        Audit(tmp_path).open()
    with pytest.raises(KeyFileUnusable, match=f"mode 0777 of {tmp_path}"):
        open_keys(tmp_path / "keys")
    assert not [*tmp_path.iterdir()]


def test_what_is_not_believed_is_not_written_to_either(tmp_path: Path, file: Path) -> None:
    record = Record(file)
    record.open(lambda _: 0)
    tmp_path.chmod(0o777)
    with pytest.raises(UntrustedFile):
        record.append(b"row\n", must_be_known=True)
    with pytest.raises(UntrustedFile):
        record.append(b"row\n", must_be_known=True)
    assert file.read_text() == f"{KEY}\n"
    tmp_path.chmod(0o700)
    record.append(b"row\n", must_be_known=True)
    assert file.read_text() == f"{KEY}\nrow\n"


def test_a_file_that_was_not_believed_is_read_once_it_can_be_without_another_edit(file: Path) -> None:
    record = Record(file)
    record.open(lambda _: 0)
    file.write_text("row\n")
    file.chmod(0o666)
    for _ in range(2):
        with pytest.raises(RecordUnusable, match="mode 0666"):
            record.read_if_edited()
    file.chmod(0o600)
    assert record.read_if_edited() == "row\n"
    assert record.read_if_edited() is None


def test_a_folder_of_the_servers_own_group_is_worth_a_warning(tmp_path: Path) -> None:
    assert not folder_concern(tmp_path)
    tmp_path.chmod(0o2775)
    assert folder_concern(tmp_path).endswith(f"in {tmp_path} (mode 2775): chmod g-w {tmp_path}")
    refuse_replaceable(tmp_path / "audit.txt")
    assert not folder_concern(tmp_path / "nowhere")


def test_where_the_file_system_has_no_permissions_nothing_is_refused_and_the_operator_is_warned(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.chmod(0o777)
    file.parent.chmod(0o777)
    with pytest.raises(UntrustedFile):
        refuse_replaceable(file)
    monkeypatch.setattr(trust, "_given", lambda folder: folder.stat())
    refuse_replaceable(file)
    refuse_untrusted(file, Descriptor(file, os.O_RDONLY))
    assert folder_concern(file.parent).endswith(f"in {file.parent}: its file system has no permissions")
