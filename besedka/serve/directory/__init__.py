"""What the server knows of people, kept: `directory` is the loop's side of `besedka.serve.people`.

`files` keeps the small text files in step with it, by group commit: each `journal` is a table with its file, and `records` has what is
done to such a file. `audit` is the one to which it is added what was done to keep order.
"""

from besedka.serve.directory.directory import Directory

__all__ = ["Directory"]
