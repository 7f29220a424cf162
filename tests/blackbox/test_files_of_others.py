"""Files that somebody else has laid in the server's folder, or can change: none is written through, and none is believed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.clocks import BENT, OFTEN
from tests.commanding import Person, wait_until
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import WireClient

ANNA, EVE = "a" * 64, "e" * 64
LINE = "[2025-11-19 23:46:36] Anna: Hello\n"
ROW = f"Anna\t{'b' * 64}\n"


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Person]:
    with Person(tmp_path) as person:
        yield person


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of somebody else."""
    path = tmp_path_factory.mktemp("elsewhere") / "file"
    path.write_text(LINE, encoding="utf-8")
    return path


def refused_start(operator: Person, why: str, *options: str) -> None:
    done = operator.run("serve", "--port", "0", "--grpc-port", "0", *options)
    done.assert_one_clear_line(1, why)


def test_the_history_that_is_named_may_be_a_link_and_is_followed(
    make_server: ServerMaker, tmp_path: Path, elsewhere: Path
) -> None:
    (tmp_path / "chat_history.txt").symlink_to(elsewhere)
    server = make_server("--lang", "en").start()
    with WireClient(server) as anna:
        assert anna.join("Anna")["head"] == 1
        anna.send_frame("chat", text="hi")
        anna.receive("chat")
    assert elsewhere.read_text(encoding="utf-8").count("\n") == 2
    assert (tmp_path / "chat_history.txt").is_symlink()


def test_the_log_of_another_room_is_no_link(server: RunningServer, elsewhere: Path) -> None:
    for room, target in (("dev", elsewhere), ("new", elsewhere.with_name("nowhere"))):
        (server.directory / f"chat_history.{room}.txt").symlink_to(target)
        with WireClient(server) as anna:
            assert anna.refused("join", room=room, user="Anna") == "room_unavailable"
    assert elsewhere.read_text(encoding="utf-8") == LINE
    assert not elsewhere.with_name("nowhere").exists()
    assert "it is a symbolic link, which is followed for --history and --key-file only" in server.errors


def test_the_log_of_a_room_is_no_pipe(server: RunningServer) -> None:
    os.mkfifo(server.directory / "chat_history.dev.txt")
    with WireClient(server) as anna:
        assert anna.refused("join", room="dev", user="Anna") == "room_unavailable"
    assert "it is not a regular file" in server.errors


@pytest.mark.parametrize("name", ["index", "epoch"])
def test_what_stands_beside_a_log_is_made_anew_in_place_of_a_link(
    make_server: ServerMaker, elsewhere: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "chat_history.txt").write_text(LINE, encoding="utf-8")
    beside = tmp_path / f"chat_history.txt.{name}"
    beside.symlink_to(elsewhere)
    server = make_server("--lang", "en").start()
    with WireClient(server) as anna:
        assert anna.join("Anna")["head"] == 1
        anna.send_frame("chat", text="hi")
        anna.receive("chat")
    assert elsewhere.read_text(encoding="utf-8") == LINE
    assert not beside.is_symlink()


@pytest.mark.parametrize(
    "name", ["audit.txt", "known_names.txt", "private_rooms.txt", "invitations.txt", "access_key.txt"]
)
def test_a_start_is_refused_where_a_file_about_people_is_a_link_or_a_pipe(
    operator: Person, tmp_path: Path, elsewhere: Path, name: str
) -> None:
    options = ("--host", "127.0.0.1", "--public-host", "chat.example")
    (tmp_path / name).symlink_to(elsewhere)
    refused_start(operator, "symbolic link", *options)
    assert elsewhere.read_text(encoding="utf-8") == LINE
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    refused_start(operator, "not a regular file", *options)


