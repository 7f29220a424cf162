"""Entries that hold a redacted message, with a tombstone in place of the text, in the stream BESEDKA_FIXED.

JetStream cannot change an entry of the order, only delete it. Its redacted form is published here first, under the room and the id of its first message. A node that finds entries missing in the order
reads them here. If a subject has several entries the last one counts; the older ones hold texts that were redacted later, and are erased.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from besedka.serve.cluster.jetstream.stream import Stream, StreamState
from besedka.serve.cluster.order.entry import Entry, decode_entry, encode_entry
from besedka.serve.errors import ClusterUnusable

FIXED: Final = "BESEDKA_FIXED"
SUBJECTS: Final = "besedka.fixed."
"""In front of a room's name and the id of a message."""


class FixedEntries:
    """The stream of such entries.

    Args:
        stream: the order, in the same servers.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def ensure(self, state: StreamState) -> None:
        """Make the stream if there is none.

        Args:
            state: of the order.

        Raises:
            ClusterUnusable: if it is that of another order, or is missing though it is needed.
        """

        async def look() -> str:
            info = await self._stream.info(FIXED)
            if info is None and state.deleted:
                raise ClusterUnusable(
                    f"its stream {FIXED} is missing, which has what is left of {state.deleted} entries with removed messages"
                )
            info = info or await self._stream.make(
                FIXED, f"{SUBJECTS}*.*", {"besedka_id": state.id, "besedka_version": "1"}
            )
            return str((info["config"].get("metadata") or {}).get("besedka_id"))

        if await self._stream.until_answered(look) != state.id:
            raise ClusterUnusable(f"its stream {FIXED} belongs to another stream than BESEDKA: delete it")

    async def get(self, room: str, first: int) -> tuple[int, Entry] | None:
        """The entry that begins with a message, and its number here; None if there is none.

        Raises:
            TimeoutError: if the stream does not answer.
        """
        found = await self._stream.find(FIXED, {"last_by_subj": _subject(room, first)})
        return (found[0], decode_entry(found[1])) if found else None

    async def holding(self, room: str, number: int) -> Entry | None:
        """The entry that holds a message; None if there is none.

        Raises:
            TimeoutError: if the stream does not answer.
        """
        found = await self.get(room, number)
        if found is None:
            # It may begin with an earlier one, as where a crash has left a part of it in a log.
            earlier = [first for first in await self._firsts(room) if first < number]
            found = await self.get(room, max(earlier)) if earlier else None
        return found[1] if found and found[1].last >= number else None

    async def put(self, room: str, entry: Entry, behind: int) -> bool:
        """Publish an entry, if the last one under its subject has this number; 0 if there is none. Returns whether that is so.

        Raises:
            TimeoutError: if it is not known whether it is there.
        """
        subject = _subject(room, entry.head.first)
        return await self._stream.connection.publish(subject, encode_entry(entry), behind) is not None

    async def erase_older(self, room: str, first: int) -> None:
        """Erase all but the last entry under a subject.

        Raises:
            TimeoutError: if it is not known whether that was done.
        """
        subject = _subject(room, first)
        last = await self._stream.find(FIXED, {"last_by_subj": subject})
        while last and (found := await self._stream.find(FIXED, {"seq": 1, "next_by_subj": subject})):
            if found[0] >= last[0]:
                return
            await self._stream.erase(FIXED, found[0])

    async def forget(self, room: str, first: int) -> None:
        """Erase all entries that begin with a message.

        Raises:
            TimeoutError: if it is not known whether that was done.
        """
        while found := await self._stream.find(FIXED, {"last_by_subj": _subject(room, first)}):
            await self._stream.erase(FIXED, found[0])

    async def _firsts(self, room: str) -> list[int]:
        """The ids with which the entries of a room begin.

        Raises:
            TimeoutError: if the stream does not answer.
        """
        firsts: list[int] = []
        while True:
            question = {"subjects_filter": _subject(room, "*"), "offset": len(firsts)}
            info = await self._stream.connection.describe(FIXED, question)
            found = ((info or {}).get("state") or {}).get("subjects") or {}
            firsts += [int(subject.rpartition(".")[2]) for subject in found]
            if not found or len(firsts) >= int((info or {}).get("total", 0)):
                return firsts


def _subject(room: str, first: int | str) -> str:
    return f"{SUBJECTS}{quote(room, safe='')}.{first}"
