"""Starts the server as the first version was started, ``cd serve; python main.py``: the same as ``besedka serve``.

Besedka itself need not be installed for that, only what it depends on.
"""

from __future__ import annotations

import runpy
import shlex
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
OLDEST: Final = (3, 11)


def main() -> None:
    """Run ``besedka serve`` with the options of this command line."""
    if sys.version_info < OLDEST:
        sys.exit(f"besedka: needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {sys.version.split()[0]}")
    # Beside this file stand modules of ours, which would hide others with the same names.
    sys.path[:] = [str(ROOT), *(path for path in sys.path if path != str(HERE))]
    sys.argv[:1] = ["besedka", "serve"]
    try:
        runpy.run_module("besedka", run_name="__main__")
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.partition(".")[0] in {"", "besedka"}:
            raise
        command = [sys.executable, "-m", "pip", "install", "-r", str(ROOT / "requirements" / "run.txt")]
        sys.exit(
            f"besedka: {missing} is not installed; this installs all that is needed: {shlex.join(command)}"
        )


if __name__ == "__main__":
    main()
