"""A bucket of keys and values in JetStream: a stream that has the last value of each key, and takes a new one by compare-and-set.

What a value's number is in the stream is its revision. A question that nobody answers, as during an election, raises `TimeoutError`; whether it was carried out is then not known.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from besedka.serve.cluster.errors import Unanswered
from besedka.serve.cluster.jetstream.connection import Connection

_COMMON: Final[Mapping[str, Any]] = {
    "retention": "limits",
    "max_consumers": -1,
    "max_msgs_per_subject": 1,
    "deny_purge": False,
    "deny_delete": False,
    "allow_direct": False,
}


class Value(NamedTuple):
    """A value.

    Attributes:
        revision: its number.
        data: its bytes.
    """

    revision: int
    data: bytes


class Bucket:
    """A bucket.

    Args:
        connection: the connection to NATS.
        name: of its stream.
        subjects: stands in front of a key.
        settings: of its stream, beside those that all have.
    """

    def __init__(self, connection: Connection, name: str, subjects: str, settings: Mapping[str, Any]) -> None:
        self._connection = connection
        self._name = name
        self._subjects = subjects
        self._settings = settings

    @property
    def subjects(self) -> str:
        """The subjects of all keys."""
        return f"{self._subjects}>"

    @property
    def name(self) -> str:
        """The name of its stream."""
        return self._name

    async def ensure(self) -> str:
        """Make it, if it is not there. Returns when it was made, by which it is known again.

        Raises:
            TimeoutError: if nobody answers, or it cannot be made at the moment.
            ClusterUnusable: if it cannot be made.
        """
        info = await self._connection.describe(self._name)
        if info is None:
            config = {"name": self._name, "subjects": [self.subjects], **_COMMON, **self._settings}
            info = await self._connection.ask("STREAM.CREATE", self._name, config)
        if info is None:
            raise Unanswered
        return str(info["created"])

    async def put(self, key: str, data: bytes, revision: int) -> int:
        """Set a value. Returns its revision; 0 if another value is there than the one that was expected.

        Args:
            key: the key.
            data: the value.
            revision: that of the value which is expected to be there; 0 for none.

        Raises:
            TimeoutError: if nobody answers.
        """
        return await self._connection.publish(f"{self._subjects}{key}", data, revision) or 0

    async def get(self, key: str) -> Value | None:
        """The value of a key; None if there is none.

        Raises:
            TimeoutError: if nobody answers.
        """
        question = {"last_by_subj": f"{self._subjects}{key}"}
        found = await self._connection.ask("STREAM.MSG.GET", self._name, question)
        return (
            Value(int(found["message"]["seq"]), b64decode(found["message"].get("data", "")))
            if found
            else None
        )

    async def remove(self, revision: int) -> bool:
        """Remove a value. Returns whether it was the one that is there.

        Raises:
            TimeoutError: if nobody answers.
            ClusterUnusable: if JetStream refuses.
        """
        return await self._connection.delete(self._name, revision, overwrites=False)
