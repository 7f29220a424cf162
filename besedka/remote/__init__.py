"""The client library, on which the terminal client is built: a chat as seen from afar.

`chat` is what programs use; `connection` comes back by itself, with a cursor and an outbox; `ways` says how words travel.
"""

from besedka.remote.chat import Message, RemoteChat, connect
from besedka.remote.errors import AddressBad, ConnectionFailed, JoinRefused, RemoteError, SayRefused

__all__ = [
    "AddressBad",
    "ConnectionFailed",
    "JoinRefused",
    "Message",
    "RemoteChat",
    "RemoteError",
    "SayRefused",
    "connect",
]
