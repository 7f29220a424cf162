"""Does to a chat's files what a server does that redacts a message: ``python -m tests.torture.redacting FOLDER ID``.

To be started under ``strace``, which kills it at one of its system calls. The ways are those of the server: the deed is noted first,
then the message is redacted.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from besedka.serve.chat import Chat
from besedka.serve.settings import Settings
from besedka.wire.frames import Act, Moderate
from tests.serve.faking import moderator


async def redact(folder: Path, number: int) -> None:
    """Start a chat, redact one message, and end."""
    chat = Chat(Settings(history=folder / "chat_history.txt", utc=True))
    await chat.start()
    await moderator(chat).command(Moderate(Act.REDACT, id=number))
    await chat.close()


if __name__ == "__main__":
    asyncio.run(redact(Path(sys.argv[1]), int(sys.argv[2])))
