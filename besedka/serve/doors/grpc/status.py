"""Refusals as gRPC status codes, with details: one table for all calls (google.rpc.Status, richer error model)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.languages import ACCEPT_LANGUAGE, first_preferred

DOMAIN: Final = "besedka"

DETAILS: Final = "grpc-status-details-bin"
"""The key of the trailing metadata in which clients expect a google.rpc.Status."""

INVALID, EXISTS, EXHAUSTED, DENIED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.PERMISSION_DENIED,
)

STATUS: Final[dict[ErrorCode, grpc.StatusCode]] = {
    ErrorCode.BAD_JSON: INVALID,
    ErrorCode.BAD_FRAME: INVALID,
    ErrorCode.UNKNOWN_TYPE: INVALID,
    ErrorCode.BINARY_FRAME: INVALID,
    ErrorCode.FRAME_TOO_LONG: EXHAUSTED,
    ErrorCode.BAD_NAME: INVALID,
    ErrorCode.NAME_RESERVED: INVALID,
    ErrorCode.NAME_TAKEN: EXISTS,
    ErrorCode.BAD_ROOM: INVALID,
    ErrorCode.EMPTY_TEXT: INVALID,
    ErrorCode.TEXT_TOO_LONG: INVALID,
    ErrorCode.BAD_KEY: INVALID,
    ErrorCode.BAD_SEARCH: INVALID,
    ErrorCode.NO_NAME: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorCode.NOT_JOINED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorCode.ALREADY_JOINED: EXISTS,
    ErrorCode.TOO_FAST: EXHAUSTED,
    ErrorCode.TOO_MANY_CONNECTIONS: EXHAUSTED,
    ErrorCode.TOO_MANY_ROOMS: EXHAUSTED,
    ErrorCode.ROOM_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ErrorCode.NO_SUCH_ROOM: grpc.StatusCode.NOT_FOUND,
    ErrorCode.BAD_CURSOR: grpc.StatusCode.OUT_OF_RANGE,
    ErrorCode.STORAGE_FULL: EXHAUSTED,
    ErrorCode.NOT_STORED: grpc.StatusCode.DATA_LOSS,
    ErrorCode.GOING_DOWN: grpc.StatusCode.UNAVAILABLE,
    ErrorCode.OUT_OF_REACH: grpc.StatusCode.UNAVAILABLE,
    ErrorCode.NAME_CLAIMED: EXISTS,
    ErrorCode.NOT_KNOWN: DENIED,
    ErrorCode.TOO_MANY_NAMES: EXHAUSTED,
    ErrorCode.NO_SUCH_NAME: grpc.StatusCode.NOT_FOUND,
    ErrorCode.NO_SECRET: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorCode.ROOM_TAKEN: EXISTS,
    ErrorCode.NOT_INVITED: DENIED,
    ErrorCode.BAD_LINK: DENIED,
    ErrorCode.NOT_ALLOWED: DENIED,
    ErrorCode.MUTED: DENIED,
    ErrorCode.BANNED: DENIED,
    ErrorCode.NO_ACCESS: grpc.StatusCode.UNAUTHENTICATED,
    ErrorCode.NOT_ACCEPTED: DENIED,
    ErrorCode.ROOM_GONE: grpc.StatusCode.NOT_FOUND,
    ErrorCode.ROOM_ARCHIVED: grpc.StatusCode.FAILED_PRECONDITION,
}

FIELDS: Final[dict[ErrorCode, str]] = {
    ErrorCode.BAD_NAME: "user",
    ErrorCode.NAME_RESERVED: "user",
    ErrorCode.NAME_TAKEN: "user",
    ErrorCode.NAME_CLAIMED: "user",
    ErrorCode.NO_SUCH_NAME: "user",
    ErrorCode.ROOM_TAKEN: "room",
    ErrorCode.NOT_INVITED: "room",
    ErrorCode.BAD_LINK: "invite",
    ErrorCode.NO_SECRET: "secret",
    ErrorCode.BAD_ROOM: "room",
    ErrorCode.NO_SUCH_ROOM: "room",
    ErrorCode.EMPTY_TEXT: "text",
    ErrorCode.TEXT_TOO_LONG: "text",
    ErrorCode.BAD_KEY: "key",
    ErrorCode.BAD_SEARCH: "text",
    ErrorCode.BAD_CURSOR: "after",
}
"""The field of the request that a refusal is about."""


def details(refusal: Refused, language: Language, field: str = "") -> list[Message]:
    """The details of a refusal, for programs.

    Args:
        refusal: the refusal.
        language: the language of its text.
        field: the path of the wrong field, if it is deeper in the request than `FIELDS` says.
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


def accepted_languages(context: grpc.aio.ServicerContext[Any, Any]) -> Iterator[str]:
    """The values of a call's ``accept-language``."""
    for name, value in context.invocation_metadata() or ():
        if name == ACCEPT_LANGUAGE and isinstance(value, str):
            yield value


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


async def refuse(
    context: grpc.aio.ServicerContext[Any, Any], refusal: Refused, language: Language, field: str = ""
) -> NoReturn:
    """End a call with a refusal, in the language that it asks for, else in the given one; ``field`` is as in `details`."""
    language = first_preferred(accepted_languages(context), language)
    sentence = refusal.sentence(language)
    text = f"{field}: {sentence}" if field else sentence
    await end(context, STATUS[refusal.code], text, details(refusal, language, field))
