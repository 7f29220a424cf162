"""A bucket of keys and values in JetStream: a stream that has the last value of each key, and takes a new one by compare-and-set.

What a value's number is in the stream is its revision. A question that nobody answers, as during an election, raises `TimeoutError`; whether it was carried out is then not known.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

from besedka.serve.cluster.stream import NAME_IN_USE, NO_PEERS, NOT_FOUND, SERVER_ERROR
from besedka.serve.errors import ClusterUnusable

ANSWER_SECONDS: Final = 2.0
"""How long an answer may take; an election lasts longer."""

CONFLICTS: Final = frozenset({10071, 10164})
"""Another value was there than the one that was expected."""

NO_MESSAGE: Final = frozenset({10037, 10043, 10057})
"""The value is not there any more."""

ANY: Final = -1
"""A revision that is not compared."""

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
        client: the connection to NATS.
        name: of its stream.
        subjects: stands in front of a key.
        settings: of its stream, beside those that all have.
    """

    def __init__(self, client: Client, name: str, subjects: str, settings: Mapping[str, Any]) -> None:
        self._client = client
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
        info = await self._ask(f"STREAM.INFO.{self._name}", {})
        if _code(info) == NOT_FOUND:
            config = {"name": self._name, "subjects": [self.subjects], **_COMMON, **self._settings}
            info = await self._ask(f"STREAM.CREATE.{self._name}", config)
        if error := info.get("error"):
            if error.get("err_code") in {NAME_IN_USE, NO_PEERS}:
                raise TimeoutError
            raise ClusterUnusable(f"JetStream refuses {self._name}: {error.get('description', error)}")
        return str(info["created"])

    async def put(self, key: str, data: bytes, revision: int = ANY) -> int:
        """Set a value. Returns its revision; 0 if another value is there than the one that was expected.

        Args:
            key: the key.
            data: the value.
            revision: that of the value which is expected to be there; 0 for none, `ANY` for whatever it is.

        Raises:
            TimeoutError: if nobody answers.
        """
        headers = {} if revision == ANY else {"Nats-Expected-Last-Subject-Sequence": str(revision)}
        answer = await self._request(f"{self._subjects}{key}", data, headers)
        if _err_code(answer) in CONFLICTS:
            return 0
        if "error" in answer:
            raise TimeoutError(str(answer["error"]))
        return int(answer["seq"])

    async def get(self, key: str) -> Value | None:
        """The value of a key; None if there is none.

        Raises:
            TimeoutError: if nobody answers.
        """
        answer = await self._ask(f"STREAM.MSG.GET.{self._name}", {"last_by_subj": f"{self._subjects}{key}"})
        if _code(answer) == NOT_FOUND:
            return None
        if "error" in answer:
            raise TimeoutError(str(answer["error"]))
        message = answer["message"]
        return Value(int(message["seq"]), b64decode(message.get("data", "")))

    async def remove(self, revision: int) -> bool:
        """Remove a value. Returns whether it was the one that is there.

        Raises:
            TimeoutError: if nobody answers.
        """
        answer = await self._ask(f"STREAM.MSG.DELETE.{self._name}", {"seq": revision, "no_erase": True})
        if _code(answer) == NOT_FOUND or _err_code(answer) in NO_MESSAGE:
            return False
        if "error" in answer:
            raise TimeoutError(str(answer["error"]))
        return True

    async def _ask(self, what: str, question: Mapping[str, Any]) -> dict[str, Any]:
        data = msgspec.json.encode(question) if question else b""
        answer = await self._request(f"$JS.API.{what}", data, {})
        if (_code(answer) or 0) >= SERVER_ERROR:
            raise TimeoutError(str(answer["error"]))
        return answer

    async def _request(self, subject: str, data: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        if not self._client.is_connected:
            raise TimeoutError("not connected")
        try:
            reply = await self._client.request(
                subject, data, timeout=ANSWER_SECONDS, headers={**headers} or None
            )
        except (NatsError, TimeoutError) as unanswered:
            raise TimeoutError from unanswered
        answer: dict[str, Any] = msgspec.json.decode(reply.data)
        return answer


def _code(answer: Mapping[str, Any]) -> int | None:
    error = answer.get("error")
    return int(error["code"]) if error else None


def _err_code(answer: Mapping[str, Any]) -> int | None:
    error = answer.get("error")
    return error.get("err_code") if error else None
