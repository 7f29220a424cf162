"""Lines of the server's log: one for each event, whatever is in them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.log_event import event
from besedka.serve.server_log import OWN, LogFormat, configure, line_of, one_line
from tests.running import ROOT

log = logging.getLogger("besedka.serve.somewhere")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in (None, OWN, "uvicorn")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@given(st.text())
def test_a_line_stays_one_whatever_a_file_is_called(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable() or not shown
    assert text.isprintable() == (shown == text)


def test_a_line_of_text_is_escaped_and_a_traceback_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", LogFormat.TEXT)
    log.info("the file %s", "a\n2026-12-01 ERROR besedka: forged\x1b[2J")
    assert capsys.readouterr().err.count("\n") == 1
    log.error("it has failed", exc_info=ZeroDivisionError("by zero"))
    assert "failed\nZeroDivisionError: by zero\n" in capsys.readouterr().err


def test_a_line_of_json_has_its_event_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug", LogFormat.JSON)
    log.warning("the room %s\n", "dev", extra=event("room_created", room="dev", at=object))
    line = json.loads(capsys.readouterr().err)
    assert line.pop("time")[10:].startswith("T")
    assert line.pop("at").startswith("<class")
    assert line == {
        "level": "warning",
        "event": "room_created",
        "message": "the room dev\n",
        "logger": "besedka.serve.somewhere",
        "room": "dev",
    }
    log.error("%d messages in room %s were not stored: %s", 5, "dev", "why")
    assert json.loads(capsys.readouterr().err)["event"] == "messages_in_room_were_not_stored"
    assert json.loads(line_of("the disk is silent", "disk_silent"))["event"] == "disk_silent"


def test_the_events_of_the_document_are_those_of_the_code() -> None:
    document = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    table = document.split("| `event` | fields |\n")[1].split("\n\n")[0]
    documented = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "besedka").rglob("*.py"))
    named = set(re.findall(r'(?<!\w)event\(\s*"(\w+)"', code))
    named |= set(re.findall(r'"(log_\w+)" if restored\.torn else "(log_\w+)"', code)[0])
    named |= set(re.findall(r'kind="(\w+)"\)', code)) | {"connected", "disconnected", "disk_silent"}
    assert documented == named


def test_libraries_log_warnings_whatever_the_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug", LogFormat.TEXT)
    log.debug("shown")
    for name in ("websockets.server", "asyncio", "grpc", "h11"):
        logging.getLogger(name).info("a text")
        logging.getLogger(name).debug("a text")
    configure("error", LogFormat.TEXT)
    log.warning("hidden")
    assert capsys.readouterr().err.splitlines()[0].endswith("DEBUG besedka.serve.somewhere: shown")
    assert line_of("the disk is silent", "disk_silent") == b"besedka: the disk is silent\n"
