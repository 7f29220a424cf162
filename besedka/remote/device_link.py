"""Takes an add-a-device link: from then on this device belongs to the person who created the link on another one."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from besedka.home import keep_secret
from besedka.remote.address import address, check_key
from besedka.remote.errors import (
    ConnectionFailed,
    JoinRefused,
    OtherPerson,
    RequestRefused,
    TransportClosed,
    needs_key,
    no_answer,
)
from besedka.remote.outgoing_requests import new_key
from besedka.remote.pending_joins import ANSWER_SECONDS
from besedka.remote.transport import checked_frames, open_transport
from besedka.wire.errors import ErrorCode, Language
from besedka.wire.frames import Device, Error, TakeDevice


async def take_device(
    url: str,
    token: str = "",
    *,
    key: str = "",
    name: str = "",
    keep: bool = True,
    language: str = Language.EN,
) -> Device:
    """Add this device to the person who created an add-a-device link on another one. A link works once.

    Args:
        url: the chat's URL, as in `connect`; the token may follow behind its ``#``, as ``;device=``.
        token: the token, if the URL has none.
        key: the access key, if the URL has none.
        name: the person whom the link promises, if the URL has no name; empty: whoever created the link.
        keep: store the secret in the user's home directory, where `connect` finds it. If it cannot be stored, only this program has it.
        language: of the server's sentences for people.

    Returns:
        The name, and the secret to join with from now on.

    Raises:
        InvalidAddress: if the URL is not valid.
        ConnectionFailed: if the chat cannot be reached.
        JoinRefused: if the chat refuses access.
        RequestRefused: if the link is no longer valid.
        OtherPerson: if the link is that of somebody else than it promises; nothing is stored.
    """
    there = address(url)
    check_key(key)
    device = await _redeem(there.url, token or there.device, there.key or key, language)
    if (promised := name or there.name) and device.user != promised:
        raise OtherPerson(promised, device.user)
    if keep:
        with suppress(OSError):
            keep_secret(there.url, device.user, device.secret)
    return device


async def _redeem(url: str, token: str, access_key: str, language: str) -> Device:
    request_key = new_key()
    try:
        async with asyncio.timeout(ANSWER_SECONDS), open_transport(url, access_key, language) as transport:
            await transport.send(TakeDevice(token, key=request_key))
            async for frame in checked_frames(transport, url):
                match frame:
                    case Device(key=answered) if answered == request_key:
                        return frame
                    case Error():
                        raise RequestRefused(frame.code, frame.text, frame.retry_after)
                    case _:
                        pass
    except TransportClosed as closed:
        if closed.code == ErrorCode.NO_ACCESS:
            raise needs_key(url, access_key) from None
        if closed.code:
            raise JoinRefused(closed.code, str(closed)) from None
        raise ConnectionFailed(f"cannot reach a chat at {url}: {closed}") from None
    except TimeoutError:
        pass
    raise no_answer(url)
