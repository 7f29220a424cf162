"""Becoming, on this device, the person who has made a link for it on another one."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress

from besedka.home import keep_secret
from besedka.remote.address import address, check_key
from besedka.remote.connection import JOIN_SECONDS
from besedka.remote.errors import AskRefused, ConnectionFailed, JoinRefused, TransportClosed, needs_key
from besedka.remote.transport import open_transport
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import Device, Error, TakeDevice


async def take_device(url: str, token: str = "", *, key: str = "", keep: bool = True) -> Device:
    """Be who has made the link with this token, with all our programs on this machine. It works once.

    Args:
        url: of the chat, as `connect` takes it; the token may stand behind its ``#``, as ``;device=``.
        token: the token, if the URL has none.
        key: the access key, if it does not stand in the URL.
        keep: keep the secret at home, where `connect` finds it; where it cannot be kept, only this program has it.

    Returns:
        The name, and the secret to come in with from now on.

    Raises:
        AddressBad: if the URL is none.
        ConnectionFailed: if there is no chat.
        JoinRefused: if it does not let us in.
        AskRefused: if the link is not valid any more.
    """
    there = address(url)
    check_key(key)
    access_key, mark = there.key or key, secrets.token_hex(16)
    try:
        async with asyncio.timeout(JOIN_SECONDS), open_transport(there.url, access_key) as transport:
            await transport.send(TakeDevice(token or there.device, key=mark))
            async for frame in transport.frames():
                match frame:
                    case Device(key=answered) if answered == mark:
                        if keep:
                            with suppress(OSError):
                                keep_secret(there.url, frame.user, frame.secret)
                        return frame
                    case Error():
                        raise AskRefused(frame.code, frame.text)
                    case _:
                        pass
    except TransportClosed as ended:
        if ended.code == ErrorCode.NO_ACCESS:
            raise needs_key(there.url, access_key) from None
        if ended.code:
            raise JoinRefused(ended.code, str(ended)) from None
        raise ConnectionFailed(f"cannot reach a chat at {there.url}: {ended}") from None
    except TimeoutError:
        pass
    raise ConnectionFailed(f"the chat at {there.url} does not answer")
