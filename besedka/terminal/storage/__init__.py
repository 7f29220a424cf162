"""Storage in the state folder: typed lines, unsent messages, read positions, drafts, ignored names.

The chat works without any of it: `Storage` reports the first failure, and the session goes on.
"""

from besedka.terminal.storage.ignored import IgnoredNames
from besedka.terminal.storage.storage import Storage
from besedka.terminal.storage.unsent import UnsentMessages

__all__ = ["IgnoredNames", "Storage", "UnsentMessages"]