@pytest.mark.parametrize("command", ["history", "verify"])
def test_a_command_that_reads_a_log_waits_for_no_pipe_and_follows_the_link_that_is_named(
    operator: Person, tmp_path: Path, elsewhere: Path, command: str
) -> None:
    log = tmp_path / "chat_history.txt"
    os.mkfifo(log)
    operator.run(command).assert_one_clear_line(1, "not a regular file")
    operator.run(command, str(tmp_path)).assert_one_clear_line(1, "is a directory")
    log.unlink()
    log.symlink_to(elsewhere)
    assert operator.run(command).status == 0


@pytest.mark.parametrize("lay", [os.mkfifo, lambda path: path.symlink_to(path.with_name("elsewhere.txt"))])
def test_an_import_reads_the_private_rooms_from_a_file_of_the_server_only(
    operator: Person, tmp_path: Path, lay: Callable[[Path], None]
) -> None:
    (tmp_path / "old.txt").write_text(LINE, encoding="utf-8")
    (tmp_path / "elsewhere.txt").write_text(f"dev\towner\t{ROW}", encoding="utf-8")
    lay(tmp_path / "private_rooms.txt")
    done = operator.run("import", "old.txt", "--history", "chat_history.dev.txt")
    done.assert_one_clear_line(1, "nothing was imported")
    assert not (tmp_path / "chat_history.dev.txt").exists()


@pytest.mark.parametrize("words", [("link",), ("admit", "Anna")])
def test_a_link_to_the_chat_is_made_with_no_key_that_another_file_holds(
    operator: Person, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "elsewhere.txt").write_text("a-key-of-another-chat\n", encoding="utf-8")
    (tmp_path / "elsewhere.txt").chmod(0o600)
    keys = tmp_path / "access_key.txt"
    keys.symlink_to("elsewhere.txt")
    done = operator.run("admin", *words)
    done.assert_one_clear_line(1, "symbolic link")
    assert "a-key-of-another-chat" not in done.stderr
    named = operator.run("admin", "link", "--key-file", str(keys))
    assert "a-key-of-another-chat" in named.assert_well()


def test_a_start_is_refused_where_the_history_is_a_pipe(operator: Person, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "chat_history.txt")
    refused_start(operator, "not a regular file")


def test_the_key_file_that_is_named_may_be_a_link(
    make_server: ServerMaker, tmp_path: Path, elsewhere: Path
) -> None:
    elsewhere.write_text("a-key-of-some-length\n", encoding="utf-8")
    elsewhere.chmod(0o600)
    (tmp_path / "keys").symlink_to(elsewhere)
    server = make_server("--lang", "en", "--key-file", "keys").start()
    with WireClient(server, additional_headers={"authorization": "Bearer a-key-of-some-length"}) as anna:
        anna.join("Anna")
    assert "WARNING" not in server.errors
    assert "ERROR" not in server.errors


@pytest.mark.parametrize(
    "name", ["audit.txt", "known_names.txt", "private_rooms.txt", "invitations.txt", "access_key.txt"]
)
def test_a_start_is_refused_where_everybody_could_have_written_who_may_do_what(
    operator: Person, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / name).chmod(0o666)
    refused_start(
        operator, "every user of this machine can change it (mode 0666)", "--public-host", "chat.example"
    )


def test_a_file_about_people_that_everybody_can_change_now_is_not_read_again(server: RunningServer) -> None:
    with WireClient(server) as anna, Operator(server) as operator:
        anna.join("Anna", secret=ANNA)
        path = server.directory / "known_names.txt"
        path.chmod(0o666)
        path.write_text(ROW, encoding="utf-8")
        assert operator.ask("release", "Anna")["code"] == "not_stored"
    assert "every user of this machine can change it" in server.errors


