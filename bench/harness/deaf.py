"""Scenario 5: a third of the readers does not read while 100 000 messages pass, and then reads on. Besedka only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness import peers
from harness.deliveries import LATE
from harness.failures import Failures
from harness.load import Answer, Load
from harness.peers import Peer
from harness.plan import Plan
from harness.server import Server
from harness.tables import Bound, Table

READING: Final = 1_000
DEAF: Final = 500
SENDERS: Final = 50
PACE: Final = 10
"""Messages a second of each sender."""

BYTES_AT_MOST: Final = 128 * 1024
"""By which the server may grow for each of those who do not read."""

P99_GROWS_AT_MOST: Final = 0.2
BEFORE: Final = 0.25
"""How many messages, as a part of those that are missed later, are said while all read."""

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Silence:
    """The measured figures.

    Attributes:
        alone: messages to those who read, before the others came.
        together: messages while all read; timed is, here too, when the last of those had it who read later.
        beside: messages while the others did not read.
        heard: what the others got when they read again.
        grown: how much the server's memory grew at most while they did not read, in bytes.
        grown_later: the same, until they had everything.
        kernel_grown: how much the kernel's memory for sockets grew at most, on the whole machine, in bytes.
        stored: how many messages the history has.
        said: how many were said.
    """

    alone: Answer
    together: Answer
    beside: Answer
    heard: Answer
    grown: int
    grown_later: int
    kernel_grown: int
    stored: int
    said: int

    @property
    def p99_growth(self) -> float:
        """By what part the p99 of those who read has grown."""
        return self.beside.p99_us / self.together.p99_us - 1


def run(_servers: Sequence[Peer], plan: Plan) -> list[Table]:
    """Let them not read, and then read; one table with one row."""
    silence: Silence | None = None
    failures = Failures(plan.say)
    with failures.of(peers.BESEDKA.name):
        silence = _silence(plan)
        plan.say(
            f"deaf: memory +{silence.grown / MIB:.1f} MiB, p99 {silence.p99_growth:+.0%}, "
            f"{silence.heard.deliveries:,} read later, {silence.heard.came_back} came back"
        )
    return [
        Table(
            title=f"{DEAF} of {READING + DEAF:,} readers do not read while {plan.missed_messages:,} messages pass",
            text=(
                f"{SENDERS} senders say {PACE} messages a second each. The latencies are those of the {READING:,} who "
                f"always read: before the {DEAF} came, while these read too, and while they did not. Then these "
                f"read again, or, where the server has given them up, come back with their cursor."
            ),
            columns=[
                *("the server's memory", "until all was read", "the kernel's, for sockets"),
                *("p99 before", "p99 while all read", f"p99 while {DEAF} did not"),
                *("read later", "came back"),
            ],
            rows=[_row(silence)] if silence is not None else [],
            notes=failures.notes(),
            bounds=_bounds(silence),
        )
    ]


def _silence(plan: Plan) -> Silence:
    peer = peers.BESEDKA
    speech = [*peer.speech, *peers.RESUME]
    with Server(peer, plan.tools) as server, Load(plan.tools, server.port, speech, senders=SENDERS) as load:
        load.ask(f"open {READING}")
        load.ask("wait 1")
        first = load.ask(f"say {SENDERS * PACE * 2} pace {PACE}")
        some = f"say {int(BEFORE * plan.missed_messages)} pace {PACE}"
        alone = load.ask(some)
        load.ask(f"open {DEAF}")
        load.ask("wait 2")
        load.ask(f"aside {DEAF}")
        together = load.ask(some)
        load.ask("deaf")
        memory, kernel = [server.resident_bytes()], [_socket_bytes()]

        def look() -> None:
            memory.append(server.resident_bytes())
            kernel.append(_socket_bytes())

        beside = load.ask(f"say {plan.missed_messages} pace {PACE}", meanwhile=look)
        look()
        grown = max(memory) - memory[0]
        heard = load.ask("hear", meanwhile=look)
        look()
        load.ask(LATE)
        return Silence(
            alone=alone,
            together=together,
            beside=beside,
            heard=heard,
            grown=grown,
            grown_later=max(memory) - memory[0],
            kernel_grown=max(kernel) - kernel[0],
            stored=server.stored_marks(),
            said=sum(answer.messages for answer in (first, alone, together, beside)),
        )


def _socket_bytes() -> int:
    """The size of the buffers of all TCP sockets of the machine (proc_net_sockstat: in pages)."""
    line = next(
        line for line in Path("/proc/net/sockstat").read_text().splitlines() if line.startswith("TCP:")
    )
    return int(line.split()[-1]) * 4096


def _row(silence: Silence) -> list[str]:
    return [
        f"+{silence.grown / MIB:.1f} MiB",
        f"+{silence.grown_later / MIB:.1f} MiB",
        f"+{silence.kernel_grown / MIB:.0f} MiB",
        f"{silence.alone.p99_us / 1000:.1f} ms",
        f"{silence.together.p99_us / 1000:.1f} ms",
        f"{silence.beside.p99_us / 1000:.1f} ms",
        f"{silence.heard.deliveries:,} in {silence.heard.seconds:.0f} s",
        f"{silence.heard.came_back}",
    ]


def _bounds(silence: Silence | None) -> list[Bound]:
    small = f"the server's memory grows by ≤ {DEAF} × {BYTES_AT_MOST // 1024} KiB"
    quick = f"the p99 of the others grows by ≤ {P99_GROWS_AT_MOST:.0%}"
    whole = "then each of them gets every message once, in order"
    if silence is None:
        return [Bound(promise, "not measured", is_met=False) for promise in (small, quick, whole)]
    wanted = DEAF * silence.beside.messages
    return [
        Bound(
            small,
            f"{silence.grown / MIB:.1f} MiB of {DEAF * BYTES_AT_MOST / MIB:.1f}",
            silence.grown <= DEAF * BYTES_AT_MOST,
        ),
        Bound(quick, f"{silence.p99_growth:+.0%}", silence.p99_growth <= P99_GROWS_AT_MOST),
        Bound(
            whole,
            f"{silence.heard.deliveries:,} of {wanted:,}, {silence.heard.faults} wrong",
            silence.heard.deliveries == wanted
            and not silence.heard.faults
            and silence.stored == silence.said,
        ),
    ]
