"""The project's own promises: documents that tell the truth, pins without hosts, no unfinished marks."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from besedka import cli
from besedka.serve.authentication.keys import Authenticator
from besedka.serve.chat import Chat, notices, open_rooms, room_list, unused_rooms
from besedka.serve.doors.grpc.clients import Clients
from besedka.serve.doors.grpc.service import ChatService
from besedka.serve.doors.grpc.stream import StreamSubscriber
from besedka.serve.doors.http import protocol
from besedka.serve.doors.origin import Origins
from besedka.serve.doors.timeouts import REQUEST_SECONDS
from besedka.serve.doors.websocket.door import WebSocketDoor
from besedka.serve.exposition import Exposition
from besedka.serve.limits import networks, rate_limits, room_shares
from besedka.serve.limits.rate_limits import RateLimits
from besedka.serve.limits.sources import Sources
from besedka.serve.people import blocks, devices, direct, invitations, memberships, read_marks, room_quotas
from besedka.serve.people import names as people_names
from besedka.serve.room import typists
from besedka.serve.session import chat_session, read_marking
from besedka.serve.settings import Settings
from besedka.wire import frames, validation
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode
from tests import looping
from tests.serve.faking import services

ROOT = Path(__file__).parent.parent
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
READMES = ["README.md", "README.ru.md"]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def test_the_architecture_has_every_folder_and_none_that_is_not_there() -> None:
    drawing = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("```")[1]
    drawn: set[str] = set()
    above: list[str] = []
    for indent, folder in re.findall(r"^( *)(\w+)/", drawing, re.MULTILINE):
        above[len(indent) // 2 :] = [folder]
        drawn.add("/".join(above))
    there = {
        "/".join(path.relative_to(ROOT).parts[:-1]) for path in tracked("besedka/*.py", "besedka/client/*.js")
    }
    generated = "besedka/proto/besedka"
    inside = ("besedka/client/", generated)
    assert drawn == {folder for folder in there if not folder.startswith(inside)}


def maps_of_the_server() -> list[Path]:
    """The `__init__` files of the server whose docstring names modules beside it."""
    return [path for path in tracked("besedka/serve/*__init__.py") if mapped(path)]


def mapped(path: Path) -> set[str]:
    """The modules and folders that a docstring names."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return {*re.findall(r"`([a-z0-9_]+)`", docstring)}


@pytest.mark.parametrize("path", maps_of_the_server(), ids=lambda path: path.parent.name)
def test_the_map_of_a_folder_has_every_module_and_none_that_is_not_there(path: Path) -> None:
    beside = {one.stem for one in path.parent.glob("*.py")} | {
        one.parent.name for one in path.parent.glob("*/__init__.py")
    }
    assert mapped(path) == beside - {"__init__"}


def test_modules_that_texts_name_are_there() -> None:
    """Documents, docstrings and comments name modules by their paths, from some folder on; decisions name those of their time."""
    named = re.compile(
        r"(?<![\w/.])(?:besedka/)?(?:serve|wire|remote|terminal|client|tests)/[\w./-]+\.(?:py|m?js)\b"
    )
    roots = [ROOT, ROOT / "besedka", ROOT / "tests"]
    for path in tracked("*.py", "*.md", "*.js", "*.mjs", "*.toml"):
        if "decisions" not in path.parts:
            for module in named.findall(path.read_text(encoding="utf-8")):
                assert any((root / module).exists() for root in roots), (path, module)


@pytest.mark.parametrize("readme", READMES)
def test_every_option_in_the_readme_is_one_and_every_command_is_there(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    options = {
        name for command in cli.besedka.commands.values() for one in command.params for name in one.opts
    }
    # In the pipes there are those of other programs, too.
    prose = re.sub(r"^```bash\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", prose))
    assert named - options == set()
    for command in ("serve", "chat", "send", "tail", "doctor", "history", "verify", "import"):
        assert f"besedka {command}" in text


