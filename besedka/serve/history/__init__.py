"""One room's log: a text file that is only appended to, and an index beside it that can be rebuilt.

`chat_history` is the log as the room sees it: `reading` has its read-only half, `appending` and `redact` change it; `shared_sync`
appends to many logs at once, `pieces` takes a log from another server. `opening` loads a log at
the start and repairs it after a crash; `log_state` is the state of an open log in memory. `external_edits` handles changes by another program,
which `watch` notices, and `full_disk` a disk without room. `scan` finds the messages in the bytes, `index` stores their offsets in `record`s, `reindexing` rebuilds the
index of an open log, `epoch` has the name of the log. `search` finds texts, as `folding` compares them, `resent` messages that a client sends again; `annotations` knows
which entries are about which messages.

`verifying` is for ``besedka verify``, `importing` for ``besedka import``. `room_files` maps rooms to files, `ended_files` moves those of rooms that end, `torn_file` keeps what is cut off a
log, and `file_formats` recognises the files of other programs.
"""

from besedka.serve.files.ownership import Care
from besedka.serve.history.chat_history import ChatHistory
from besedka.serve.history.ended_files import kept_path, move_log, remove_log, retire_log
from besedka.serve.history.epoch import read_epoch
from besedka.serve.history.log_state import LATEST_MESSAGES, Latest, Page, newcomers_begin
from besedka.serve.history.opening.findings import Restored
from besedka.serve.history.opening.leftovers import remove_leftovers
from besedka.serve.history.pieces import Piece, holds_piece, messages_of, piece_at
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.record import Flag
from besedka.serve.history.redact import Subject, covered, may_have_been
from besedka.serve.history.room_files import RoomFiles, has_log, room_files, room_names, room_path
from besedka.serve.history.search import Hits, Query
from besedka.serve.history.shared_sync import Append, Outcome, append_to_all

__all__ = [
    "LATEST_MESSAGES",
    "Append",
    "Care",
    "ChatHistory",
    "Flag",
    "Hits",
    "Latest",
    "Outcome",
    "Page",
    "Piece",
    "Query",
    "ReadableLog",
    "Restored",
    "RoomFiles",
    "Subject",
    "append_to_all",
    "covered",
    "has_log",
    "holds_piece",
    "kept_path",
    "may_have_been",
    "messages_of",
    "move_log",
    "newcomers_begin",
    "piece_at",
    "read_epoch",
    "remove_leftovers",
    "remove_log",
    "retire_log",
    "room_files",
    "room_names",
    "room_path",
]
