"""No test waits for time where it could wait for an event, or have a clock jump: whoever sleeps has a row here that says why."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parent

NOT_YET: Final = ("browser", "page", "remote", "terminal", "serve/history")
"""Folders in which sleeps are still to be looked at."""

SLEEPS: Final = {
    "commanding.py: wait_until": "the one place where a test looks for what has no event",
    "looping.py: until": "the same in a loop",
    "looping.py: pass_time": "in a loop whose clock jumps, nothing is waited for",
    "blackbox/people_server.py: sync": "a disk that is held, until the test lets it go",
    "blackbox/test_cluster.py: post": "a client that was asked to wait before it tries again",
    "blackbox/test_fair_input.py: slow_network.carry": "a slow network: what it carries takes its time",
    "serve/chat/test_page_turns.py: lasts": "by a clock that jumps whenever nothing else is to be done",
    "clustering.py: NatsServers._led.do": "an election, which nobody announces",
    "conformance/echo_server.py: serve": "what the server does as well, for ever",
    "attacks/test_slow_handshakes.py: by_the_true_clock.measure": "in `make torture`, where the true time is what is measured",
    "attacks/test_slow_handshakes.py: _talk": "the same",
    "torture/crowd.py: Person._talk": "people who talk at a pace: the load is what is meant",
    "torture/test_cluster.py: Cluster._kill_node": "a chance moment, and a chance time for which something is gone",
    "torture/test_cluster.py: Cluster._kill_server": "the same",
    "torture/test_cluster.py: Cluster._freeze": "the same",
    "torture/test_cluster.py: Cluster._cut_off": "the same",
    "torture/test_cluster.py: Cluster._part": "the same",
    "torture/disk/device.py: Device.fsync": "a disk that takes its time",
    "torture/disk/recorder.py: Recorder.sync": "the same",
    "torture/disk/recorder.py: Recorder.sync_all": "the same",
    "torture/disk/scenarios.py: fail_briefly": "a disk that fails for a chance moment",
    "torture/disk/syncing.py: _sync_while_it_fails": "the same",
    "torture/faulty_server.py: hang": "a disk that hangs, until the server is ended",
    "torture/faulty_server.py: hold": "a disk that is held, until the test lets it go",
    "torture/faulty_server.py: fdatasync": "a disk that takes its time, and answers",
    "torture/faulty_server.py: fsync": "the same",
    "torture/greedy.py: Greedy._for_ever": "what attacks as fast as it may lets the others of its process have a turn",
    "torture/greedy.py: Greedy._calls": "the same, after a call that was refused",
    "torture/test_greedy_address.py: _victim": "people who post at a pace: the load is what is meant",
    "torture/test_crashes.py: test_kill_9_loses_nothing_and_doubles_nothing.torments": "a chance moment, by which a batch is anywhere",
    "torture/test_external_edits.py: "
    "test_lines_that_another_program_adds_under_load_stay_and_are_delivered_in_their_place.torments": "the same",
    "torture/test_external_edits.py: "
    "test_a_log_that_is_emptied_under_load_starts_again_and_nothing_is_delivered_that_is_not_in_it.torments": "the same",
    "torture/test_soak.py: visit": "visitors of whom some stay: the load is what is meant",
}
"""Whoever sleeps, by file and function, and why."""

CALLS: Final = {"time.sleep", "asyncio.sleep", "sleep"}


def sleeps(tree: ast.AST, inside: str = "") -> Iterator[str]:
    """The functions in which somebody sleeps for longer than until the loop's next turn."""
    for node in ast.iter_child_nodes(tree):
        name = inside
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{inside}.{node.name}".lstrip(".")
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in CALLS
            and ast.unparse(node.args[0]) != "0"
        ):
            yield inside
        yield from sleeps(node, name)


def test_whoever_sleeps_in_a_test_has_a_reason() -> None:
    found = set()
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(NOT_YET):
            text = path.read_text(encoding="utf-8")
            if "sleep" in text:
                found |= {f"{name}: {function}" for function in sleeps(ast.parse(text))}
    assert found == {*SLEEPS}


def test_sleeps_are_found_by_whatever_name_and_in_whatever_function() -> None:
    text = """
async def one():
    await asyncio.sleep(0)
    def two():
        time.sleep(SECONDS * 2)
class Three:
    def four(self):
        self.wait(lambda: sleep(0.1))
"""
    assert [*sleeps(ast.parse(text))] == ["one.two", "Three.four"]


def test_every_loop_of_a_test_runs_in_a_thread_of_its_own() -> None:
    """`asyncio.run` fails in a process that has run browser tests before, by chance of the order; `looping.run` does not."""
    found = [
        str(path.relative_to(ROOT))
        for path in sorted(ROOT.rglob("*.py"))
        if path != Path(__file__) and re.search(r"\basyncio\.run\(", path.read_text(encoding="utf-8"))
    ]
    assert found == ["torture/greedy.py", "torture/redacting.py"]  # programs of their own
