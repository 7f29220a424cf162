"""One room's log: a text file that is only appended to, and an index beside it that can be rebuilt.

`chat_history` is the log as the room sees it: `reading` has its read-only half, `appending` and `redact` change it. `external_edits`
handles changes by another program, `full_disk` a disk without room. `log_state` is the state of a log in memory: `restoring` loads it,
`findings` collects what to report meanwhile, `rebuilding` rebuilds the index. `scan` finds the messages in the bytes, `index` stores their
offsets, `old_index` reads the index's first version, `epoch` has the name of the log. `recovery` cuts off the torn end after a crash, `foreign` recognises
files that are no logs, `watch` notices writers. `check` compares a log with its index, `verdict` puts the result into a sentence. `search`
finds texts, `resent` messages that a client sends again. `source` and `decoding` read files to be imported, `room_files` maps rooms to
files, and `leftovers` removes empty ones that a killed server has left.
"""

from besedka.serve.files.ownership import Care
from besedka.serve.history.chat_history import ChatHistory
from besedka.serve.history.findings import Restored
from besedka.serve.history.index import Flag
from besedka.serve.history.leftovers import remove_leftovers
from besedka.serve.history.log_state import LATEST_MESSAGES, Latest
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.redact import Subject
from besedka.serve.history.room_files import RoomFiles, has_log, room_files, room_names, room_path
from besedka.serve.history.search import Hits

__all__ = [
    "LATEST_MESSAGES",
    "Care",
    "ChatHistory",
    "Flag",
    "Hits",
    "Latest",
    "ReadableLog",
    "Restored",
    "RoomFiles",
    "Subject",
    "has_log",
    "remove_leftovers",
    "room_files",
    "room_names",
    "room_path",
]
