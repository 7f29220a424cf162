"""Changes of names and rooms are on disk before they are acknowledged, at every door; a slow or full disk is reported as such."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from besedka.serve.people.invitations import Invitations
from besedka.serve.people.memberships import PrivateRooms
from besedka.serve.people.names import KnownNames
from besedka.serve.people.table import CHANGES, Table
from tests.calling import Caller, speaker
from tests.clocks import OFTEN
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import WireClient

ANNA, BORIS, EVE = "a" * 64, "b" * 64, "e" * 64
NAMES, ROOMS, INVITATIONS = "known_names.txt", "private_rooms.txt", "invitations.txt"
KINDS: dict[str, type[Table[Any]]] = {NAMES: KnownNames, ROOMS: PrivateRooms, INVITATIONS: Invitations}


class Disk:
    """A test's control of a server's disk (`people_server`)."""

    def __init__(self, folder: Path, server: RunningServer) -> None:
        self._folder = folder
        self._server = server
        self._allowed = 0

    def say(self, name: str, what: str = "") -> None:
        """Have the disk do something from now on, or, if nothing is said, do it no more."""
        (self._folder / f"{name}.new").write_text(what)
        (self._folder / f"{name}.new").replace(self._folder / name)

    def begun(self) -> int:
        """How many syncs have begun."""
        path = self._folder / "begun"
        return int(path.read_text()) if path.exists() else 0

    def hold(self) -> None:
        """Let no sync return that begins from now on; but `step` lets one do so, and `let_go` all."""
        self._allowed = self.begun()
        self.say("allowed", str(self._allowed))

    def step(self) -> None:
        """Let one more return, and wait until the next has begun."""
        begun, self._allowed = self.begun(), self._allowed + 1
        self.say("allowed", str(self._allowed))
        wait_until(lambda: self.begun() > begun)

    def let_go(self) -> None:
        """Let all return."""
        self.say("allowed")

    def has_read(self) -> None:
        """Wait until the server has read what was said before, and has come to others since."""
        with WireClient(self._server) as other:
            for _ in range(3):
                other.ask("rooms")

    def syncs(self) -> int:
        """How many there were of the files themselves."""
        return sum(row.split()[0].isdigit() for row in self._rows())

    def kept(self, name: str) -> set[str]:
        """The keys of the rows that a power cut at this moment would leave of a file."""
        sizes, names = dict[str, int](), dict[str, str]()
        for row in self._rows():
            first, second = row.split()
            if first.isdigit():
                sizes[first] = int(second)
            else:
                names[first] = second
        path = self._server.directory / name
        if not path.exists() or names.get(name) != str(path.stat().st_ino):
            return set()
        data = path.read_bytes()[: sizes[names[name]]]
        assert not KINDS[name].torn(data)
        return {*KINDS[name].parse(data.decode()).rows}

    def _rows(self) -> list[str]:
        journal = self._folder / "synced"
        return journal.read_text().splitlines() if journal.exists() else []


def make(
    make_server: ServerMaker, tmp_path: Path, *options: str, grpc: bool = False
) -> tuple[RunningServer, Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    module = "tests.blackbox.people_server"
    server = make_server(
        "--lang", "en", *options, grpc=grpc, module=module, CONSTANTS=OFTEN, DISK=str(folder)
    )
    return server, Disk(folder, server)


@pytest.fixture
def started(make_server: ServerMaker, tmp_path: Path) -> tuple[RunningServer, Disk]:
    """A server that was started, and its disk."""
    server, disk = make(make_server, tmp_path)
    return server.start(), disk


def claim(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def test_acknowledged_names_and_rooms_outlive_a_power_cut_at_that_moment(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    server, disk = make(make_server, tmp_path, grpc=True)
    server.start()
    with (
        WireClient(server) as anna,
        WireClient(server) as boris,
        Caller(server) as caller,
        Operator(server) as operator,
    ):
        anna.join("Anna", secret=ANNA)
        assert "Anna" in disk.kept(NAMES)
        boris.join("Boris", secret=BORIS)
        assert "Boris" in disk.kept(NAMES)
        caller.send("Sender", "hello", secret="s" * 64)
        assert "Sender" in disk.kept(NAMES)
        caller.import_([speaker(user="Importer", secret="i" * 64)])
        assert "Importer" in disk.kept(NAMES)
        with caller.converse() as conversing:
            conversing.join("Converser", secret="c" * 64)
            assert "Converser" in disk.kept(NAMES)
        anna.ask("private", room="plans")
        assert f"plans\t{claim(ANNA)}" in disk.kept(ROOMS)
        place = anna.ask("direct", user="Boris")
        assert {f"{place['room']}\t{claim(one)}" for one in (ANNA, BORIS)} <= disk.kept(ROOMS)
        token = anna.ask("invite", room="plans")["token"]
        assert disk.kept(INVITATIONS) == {claim(token)}
        boris.join("Boris", "plans", secret=BORIS, invite=token)
        assert f"plans\t{claim(BORIS)}" in disk.kept(ROOMS)
        assert not disk.kept(INVITATIONS)  # it was for one
        boris.send_frame("leave", room="plans")
        assert anna.ask("uninvite", room="plans", user="Boris")["type"] == "done"
        assert f"plans\t{claim(BORIS)}" not in disk.kept(ROOMS)
        anna.ask("invite", room="plans")
        assert anna.ask("uninvite", room="plans")["type"] == "done"
        assert not disk.kept(INVITATIONS)
        token = operator.ask("admit", "Vera")["token"]
        assert disk.kept(INVITATIONS) == {claim(token)}
        operator.do("release", "Sender")
        assert "Sender" not in disk.kept(NAMES)
    with WireClient(server) as last:
        last.join("Last", secret="l" * 64)
        server.kill()
    server.start()
    with WireClient(server) as eve, WireClient(server) as anna:
        for name in ("Anna", "Boris", "Importer", "Converser", "Last"):
            assert eve.refused("join", room="main", user=name, secret=EVE) == "name_claimed"
        eve.join("Sender", secret=EVE)
        assert eve.refused("join", room="plans", user="Sender", secret=EVE) == "not_invited"
        anna.join("Anna", "plans", secret=ANNA)


def test_newcomers_share_syncs(started: tuple[RunningServer, Disk]) -> None:
    server, disk = started
    disk.hold()
    begun, count = disk.begun(), 60
    with ExitStack() as stack:
        newcomers = [stack.enter_context(WireClient(server)) for _ in range(count)]
        for number, newcomer in enumerate(newcomers):
            newcomer.send_frame("join", room="main", user=f"Name{number}", secret=f"{number:064}")
        wait_until(lambda: disk.begun() > begun)
        disk.has_read()
        assert all(newcomer.receives_nothing() for newcomer in newcomers)  # nobody is welcomed before
        disk.let_go()
        for number, newcomer in enumerate(newcomers):
            assert newcomer.receive("welcome")["user"] == f"Name{number}"
    assert disk.kept(NAMES) == {f"Name{number}" for number in range(count)}
    assert disk.syncs() <= count // 5


@pytest.fixture
def crowd(started: tuple[RunningServer, Disk]) -> Iterator[tuple[Disk, list[WireClient]]]:
    """Six people who are known, at a disk."""
    server, disk = started
    with ExitStack() as stack:
        people = [stack.enter_context(WireClient(server)) for _ in range(6)]
        for number, one in enumerate(people):
            one.join(f"Name{number}", secret=f"{number:064}")
        yield disk, people


def in_turn(
    disk: Disk, people: list[WireClient], ask: Callable[[int, WireClient], dict[str, Any]]
) -> list[dict[str, Any]]:
    """The answers to callers whose requests arrive while an earlier change is on its way to the disk."""
    disk.hold()
    begun, answers = disk.begun(), list[Future[dict[str, Any]]]()
    with ThreadPoolExecutor(len(people)) as threads:
        for number, one in enumerate(people):
            answers.append(threads.submit(ask, number, one))
            if number:
                disk.has_read()
                disk.step()
            else:
                wait_until(lambda: disk.begun() > begun)
        disk.let_go()
        return [answer.result() for answer in answers]


def test_a_caller_gets_the_outcome_of_its_own_change_and_not_of_others(
    crowd: tuple[Disk, list[WireClient]],
) -> None:
    disk, people = crowd
    places = in_turn(disk, people, lambda number, one: one.ask("private", room=f"room{number}"))
    assert [place["type"] for place in places] == ["place"] * 6
    offers = in_turn(disk, people, lambda number, one: one.ask("invite", room=f"room{number}"))
    assert [offer["type"] for offer in offers] == ["invitation"] * 6
    places = in_turn(disk, people, lambda number, one: one.ask("direct", user=f"Name{(number + 1) % 6}"))
    assert [place["type"] for place in places] == ["place"] * 6
    done = in_turn(disk, people, lambda number, one: one.ask("uninvite", room=f"room{number}"))
    assert [one["type"] for one in done] == ["done"] * 6
    assert not disk.kept(INVITATIONS)


def test_one_file_that_cannot_be_used_fails_nobody_who_needs_another(
    started: tuple[RunningServer, Disk],
) -> None:
    server, _ = started
    with WireClient(server) as anna, WireClient(server) as eve:
        anna.join("Anna", secret=ANNA)
        (server.directory / NAMES).write_bytes(b"\xff\xfe")
        assert eve.refused("join", room="main", user="Eve", secret=EVE) == "not_stored"
        assert anna.ask("private", room="plans")["type"] == "place"


@pytest.mark.parametrize("number", ["ENOSPC", "EDQUOT", "EFBIG"])
def test_a_full_disk_is_reported_as_one_and_writing_resumes_by_itself(
    started: tuple[RunningServer, Disk], number: str
) -> None:
    server, disk = started
    with (
        WireClient(server) as anna,
        WireClient(server) as boris,
        WireClient(server) as eve,
        Operator(server) as operator,
    ):
        for client, name, secret in ((anna, "Anna", ANNA), (boris, "Boris", BORIS)):
            client.join(name, secret=secret)
        anna.ask("private", room="plans")
        anna.ask("invite", room="plans")
        before = [(server.directory / name).read_bytes() for name in KINDS]
        disk.say("fault", f"write {number}")
        assert eve.refused("join", room="main", user="Eve", secret=EVE) == "storage_full"
        assert anna.ask("private", room="secrets")["code"] == "storage_full"
        assert anna.ask("direct", user="Boris")["code"] == "storage_full"
        assert anna.ask("invite", room="plans")["code"] == "storage_full"
        assert operator.ask("admit", "Vera")["code"] == "storage_full"
        assert [(server.directory / name).read_bytes() for name in KINDS] == before
        boris.join("Boris", "another", secret=BORIS)  # Boris is known, and reading goes on
        disk.say("fault")
        wait_until(lambda: "Eve" in disk.kept(NAMES))
        assert eve.join("Eve", secret=EVE)["user"] == "Eve"
        assert anna.ask("invite", room="plans")["type"] == "invitation"
        assert len(disk.kept(INVITATIONS)) == 2


def test_who_asks_again_for_a_room_that_found_no_room_on_the_disk_gets_it(
    started: tuple[RunningServer, Disk],
) -> None:
    server, disk = started
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        disk.say("fault", "write ENOSPC")
        for _ in range(2):
            assert anna.ask("private", room="plans")["code"] == "storage_full"
        disk.hold()
        disk.say("fault")
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(anna.ask, "private", room="plans")
            disk.has_read()
            disk.let_go()
        assert answer.result()["type"] == "place"
        assert f"plans\t{claim(ANNA)}" in disk.kept(ROOMS)


def test_a_sync_that_failed_is_not_tried_again_and_all_goes_into_a_fresh_file(
    started: tuple[RunningServer, Disk],
) -> None:
    server, disk = started
    with WireClient(server) as anna, WireClient(server) as boris, WireClient(server) as eve:
        anna.join("Anna", secret=ANNA)
        inode = (server.directory / NAMES).stat().st_ino
        disk.say("fault", "fdatasync EIO")
        boris.join("Boris", secret=BORIS)
        assert (server.directory / NAMES).stat().st_ino != inode
        assert disk.kept(NAMES) == {"Anna", "Boris"}
        disk.say("fault", "fsync EIO")
        (server.directory / NAMES).unlink()
        assert eve.refused("join", room="main", user="Eve", secret=EVE) == "not_stored"
        disk.say("fault")
        eve.join("Eve", secret=EVE)
        assert disk.kept(NAMES) == {"Anna", "Boris", "Eve"}


def test_a_file_that_is_mounted_by_itself_takes_claims_and_is_reported_once_when_it_grows(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    server, disk = make(make_server, tmp_path)
    kept = server.directory / NAMES
    kept.touch()
    (server.directory / ROOMS).write_text("# empty\n")
    touches = "".join(
        f"Anna\t{claim(ANNA)}\t2026-11-01 00:00:00\t2026-11-01 00:00:{n:02}\n" for n in range(60)
    )
    disk.say("fault", "replace EBUSY")
    server.start()
    with WireClient(server) as anna, WireClient(server) as boris:
        inode = kept.stat().st_ino
        anna.join("Anna", secret=ANNA)
        assert anna.ask("private", room="plans")["type"] == "place"
        with kept.open("a") as file:
            file.write(touches)
        boris.join("Boris", secret=BORIS)
        assert (kept.stat().st_ino, disk.kept(NAMES) >= {"Boris"}) == (inode, True)
        wait_until(lambda: "compact copy" in server.errors)
    server.stop()
    server.start()
    with WireClient(server) as eve:
        assert eve.refused("join", room="main", user="Boris", secret=EVE) == "name_claimed"
    assert server.errors.count("compact copy") == 2  # once at each start
    assert server.errors.count("device or resource busy") == 2


def test_what_a_crash_has_torn_off_the_end_is_cut_off_and_nothing_else(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    server, _ = make(make_server, tmp_path, "--names", "invited")
    by_hand = f"# the class\nAnna\nBoris\n{CHANGES}\nAnna\t{claim(ANNA)}\t2026-11-01 00:00:00\t2026-11-01 00:00:00\n"
    torn = b"Evelyn\t12" + bytes(30)
    (server.directory / NAMES).write_bytes(by_hand.encode() + torn)
    server.start()
    with WireClient(server) as anna, WireClient(server) as eve:
        assert eve.refused("join", room="main", user="Evelyn", secret=EVE) == "not_known"
        anna.join("Anna", secret=ANNA)
    assert (server.directory / NAMES).read_bytes().startswith(by_hand.encode())
    assert "its end was torn, and is cut off, 39 bytes" in server.errors
    assert server.stop() == 0


def test_a_class_list_without_a_last_line_end_is_taken_whole_and_kept(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    server, _ = make(make_server, tmp_path, "--names", "invited")
    kept = server.directory / NAMES
    kept.write_bytes(b"# the class\r\nAnna\r\nBoris")
    server.start()
    with WireClient(server) as boris:
        boris.join("Boris", secret=BORIS)
    lines = kept.read_text(encoding="utf-8").split("\n")
    assert kept.read_bytes().startswith(b"# the class\r\nAnna\r\nBoris\n")
    assert lines[3] == CHANGES
    assert [line.split("\t")[0] for line in lines if claim(BORIS) in line] == ["Boris"]