@pytest.mark.parametrize("readme", READMES)
def test_the_pipes_in_the_readme_are_those_that_a_test_runs(readme: str) -> None:
    commands = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    (pipes,) = re.findall(
        r"^```bash\n.*?^```$", commands.split("## Exit status")[0], re.MULTILINE | re.DOTALL
    )
    assert pipes in (ROOT / readme).read_text(encoding="utf-8")


def test_the_two_readmes_have_the_same_shape() -> None:
    shapes = []
    for readme in READMES:
        text = (ROOT / readme).read_text(encoding="utf-8")
        shapes.append(
            (
                re.findall(r"^#+ ", text, re.MULTILINE),
                re.findall(r"\]\(((?!README)[\w./-]+)\)", text),
                re.findall(r"`(make [^`]+|BESEDKA_\w+|--\w+)`", text),
            )
        )
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("document", tracked("*.md"), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_in_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize(
    "frame", [*frames.ClientFrame.__args__, *frames.ServerFrame.__args__, frames.SeedHistory]
)
def test_every_frame_and_field_is_in_the_protocol(frame: type[frames.Frame]) -> None:
    tag = frame.__struct_config__.tag
    rows = [row for row in PROTOCOL.split("\n") if row.startswith(f"| `{tag}` |")]
    assert any(all(f"`{field}`" in row for field in frame.__struct_fields__) for row in rows), frame


def test_every_refusal_is_in_the_protocol() -> None:
    for code in ErrorCode:
        assert f"`{code}`" in PROTOCOL


def test_every_ending_is_in_the_protocol() -> None:
    rows = re.findall(r"^\| (\d{4}) \| (.+) \| (yes|no) \|$", PROTOCOL, re.MULTILINE)
    table = [(code.value.code, code.value.reason, code.value.reconnect) for code in CloseCode]
    assert [(int(code), reason, back == "yes") for code, reason, back in rows] == table


def test_every_limit_is_in_the_protocol() -> None:
    for limit in (
        f"a name | {validation.NAME_CHARACTERS_AT_MOST} characters",
        f"a room's name | {validation.ROOM_CHARACTERS_AT_MOST} characters",
        f"a text | {validation.TEXT_CHARACTERS_AT_MOST} characters",
        f"a key | {validation.KEY_CHARACTERS_AT_MOST} characters",
        f"a secret | {validation.SECRET_CHARACTERS_AT_MOST} characters",
        f"a reason | {validation.REASON_CHARACTERS_AT_MOST} characters",
        f"a frame from a client | {validation.FRAME_BYTES_AT_MOST} bytes",
        f"rooms open at once | {open_rooms.ROOMS_AT_MOST}, {open_rooms.RESERVED_ROOMS} of them",
        f"a verified person is in, on all connections | {room_shares.ROOMS_OF_PERSON} |",
        f"all unverified users of an address are in | {room_shares.ROOMS_OF_UNVERIFIED} |",
        f"everybody at an address is in | {room_shares.ROOMS_OF_ADDRESS} |",
        f"each as often as it is entered | {room_shares.SUBSCRIPTIONS_OF_ADDRESS} |",
        f"messages a second of a connection (`--rate`) | {RateLimits().rate:g} |",
        f"messages a second of an address (`--rate-address`) | {RateLimits().rate_address:g} |",
        f"connections of an address (`--connections-per-address`) | {RateLimits().connections_per_address} |",
        f"other frames a second, for each message of `--rate` | {rate_limits.FRAMES_PER_MESSAGE} |",
        f"an address | {room_shares.NEW_ROOMS} at once, then one in {1 / room_shares.NEW_ROOMS_RATE:g} seconds |",
        f"new rooms of an address | {room_shares.NEW_ROOMS_OF_ADDRESS} at once, then one in {1 / room_shares.NEW_ROOMS_RATE:g} sec",
        f"a page of the list of rooms | {frames.ROOMS_LISTED} rooms, {frames.ROOMS_LISTED_BYTES} bytes |",
        f"one more for each {rate_limits.LIST_BYTES} bytes, for each {rate_limits.LIST_BYTES // room_list.LOOKED_AT_BYTES} rooms that",
        f"for each {rate_limits.LIST_BYTES // room_list.SORTED_BYTES} that are open or your own |",
        f"rooms of one connection | {chat_session.ROOMS_OF_ONE_AT_MOST} |",
        f"the headers of a request | {protocol.HEADER_BYTES} bytes |",
        f"the time for a request, a handshake too | {REQUEST_SECONDS:g} seconds |",
        f"requests waiting on one connection | {protocol.REQUESTS_WAITING} |",
        f"names of one person | {people_names.NAMES_OF_ONE_AT_MOST} |",
        f"names from one address while the server runs | {rate_limits.NAMES_OF_SOURCE_AT_MOST} |",
        f"unused add-a-device links | {devices.LINKS_AT_MOST} |",
        f"unused add-a-device links from one address | {devices.LINKS_OF_SOURCE_AT_MOST} |",
        f"unused invitations by one person | {invitations.INVITATIONS_OF_ONE_AT_MOST} |",
        f"unused invitations from one address | {invitations.INVITATIONS_OF_SOURCE_AT_MOST} |",
        f"invitations in all | {invitations.INVITATIONS_AT_MOST} |",
        f"requests from one address | {rate_limits.REQUESTS_RATE * rate_limits.REQUESTS_BURST_SECONDS:g} at once, then",
        f"then {rate_limits.REQUESTS_RATE:g} a second |",
        f"names in all | {people_names.NAMES_AT_MOST} |",
        f"new names from one address | {rate_limits.NAMES_RATE * rate_limits.NAMES_BURST_SECONDS:g} at once",
        f"then one in {1 / rate_limits.NAMES_RATE:g} seconds |",
        f"the life of an add-a-device link | {devices.LINK_SECONDS} seconds |",
        f"private rooms of one owner | {room_quotas.ROOMS_OF_OWNER_AT_MOST} |",
        f"private rooms made from one address | {room_quotas.PRIVATE_ROOMS_OF_ADDRESS_AT_MOST} |",
        f"private rooms in all | {room_quotas.PRIVATE_ROOMS_AT_MOST} |",
        f"where there are more than {room_quotas.PRIVATE_ROOMS_KEPT}, after {unused_rooms.SILENT_SECONDS / 3600:g} hours",
        f"direct rooms opened from one address | {room_quotas.DIRECT_ROOMS_OF_ADDRESS_AT_MOST} |",
        f"direct rooms in all | {room_quotas.DIRECT_ROOMS_AT_MOST} |",
        f"an IPv6 site | {networks.SITE_TIMES} times that of an address |",
        f"the life of a direct room in which nothing was said | {unused_rooms.SILENT_SECONDS / 3600:g} hours |",
        f"members of a private room | {memberships.MEMBERS_AT_MOST} |",
        f"direct rooms that one person opens | {room_quotas.DIRECT_ROOMS_OF_ONE_AT_MOST} |",
        f"direct rooms that one person begins | {direct.BEGUN_BY_PERSON} at once, then {direct.BEGUN_BY_PERSON} an hour |",
        (
            f"begin | {direct.BEGUN_BY_ADDRESS} at once, then {direct.BEGUN_BY_ADDRESS} an hour; of these with one person "
            f"{direct.BEGUN_BY_ADDRESS_WITH_ONE} at once, then {direct.BEGUN_BY_ADDRESS_WITH_ONE} an hour |"
        ),
        f"direct rooms that wait for a person's answer | {direct.ASKED_AT_MOST} |",
        f"people whom one person blocks | {blocks.BLOCKS_OF_ONE_AT_MOST} |",
        f"rooms in which one person has a read mark | {read_marks.MARKS_OF_ONE_AT_MOST} |",
        f"read marks in all | {read_marks.MARKS_AT_MOST} |",
        f"reports of a person's read mark in a room | {1 / read_marking.REPORT_SECONDS:g} a second |",
        f"unused invitations to a room | {invitations.INVITATIONS_OF_ROOM_AT_MOST} |",
        f"uses of an invitation | {invitations.USES_AT_MOST} |",
        f"presence in a room | {1 / notices.NOTICE_SECONDS:g} a second |",
        f"typing in a room | {1 / notices.NOTICE_SECONDS:g} a second, each of {typists.TYPISTS_REPORTED} people |",
        f"notices of one kind in one room | {notices.ROOM_WRITES_RATE:.0f} a second, one for each connection",
        f"notices in all rooms | {notices.NOTICE_WRITES_RATE:.0f} a second, one for each connection",
        f"over gRPC counts as {StreamSubscriber.notice_writes} |",
        f"the life of an invitation | {invitations.SECONDS_AT_MOST} seconds |",
    ):
        assert limit in PROTOCOL


def test_each_promise_of_security_names_tests_that_there_are() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    table = page.split("## Promises")[1].split("## ")[0]
    rows = [row for row in table.split("\n") if row.startswith("| ")][1:]
    assert len(rows) > 25
    for row in rows:
        _, promise, proof, _ = row.split("|")
        path = re.findall(r"\]\(\.\./(tests/[\w/]+\.py)\)", proof)[0]
        named = re.findall(r"`(test_\w+)`", proof)
        there = re.findall(
            r"^(?:async )?def (test_\w+)", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE
        )
        assert named, promise
        assert set(named) <= set(there), promise


def test_every_figure_is_in_the_operating_page() -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    for name in looping.run(_all_figures()):
        assert f"`{name}`" in page, name


async def _all_figures() -> set[str]:
    chat = Chat(Settings())
    WebSocketDoor(
        {},
        Sources(RateLimits()),
        chat.metrics,
        chat.clock.now,
        origins=Origins(),
        access=Authenticator(),
        soon=print,
    )
    ChatService(services(chat), Clients(Sources(RateLimits())))
    text = Exposition(chat.metrics).text().decode()
    await chat.close()
    families = text_string_to_metric_families(text)
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in families
        if family.name.startswith("besedka_")
    }


