"""Runs the server with shorter patience: IMPATIENCE is a JSON object of names in `besedka.serve.doors.timeouts`."""

from __future__ import annotations

import json
import os

from besedka.cli import main
from besedka.serve.doors import timeouts

if __name__ == "__main__":
    # Before the doors are imported: they take these by name.
    vars(timeouts).update(json.loads(os.environ["IMPATIENCE"]))
    main()
