"""Runs the server with a limit on the size of files, as ``ulimit -f`` sets it: LIMIT bytes."""

from __future__ import annotations

import os
import resource

from besedka.cli import main

if __name__ == "__main__":
    limit = int(os.environ["LIMIT"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    main()
