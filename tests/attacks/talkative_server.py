"""Runs the server with everything logged that anybody in it has to say, down to DEBUG."""

from __future__ import annotations

import logging

from besedka.cli import main

if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    # What the command sets for its libraries does not count; what our own parts set for themselves does.
    for name in (None, "uvicorn"):
        vars(logging.getLogger(name))["setLevel"] = lambda _: None
    main()
