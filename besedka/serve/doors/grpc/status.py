"""Refusals as gRPC status codes, with details: one table for all calls (google.rpc.Status, richer error model)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from besedka.wire.refusals import Code, Language, Refused

DOMAIN: Final = "besedka"

DETAILS: Final = "grpc-status-details-bin"
"""The trailing metadata in which clients look for a google.rpc.Status."""

INVALID, EXISTS, EXHAUSTED, DENIED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.PERMISSION_DENIED,
)

STATUS: Final[dict[Code, grpc.StatusCode]] = {
    Code.BAD_JSON: INVALID,
    Code.BAD_FRAME: INVALID,
    Code.UNKNOWN_TYPE: INVALID,
    Code.BINARY_FRAME: INVALID,
    Code.FRAME_TOO_LONG: EXHAUSTED,
    Code.BAD_NAME: INVALID,
    Code.NAME_RESERVED: INVALID,
    Code.NAME_TAKEN: EXISTS,
    Code.BAD_ROOM: INVALID,
    Code.EMPTY_TEXT: INVALID,
    Code.TEXT_TOO_LONG: INVALID,
    Code.BAD_KEY: INVALID,
    Code.BAD_SEARCH: INVALID,
    Code.NO_NAME: grpc.StatusCode.FAILED_PRECONDITION,
    Code.NOT_JOINED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.ALREADY_JOINED: EXISTS,
    Code.TOO_FAST: EXHAUSTED,
    Code.TOO_MANY_CONNECTIONS: EXHAUSTED,
    Code.TOO_MANY_ROOMS: EXHAUSTED,
    Code.ROOM_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Code.NO_SUCH_ROOM: grpc.StatusCode.NOT_FOUND,
    Code.BAD_CURSOR: grpc.StatusCode.OUT_OF_RANGE,
    Code.STORAGE_FULL: EXHAUSTED,
    Code.NOT_STORED: grpc.StatusCode.DATA_LOSS,
    Code.GOING_DOWN: grpc.StatusCode.UNAVAILABLE,
    Code.NAME_CLAIMED: EXISTS,
    Code.NOT_KNOWN: DENIED,
    Code.TOO_MANY_NAMES: EXHAUSTED,
    Code.NO_SUCH_NAME: grpc.StatusCode.NOT_FOUND,
    Code.NO_SECRET: grpc.StatusCode.FAILED_PRECONDITION,
    Code.ROOM_TAKEN: EXISTS,
    Code.NOT_INVITED: DENIED,
    Code.BAD_LINK: DENIED,
    Code.NOT_ALLOWED: DENIED,
    Code.MUTED: DENIED,
    Code.BANNED: DENIED,
    Code.NO_ACCESS: grpc.StatusCode.UNAUTHENTICATED,
}

FIELDS: Final[dict[Code, str]] = {
    Code.BAD_NAME: "user",
    Code.NAME_RESERVED: "user",
    Code.NAME_TAKEN: "user",
    Code.NAME_CLAIMED: "user",
    Code.NO_SUCH_NAME: "user",
    Code.ROOM_TAKEN: "room",
    Code.NOT_INVITED: "room",
    Code.BAD_LINK: "invite",
    Code.NO_SECRET: "secret",
    Code.BAD_ROOM: "room",
    Code.NO_SUCH_ROOM: "room",
    Code.EMPTY_TEXT: "text",
    Code.TEXT_TOO_LONG: "text",
    Code.BAD_KEY: "key",
    Code.BAD_SEARCH: "text",
    Code.BAD_CURSOR: "after",
}
"""Which field of the request was wrong."""


def details(refusal: Refused, language: Language, field: str = "") -> list[Message]:
    """What a client that is a program may want to know of a refusal.

    Args:
        refusal: why.
        language: of the sentence.
        field: what was wrong, if it is deeper in the request than `FIELDS` says.
    """
    found: list[Message] = [ErrorInfo(reason=refusal.code, domain=DOMAIN)]
    if refusal.code in FIELDS or field:
        violation = BadRequest.FieldViolation(
            field=field or FIELDS[refusal.code], description=refusal.sentence(language)
        )
        found.append(BadRequest(field_violations=[violation]))
    if refusal.wait:
        delay = Duration()
        delay.FromNanoseconds(int(refusal.wait * 1e9))
        found.append(RetryInfo(retry_delay=delay))
    return found


async def end(
    context: grpc.aio.ServicerContext[Any, Any],
    code: grpc.StatusCode,
    sentence: str,
    details: Sequence[Message],
) -> NoReturn:
    """End a call with a status and its details."""
    packed = []
    for detail in details:
        packed.append(AnyMessage())
        packed[-1].Pack(detail)
    status = Status(code=code.value[0], message=sentence, details=packed)
    await context.abort(code, sentence, ((DETAILS, status.SerializeToString()),))
    raise AssertionError("abort does not return")