def test_pins_are_exact_hashed_and_name_no_host() -> None:
    for name in ("run.txt", "dev.txt", "bench.txt"):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        assert "://" not in text
        pins = re.findall(r"^[a-z].*$", text, re.MULTILINE)
        assert pins
        assert all("==" in pin for pin in pins)
        assert len(re.findall(r"--hash=sha256:", text)) >= len(pins)


def test_nothing_is_left_unfinished_or_skipped() -> None:
    mark = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|pytest\.skip|mark\.skip|mark\.xfail")
    for path in tracked("*.py", "*.js", "*.css", "*.html", "Makefile"):
        if path != Path(__file__):
            assert not mark.search(path.read_text(encoding="utf-8")), path


def test_the_page_asks_no_other_host() -> None:
    texts = [path for path in tracked("besedka/client") if path.suffix != ".png"]
    for path in texts:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//[a-z]+\.[a-z]", text), path
        assert "innerHTML" not in text, path


def test_the_service_and_the_container_are_as_deploying_tells() -> None:
    unit = (ROOT / "deploy" / "besedka.service").read_text(encoding="utf-8")
    mebibytes = {
        name: int(number) * {"M": 1, "G": 1024}[scale]
        for name, number, scale in re.findall(r"^(Memory\w+)=(\d+)([MG])$", unit, re.MULTILINE)
    }
    assert 0 < mebibytes["MemoryHigh"] < mebibytes["MemoryMax"] == 2 * 1024
    container = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    assert re.findall(r"^FROM (\S+)", container, re.MULTILINE) == ["${PYTHON}", "${PYTHON}"]
    deploying = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert "--build-arg PYTHON=" in deploying
    assert "It may take 2 GiB of memory" in deploying
