"""Whether the servers of NATS keep what they acknowledge, as they say themselves."""

from __future__ import annotations

import msgspec
import pytest

from besedka.serve.cluster.jetstream.servers import ServerReport, why_not


def report(name: str, version: str = "2.15.1", *, sync: bool | None = True) -> ServerReport:
    data = {} if sync is None else {"config": {"sync_interval": 120_000_000_000, "sync_always": sync}}
    return msgspec.convert({"server": {"name": name, "ver": version, "seq": 1}, "data": data}, ServerReport)


GOOD = [report("a"), report("b", "2.16.0"), report("c", "2.15.1-RC.1")]


def test_three_servers_that_sync_are_enough() -> None:
    assert why_not(GOOD) == ""
    assert why_not([*GOOD, report("d")]) == ""
    assert why_not(GOOD[:2]) == ""  # one of them may be down


@pytest.mark.parametrize(
    ("reports", "why"),
    [
        ([], "do not say how they sync"),
        ([*GOOD[:2], report("c", sync=False)], "the server c does not sync what it acknowledges"),
        ([*GOOD[:2], report("c", sync=None)], "the server c has no JetStream"),
        ([*GOOD[:2], report("c", "2.15.0")], "the server c is nats-server 2.15.0, and 2.15.1 or newer"),
        ([*GOOD[:2], report("c", "unknown")], "the server c is nats-server unknown"),
    ],
)
def test_others_are_refused_in_a_sentence(reports: list[ServerReport], why: str) -> None:
    assert why in why_not(reports)