def test_a_start_is_refused_where_everybody_could_have_replaced_a_file_about_people(
    make_server: ServerMaker, operator: Person, tmp_path: Path
) -> None:
    folder = tmp_path / "srv" / "Talk"
    folder.mkdir(parents=True)
    keys = tmp_path / "keys"
    for open_to_all, options in (
        (folder, ("--people", str(folder))),
        (folder.parent, ("--people", str(folder))),
        (folder, ("--key-file", str(folder / "keys"))),
    ):
        mode = open_to_all.stat().st_mode
        open_to_all.chmod(0o777)
        refused_start(
            operator, f"every user of this machine can replace it (mode 0777 of {open_to_all})", *options
        )
        assert not [*folder.iterdir()]
        open_to_all.chmod(mode)
    server = make_server("--people", str(folder), "--key-file", str(keys), directory=tmp_path).start()
    assert "WARNING" not in server.errors


def test_in_a_sticky_folder_of_all_users_the_server_starts_and_in_one_of_its_group_with_a_warning(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    server = make_server("--lang", "en")
    for mode, warnings in ((0o1777, []), (0o775, [f"in {tmp_path} (mode 0775): chmod g-w {tmp_path}"])):
        tmp_path.chmod(mode)
        server.start()
        with WireClient(server) as anna:
            anna.join("Anna", secret=ANNA)
        server.stop()
        reported = [line for line in server.errors.splitlines() if "WARNING" in line]
        assert [line.split("may do what, ")[1] for line in reported] == warnings


def test_a_list_of_members_that_somebody_has_laid_in_an_open_folder_is_not_taken(
    make_server: ServerMaker,
) -> None:
    server = make_server("--lang", "en", module=BENT, CONSTANTS=OFTEN).start()
    path = server.directory / "private_rooms.txt"
    row = f"plans\towner\tEve\t{sha256(EVE.encode()).hexdigest()}\n"
    with WireClient(server) as anna, WireClient(server) as eve:
        anna.join("Anna", secret=ANNA)
        anna.ask("private", room="plans")
        eve.join("Eve", secret=EVE)
        server.directory.chmod(0o777)
        path.rename(path.with_name("away"))
        path.write_text(row, encoding="utf-8")
        path.chmod(0o600)
        wait_until(lambda: "every user of this machine can replace it" in server.errors)
        assert eve.refused("join", room="plans", user="Eve", secret=EVE) == "not_invited"
        assert anna.refused("join", room="plans", user="Anna", secret=ANNA) == "room_unavailable"
        assert anna.ask("private", room="tea")["code"] == "not_stored"
        assert path.read_text(encoding="utf-8") == row
        # Mended, and with what it said before.
        server.directory.chmod(0o700)
        path.with_name("away").rename(path)
        wait_until(lambda: f"{path} can be used again" in server.errors)
        assert eve.refused("join", room="plans", user="Eve", secret=EVE) == "not_invited"
        assert anna.join("Anna", "plans", secret=ANNA)["may"] == ["invite"]
        assert anna.ask("private", room="more")["type"] == "place"
    assert server.errors.count(f"cannot use {path}: every user of this machine can replace it") == 1


def test_keys_that_somebody_has_laid_in_an_open_folder_are_not_taken(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", "--key-file", "keys")
    (server.directory / "keys").write_text("the-key-of-the-operator\n", encoding="utf-8")
    server.start()
    server.directory.chmod(0o777)
    (server.directory / "keys").unlink()
    (server.directory / "keys").write_text("the-key-of-somebody-else\n", encoding="utf-8")
    wait_until(lambda: "every user of this machine can replace it" in server.errors)
    for key, is_taken in (("the-key-of-somebody-else", False), ("the-key-of-the-operator", True)):
        with WireClient(server, additional_headers={"authorization": f"Bearer {key}"}) as anna:
            if is_taken:
                anna.join("Anna")
            else:
                assert anna.end_code() == 4003


def test_the_operator_is_warned_once_of_files_that_others_can_read_or_change(server: RunningServer) -> None:
    with WireClient(server) as anna, Operator(server) as operator:
        anna.join("Anna", secret=ANNA)
        anna.ask("private", room="plans")
        operator.do("slow", room="main", seconds=1)
        operator.do("slow", room="main", seconds=0)
    server.stop()
    (server.directory / "chat_history.plans.txt").write_text(LINE, encoding="utf-8")
    (server.directory / "chat_history.dev.txt").write_text(LINE, encoding="utf-8")
    for name, mode in (("audit", 0o640), ("known_names", 0o660), ("chat_history.plans", 0o644)):
        (server.directory / f"{name}.txt").chmod(mode)
    (server.directory / "chat_history.dev.txt").chmod(0o666)
    server.history.chmod(0o644)
    server.start()
    for _ in range(2):
        with WireClient(server) as anna:
            for room in ("main", "plans", "dev"):
                anna.join("Anna", room, secret=ANNA)
    warnings = [line.split("WARNING ")[1] for line in server.errors.splitlines() if "WARNING" in line]
    reported = [line.split(": ", 1)[1] for line in warnings]
    folder = server.directory
    assert sorted(reported) == [
        f"other users of this machine can change {folder}/chat_history.dev.txt (mode 0666): chmod 644 {folder}/chat_history.dev.txt",
        f"other users of this machine can change {folder}/known_names.txt (mode 0660): chmod 600 {folder}/known_names.txt",
        f"other users of this machine can read {folder}/audit.txt (mode 0640): chmod 600 {folder}/audit.txt",
        f"other users of this machine can read {folder}/chat_history.plans.txt (mode 0644): chmod 600 {folder}/chat_history.plans.txt",
    ]


def test_a_private_room_is_not_written_into_a_file_that_everybody_can_change(server: RunningServer) -> None:
    path = server.directory / "chat_history.plans.txt"
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        assert anna.ask("private", room="plans")["type"] == "place"
    server.stop()
    # Nothing was said there, so there was no file.
    path.touch()
    path.chmod(0o666)
    server.start()
    with WireClient(server) as anna:
        assert anna.refused("join", room="plans", user="Anna", secret=ANNA) == "room_unavailable"
        assert path.read_text(encoding="utf-8") == ""
        assert "every user of this machine can change it (mode 0666)" in server.errors
        path.unlink()
        anna.join("Anna", "plans", secret=ANNA)


def test_an_index_that_everybody_can_change_is_made_anew(make_server: ServerMaker, tmp_path: Path) -> None:
    server = make_server("--lang", "en").start()
    with WireClient(server) as boris, WireClient(server) as guest:
        boris.join("Boris", secret=ANNA)
        guest.join("Guest")
        guest.send_frame("chat", text="hi")
        guest.receive("chat")
    server.stop()
    index = tmp_path / "chat_history.txt.index"
    before = index.stat().st_ino
    for mode, is_made_anew in ((0o600, False), (0o666, True)):
        index.chmod(mode)
        server.start()
        with WireClient(server) as anna:
            assert anna.join("Anna")["head"] == 1
        server.stop()
        assert (index.stat().st_ino != before) is is_made_anew
        assert (f"the index {index} is not used, and made anew: every user" in server.errors) is is_made_anew
    assert index.stat().st_mode & 0o777 == 0o600


def test_a_room_that_becomes_private_is_not_written_on_in_a_file_that_everybody_can_change(
    make_server: ServerMaker,
) -> None:
    server = make_server("--lang", "en", module=BENT, CONSTANTS=OFTEN).start()
    path, rooms = (server.directory / f"{name}.txt" for name in ("chat_history.plans", "private_rooms"))
    with WireClient(server) as anna:
        anna.join("Anna", "plans", secret=ANNA)
        anna.send_frame("chat", room="plans", text="for all")
        anna.receive("chat")
        path.chmod(0o666)
        rooms.write_text(f"plans\towner\tAnna\t{sha256(ANNA.encode()).hexdigest()}\n", encoding="utf-8")
        rooms.chmod(0o600)
        wait_until(lambda: "private room=plans" in (server.directory / "audit.txt").read_text())
        anna.send_frame("chat", room="plans", text="the plan")
        assert anna.receive("error")["code"] == "room_unavailable"
        path.chmod(0o600)
        anna.send_frame("chat", room="plans", text="another")
        assert anna.receive("chat")["text"] == "another"
    assert "the plan" not in path.read_text(encoding="utf-8")
    assert "every user of this machine can change it (mode 0666)" in server.errors


def test_a_file_that_cannot_be_removed_does_not_keep_another_from_being_written(
    server: RunningServer,
) -> None:
    # As in a sticky folder one of another user's, which root could remove.
    for name in (".known_names.txt.new", f".chat_history.plans.txt.epoch.{server.pid}"):
        (server.directory / name).mkdir()
    with WireClient(server) as anna:
        assert anna.join("Anna", secret=ANNA)["type"] == "welcome"
        anna.ask("private", room="plans")
        anna.join("Anna", "plans", secret=ANNA)
    with Operator(server) as operator:
        operator.do("release", "Anna")
    server.stop()
    assert ANNA not in (server.directory / "known_names.txt").read_text(encoding="utf-8")
    assert "WARNING" not in server.errors


def test_a_private_room_is_not_written_into_a_file_that_is_laid_in_place_of_its_log(
    server: RunningServer,
) -> None:
    path = server.directory / "chat_history.plans.txt"
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.ask("private", room="plans")
        anna.join("Anna", "plans", secret=ANNA)
        anna.send_frame("chat", room="plans", text="the first plan")
        anna.receive("chat")
        path.rename(path.with_name("away"))
        path.touch()
        path.chmod(0o666)
        anna.send_frame("chat", room="plans", text="the second plan")
        assert anna.receive("error")["code"] == "not_stored"
        assert path.read_text(encoding="utf-8") == ""
        # Mended, it is written on; nothing else has noticed.
        path.unlink()
        path.with_name("away").rename(path)
        anna.send_frame("chat", room="plans", text="the third plan")
        assert anna.receive("chat")["text"] == "the third plan"
        anna.send_frame("chat", room="main", text="hi")
        assert anna.receive("chat")["text"] == "hi"
    assert [line.split(": ")[1] for line in path.read_text(encoding="utf-8").splitlines()] == [
        "the first plan",
        "the third plan",
    ]
    assert f"nothing is written into {path}: every user of this machine can change it" in server.errors


def test_an_index_that_everybody_can_change_accuses_nobody(
    server: RunningServer, operator: Person, tmp_path: Path
) -> None:
    with WireClient(server) as anna:
        anna.join("Anna")
        anna.send_frame("chat", text="hi")
        anna.receive("chat")
    server.stop()
    (tmp_path / "chat_history.txt.index").chmod(0o666)
    done = operator.run("verify")
    assert done.status == 1
    assert "the index chat_history.txt.index is not believed: every user of this machine can" in done.stderr


def test_an_import_writes_nothing_private_into_a_file_that_somebody_has_laid(
    operator: Person, tmp_path: Path, elsewhere: Path
) -> None:
    (tmp_path / "private_rooms.txt").write_text(f"plans\towner\tAnna\t{'a' * 64}\n", encoding="utf-8")
    (tmp_path / "old.txt").write_text(LINE, encoding="utf-8")
    target = tmp_path / "chat_history.plans.txt"
    target.touch()
    target.chmod(0o666)
    done = operator.run("import", "old.txt", "--history", str(target))
    done.assert_one_clear_line(1, "every user of this machine can change it")
    assert target.read_text(encoding="utf-8") == ""
    target.unlink()
    elsewhere.write_text("", encoding="utf-8")
    target.symlink_to(elsewhere)
    operator.run("import", "old.txt", "--history", str(target)).assert_one_clear_line(1, "symbolic link")
    assert elsewhere.read_text(encoding="utf-8") == ""
    target.unlink()
    assert operator.run("import", "old.txt", "--history", str(target)).status == 0
    assert target.read_text(encoding="utf-8") == LINE
