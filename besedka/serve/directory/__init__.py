"""The directory of people: the event loop's side of `besedka.serve.people`, kept in small text files.

`directory` is what the rest of the server asks, `lapses` frees names. `files` keeps the files in step with it, by group commit: each `table_file` is a table with
its file, and `records` has the operations on such a file;
`torn_write` keeps what a crash has left at the end of one. `audit` is the append-only file of the moderators' acts; `private_record` records
there which rooms are private. An `agreement` with the other nodes of a cluster comes before each write. `names_in_use`,
`other_links` and `other_marks` are those of its other nodes.
"""

from besedka.serve.directory.agreement import AgreementMaker
from besedka.serve.directory.directory import Directory

__all__ = ["AgreementMaker", "Directory"]
