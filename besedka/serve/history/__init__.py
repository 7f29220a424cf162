"""One room's log: a text file that is appended to, and an index beside it that can be made again.

`chat_history` is the log as the room sees it; `reading` its half that only reads, `appending` and `redact` what changes it;
`external_edits` is what happens when another program changes the file, `full_disk` what happens when there is no room. `body` is what is
known of a log; `restoring` how that is learnt, `findings` what is found meanwhile, `rebuilding` how the index is made again. `scan` finds
the messages in its bytes, `index` keeps where they are, `epoch` what the log is called; `recovery` cuts off what a crash has torn, `foreign`
knows files that are not ours, `watch` is told of external edits; `check` compares a log with its index, `verdict` says what came of it;
`search` looks for words; `file` opens, locks and writes; `room_files` knows which file is which room's.
"""

from besedka.serve.history.body import LATEST_MESSAGES, Latest
from besedka.serve.history.chat_history import ChatHistory
from besedka.serve.history.findings import Restored
from besedka.serve.history.index import Flag
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.redact import Subject
from besedka.serve.history.room_files import room_names, room_path
from besedka.serve.history.search import Hits

__all__ = [
    "LATEST_MESSAGES",
    "ChatHistory",
    "Flag",
    "Hits",
    "Latest",
    "ReadableLog",
    "Restored",
    "Subject",
    "room_names",
    "room_path",
]
