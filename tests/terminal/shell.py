"""A shell in miniature: it runs ``besedka``, and then says which line it would run next."""

from __future__ import annotations

import subprocess
import sys

if __name__ == "__main__":
    subprocess.run([sys.executable, "-m", "besedka", *sys.argv[1:]], check=False)
    sys.stdout.write(f"the shell runs {input()}\n")
