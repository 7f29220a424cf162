"""One room's log: a text file that is appended to and never rewritten, and an index beside it that can be made again.

`chat_history` is the log as the room sees it; `file` opens, locks and writes; `index` is the sidecar with lengths and
checksums; `repair` cuts off what a crash has torn; `check` compares a log with its index.
"""

from besedka.serve.history.chat_history import (
    LATEST_MESSAGES,
    ChatHistory,
    Latest,
    Restored,
    room_names,
    room_path,
)

__all__ = ["LATEST_MESSAGES", "ChatHistory", "Latest", "Restored", "room_names", "room_path"]
