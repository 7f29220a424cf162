"""One room's log: a text file that is appended to, and an index beside it that can be made again.

`chat_history` is the log as the room sees it; `file` opens, locks and writes; `index` is the sidecar with lengths and
checksums; `repair` cuts off what a crash has torn; `check` compares a log with its index; `search` looks for words;
`redact` takes a text away.
"""

from besedka.serve.history.chat_history import (
    LATEST_MESSAGES,
    ChatHistory,
    Latest,
    Restored,
    room_names,
    room_path,
)
from besedka.serve.history.redact import Subject
from besedka.serve.history.search import Hits

__all__ = [
    "LATEST_MESSAGES",
    "ChatHistory",
    "Hits",
    "Latest",
    "Restored",
    "Subject",
    "room_names",
    "room_path",
]
