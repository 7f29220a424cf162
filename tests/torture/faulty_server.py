"""Runs the server with faults in its system calls: ``python -m tests.torture.faulty_server serve …``.

What goes wrong is told by the environment variable FAULTS, a JSON object:

- ``call``: ``write`` or ``fdatasync``, of a log (not of its index); ``at``: which call fails, counted from 1;
  ``times``: how many in a row; ``errno``: how; a write that fails is cut short first, and the one of the rest fails, as in the kernel;
- ``hang``: a list ``[call, name, at]``: ``stat``, ``rename``, ``fsync`` or ``fdatasync`` of a file with this in its name never answers, in a
  thread other than the loop's, from such a call on, counted from 1;
- ``dies``: the path of a file; as soon as it is there, the file system answers nothing but EIO, whatever it is asked;
- ``no_threads``: the path of a file; as soon as it is there, no thread can be started;
- ``broken``: the path of a file; as soon as it is there, a batch cannot be stored because of an error of ours;
- ``loop``: a list ``[name, path]``: as soon as the file is there, a loop that runs in the background fails because of an error of
  ours: ``connections``, ``http``, ``keys``, ``people``, ``batches`` (of changes to the files about people) or ``rows`` (of such a batch);
- ``once``: a list ``[name, path]``: when the file is there, the next call fails because of an error of ours, and the file is removed:
  ``disconnect`` (of a session), ``revoke`` (the access of a connection), ``read`` (of a page of a log), or ``command`` (of the operator);
- ``holds``: the path of a file; as long as it is there, no sync of a log returns;
- ``slow``: seconds that each sync of any file takes longer;
- ``delay``: seconds that each sync of a log takes longer, the first one, of the start, left out.

A line in ``waits.txt``, where the server runs, tells of each call that begins to hang, to be held, or to be delayed. CONSTANTS is that of
`tests.bent_server`.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn

from besedka.cli import main
from besedka.serve.authentication import key_file
from besedka.serve.directory import Directory
from besedka.serve.directory.table_file import TableFile
from besedka.serve.doors.websocket.besedka import BesedkaSession
from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.history import ChatHistory, Flag
from besedka.serve.history.appending import Started
from besedka.serve.limits.sources import Sources
from besedka.serve.session import Moderator
from besedka.wire.message import MessageId
from tests.bent_server import bend

PLAN = json.loads(os.environ.get("FAULTS", "{}"))
HANGS_SECONDS = 60
LOOK_SECONDS = 0.005
KEPT_OF_PEOPLE = {"audit.txt", "known_names.txt", "private_rooms.txt", "invitations.txt", "read_marks.txt"}
really_write, really_fdatasync, really_fsync, really_stat = os.write, os.fdatasync, os.fsync, os.stat
really_open, really_rename, really_start = os.open, os.rename, threading.Thread.start
really_append, really_start_append = ChatHistory.append, ChatHistory.start_append
CALLS: tuple[str, ...] = (
    *("write", "fdatasync", "fsync", "stat", "lstat", "fstat", "open", "unlink", "link", "rename", "replace"),
    *("chmod", "mkdir", "pread", "pwrite", "ftruncate", "close", "fstatvfs", "scandir", "listdir"),
)
cut_short: set[int] = set()
calls = {"write": 0, "fdatasync": 0, "delay": 0, "hang": 0}


def is_log(number: int) -> bool:
    """Whether this is a file with history in it."""
    path = Path(f"/proc/self/fd/{number}").readlink()
    return path.suffix == ".txt" and path.name not in KEPT_OF_PEOPLE


def fails(call: str, number: int) -> bool:
    """Whether it is time for a fault."""
    if PLAN.get("call") != call or not is_log(number):
        return False
    calls[call] += 1
    return bool(PLAN["at"] <= calls[call] < PLAN["at"] + PLAN.get("times", 1))


def hang(call: str, path: object) -> None:
    """Do not answer, if that is planned."""
    planned, name, at = PLAN.get("hang", ("", "", 0))
    if call == planned and name in str(path) and threading.current_thread() is not threading.main_thread():
        calls["hang"] += 1
        if calls["hang"] >= at:
            note("hang")
            time.sleep(HANGS_SECONDS)


def hold() -> None:
    """Do not answer as long as the file is there that says so."""
    if is_time("holds"):
        note("hold")
    while is_time("holds"):
        time.sleep(LOOK_SECONDS)


def note(what: str) -> None:
    """Tell the test that somebody waits now."""
    with Path("waits.txt").open("a", encoding="utf-8") as file:
        file.write(f"{what}\n")


def fault() -> OSError:
    """The fault that is planned."""
    number = getattr(errno, PLAN["errno"])
    return OSError(number, os.strerror(number))


def write(number: int, data: bytes) -> int:
    if number in cut_short:
        cut_short.remove(number)
        raise fault()
    if fails("write", number):
        cut_short.add(number)
        return really_write(number, data[: len(data) // 2])
    return really_write(number, data)


def stat(path: Any, **how: Any) -> os.stat_result:
    hang("stat", path)
    return really_stat(path, **how)


def open_file(path: Any, *how: Any, **more: Any) -> int:
    hang("open", path)
    return really_open(path, *how, **more)


def rename(old: Any, new: Any, **how: Any) -> None:
    hang("rename", old)
    really_rename(old, new, **how)


def fdatasync(number: int) -> None:
    hang("fdatasync", Path(f"/proc/self/fd/{number}").readlink())
    if fails("fdatasync", number):
        raise fault()
    if "delay" in PLAN and is_log(number):
        calls["delay"] += 1
        if calls["delay"] > 1:
            note("delay")
            time.sleep(PLAN["delay"])
    if is_log(number):
        hold()
    time.sleep(PLAN.get("slow", 0))
    really_fdatasync(number)


def fsync(number: int) -> None:
    hang("fsync", Path(f"/proc/self/fd/{number}").readlink())
    time.sleep(PLAN.get("slow", 0))
    really_fsync(number)


def is_time(plan: str) -> bool:
    """Whether the file is there that has something planned begin."""
    if plan not in PLAN:
        return False
    try:
        really_stat(PLAN[plan])
    except FileNotFoundError:
        return False
    return True


def dead(name: str) -> None:
    """Have a system call fail once the file system is dead."""
    really = getattr(os, name)

    def call(*arguments: Any, **how: Any) -> Any:
        if is_time("dies") and is_of_files(arguments[0]):
            raise OSError(
                errno.EIO, os.strerror(errno.EIO), None if isinstance(arguments[0], int) else arguments[0]
            )
        return really(*arguments, **how)

    setattr(os, name, call)


def is_of_files(target: object) -> bool:
    """Whether a call is about a file beside the history, and not a stream or a socket."""
    try:
        shown = str(Path(f"/proc/self/fd/{target}").readlink() if isinstance(target, int) else target)
    except OSError:
        return False
    return "chat_history" in shown or shown.endswith((".txt", ".admin")) or shown == str(Path.cwd())


def start(thread: threading.Thread) -> None:
    if is_time("no_threads"):
        raise RuntimeError("can't start new thread")
    really_start(thread)


def append(history: ChatHistory, lines: Sequence[str], flags: Sequence[Flag] = ()) -> MessageId:
    if is_time("broken"):
        raise ValueError("something nobody has thought of")
    return really_append(history, lines, flags)


def start_append(history: ChatHistory, lines: Sequence[str], flags: Sequence[Flag]) -> Started | None:
    if is_time("broken"):
        raise ValueError("something nobody has thought of")
    return really_start_append(history, lines, flags)


def broken(name: str, owner: Any, method: str) -> None:
    """Have a part fail when it is time."""
    really = getattr(owner, method)

    def call(*arguments: Any, **how: Any) -> Any:
        if name == PLAN["loop"][0] and Path(PLAN["loop"][1]).exists():
            raise ValueError("something nobody has thought of")
        return really(*arguments, **how)

    setattr(owner, method, call)


def broken_once(owner: Any, method: str) -> None:
    """Have the next call of a method fail when it is time."""
    really = getattr(owner, method)

    def call(*arguments: Any, **how: Any) -> Any:
        happens = Path(PLAN["once"][1])
        if happens.exists():
            happens.unlink()
            raise ValueError("something nobody has thought of")
        return really(*arguments, **how)

    setattr(owner, method, call)


ONCE: dict[str, tuple[Any, str]] = {
    "disconnect": (BesedkaSession, "disconnect"),
    "revoke": (Connection, "revoke_access"),
    "read": (ChatHistory, "read_with_flags"),
    "command": (Moderator, "command"),
}

if __name__ == "__main__":
    if "once" in PLAN:
        broken_once(*ONCE[PLAN["once"][0]])
    if "loop" in PLAN:
        broken("connections", Sources, "forget")
        broken("http", uvicorn.Server, "on_tick")
        broken("keys", key_file, "_read")
        broken("people", Directory, "_check_clock")
        broken("batches", TableFile, "take")
        broken("rows", TableFile, "_store")
    bend(json.loads(os.environ.get("CONSTANTS", "{}")))
    threading.Thread.start = start  # type: ignore[method-assign,assignment]
    ChatHistory.append = append  # type: ignore[method-assign,assignment]
    ChatHistory.start_append = start_append  # type: ignore[method-assign,assignment]
    os.write, os.fdatasync, os.fsync = write, fdatasync, fsync  # type: ignore[assignment]
    os.stat, os.open = stat, open_file
    os.rename = rename  # type: ignore[assignment]
    for call_name in CALLS if "dies" in PLAN else ():
        dead(call_name)
    main()
