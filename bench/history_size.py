"""How long a long history takes to open, how much memory, and how much is read for a page: ``make history``.

Makes a history of so many messages (10 000 000 if not said otherwise) in a temporary directory, and prints a table: the
time of ``wc -l`` on it, of opening it without and with its index, each in a fresh process and as the median of several
runs in turn; the memory of the process; and the bytes read for a page at the beginning, in the middle and at the end.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5
OPEN = """
import json, sys, time
from pathlib import Path
from besedka.serve.history import ChatHistory
from besedka.serve.files.descriptor import Descriptor
started = time.perf_counter()
history = ChatHistory.open(Path(sys.argv[1]))
opened = time.perf_counter() - started
memory = next(int(row.split()[1]) for row in open("/proc/self/status") if row.startswith("VmHWM"))
read, counted = Descriptor.read, [0]
def counting(self, offset, size):
    data = read(self, offset, size)
    counted[0] += len(data)
    return data
Descriptor.read = counting
pages = {}
for first in (1, history.count // 2, max(1, history.count - 49)):
    counted[0] = 0
    page = sum(len(line.encode()) + 1 for line in history.read(first, 50))
    pages[first] = counted[0] - page
print(json.dumps({"seconds": opened, "kib": memory, "count": history.count, "beyond": max(pages.values())}))
"""


def main(messages: int) -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as directory:
        path, empty = Path(directory) / "long.txt", Path(directory) / "empty.txt"
        with path.open("w", encoding="utf-8") as file:
            for start in range(0, messages, 10_000):
                lines = (
                    f"[2025-11-19 23:46:36] user{n % 50}: message {n:08} some words\n"
                    for n in range(start, start + 10_000)
                )
                file.write("".join(lines))
        first = opened(path)
        bare, again = opened(empty), first
        times: dict[str, list[float]] = {"wc -l": [], "open": [], "python -c pass": [], "process": []}
        for _ in range(ROUNDS):
            times["wc -l"].append(timed(["wc", "-l", str(path)]))
            times["python -c pass"].append(timed([sys.executable, "-c", "pass"]))
            started = time.perf_counter()
            again = opened(path)
            times["process"].append(time.perf_counter() - started)
            times["open"].append(float(again["seconds"]))
        print(
            f"{messages:,} messages, {path.stat().st_size / 1e6:.0f} MB; index {index_size(path) / 1e6:.0f} MB"
        )
        print(f"open without an index  {first['seconds']:.2f} s (once)")
        for name, values in times.items():
            print(f"{name:22} {statistics.median(values):.3f} s ({min(values):.3f} … {max(values):.3f})")
        ratio = statistics.median(o / w for o, w in zip(times["open"], times["wc -l"], strict=True))
        print(f"open / wc -l           {ratio:.2f}")
        print(f"memory beyond an empty one {(again['kib'] - bare['kib']) / 1024:.1f} MiB")
        print(f"read for a page, beyond the page itself, at most {again['beyond']:,.0f} bytes")


def opened(path: Path) -> dict[str, float]:
    """Open a history in a process of its own."""
    done = subprocess.run([sys.executable, "-c", OPEN, str(path)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def timed(command: list[str]) -> float:
    """How long a command takes."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def index_size(path: Path) -> int:
    """The size of the index beside a log."""
    return path.with_name(f"{path.name}.index").stat().st_size


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
