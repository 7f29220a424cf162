"""The public names of `besedka`, which cost nothing until they are used, and the names of before 0.1.0."""

from __future__ import annotations

import subprocess
import sys

import pytest

import besedka
from besedka import remote

HEAVY = ("asyncio", "msgspec", "websockets", "grpc", "google.protobuf", "besedka.remote", "besedka.wire")


def imported_by(program: str) -> set[str]:
    """Which of the heavy modules a fresh interpreter has imported after a program."""
    report = "import sys; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", f"{program}\n{report}"], check=True, capture_output=True, text=True
    )
    return {*answer.stdout.split()} & {*HEAVY}


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert imported_by("import besedka; besedka.__version__") == set()


def test_connecting_imports_no_transport_before_an_address_is_known() -> None:
    assert not {"websockets", "grpc", "google.protobuf"} & imported_by("from besedka import connect")


@pytest.mark.parametrize("name", besedka.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(besedka, name)
    assert name in dir(besedka)


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    for module in (besedka, remote):
        with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
            getattr(module, "nonsense")  # noqa: B009 - a checker would find it


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("AddressBad", "InvalidAddress"),
        ("AskRefused", "RequestRefused"),
        ("CarrierEnded", "NotConnected"),
        ("FoundMessages", "SearchResults"),
        ("Message", "ReceivedMessage"),
        ("RemoteChat", "RoomClient"),
        ("ShownOut", "Expelled"),
        *(
            (name, name)
            for name in ("Act", "ConnectionFailed", "Device", "DeviceLink", "Invitation", "JoinRefused")
        ),
        *((name, name) for name in ("Kind", "News", "Redacted", "RemoteError", "RoomEntry", "RoomOpened")),
        *((name, name) for name in ("SayRefused", "connect", "take_device")),
    ],
)
def test_names_of_before_work_with_a_warning(old: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"besedka.remote.{old} is besedka.{new}"):
        assert getattr(remote, old) is getattr(besedka, new)


def test_a_program_that_uses_an_old_name_gets_a_warning_at_that_line() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", "from besedka.remote import RemoteChat"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "<string>:1: DeprecationWarning: besedka.remote.RemoteChat is besedka.RoomClient" in answer.stderr
