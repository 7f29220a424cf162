"""Whether a message of the log is its name's holder's. Pure; `besedka/serve/chat/log_reader.py` asks for each message of a page.

Whether a message is *verified* was decided when it was posted, and is stored in the index of its log: a message posted without the secret
never becomes the holder's, whatever any clock says. A message posted with it is the holder's, unless the name has another holder by now.
Where nothing is stored (the index was deleted or is too old, or another program wrote the line) a message counts as verified only if its
name was claimed before, by every clock that is possible.
"""

from __future__ import annotations

from typing import Final

from besedka.serve.people.names import Known, KnownNames
from besedka.serve.people.written_times import Span

_STAMP_END: Final = len("[0000-00-00 00:00:00")
_NAME_AT: Final = len("[0000-00-00 00:00:00] ")


def is_unverified(names: KnownNames, line: str, was_verified: bool | None = None) -> bool:
    """Whether a message is not verified as the name's holder's.

    Args:
        names: the holders of names.
        line: the message's lines in the log.
        was_verified: whether its poster was verified when it was posted; None if that was not stored.
    """
    if not names.is_kept or was_verified is False:
        return names.is_kept
    name, said = line[_NAME_AT : line.find(":", _NAME_AT)], names.span(line[1:_STAMP_END])
    if was_verified:
        holder = names.holder(name) if names.was_freed(name) else None
        return holder is not None and bool(holder.claim) and _may_be_earlier(names, said, holder)
    if said.latest < names.begun.earliest or not line:
        return False
    known = names.row(name)
    return known is None or not known.claim or _may_be_earlier(names, said, known)


def _may_be_earlier(names: KnownNames, said: Span, known: Known) -> bool:
    return bool(known.first) and said.earliest < names.span(known.first).latest
