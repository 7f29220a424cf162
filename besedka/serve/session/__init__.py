"""What words mean, whatever door they came through.

`session` is anybody at a door, `conversation` one who takes part; `reception` answers what people ask about who belongs where;
`keeping` does what those who keep order ask for, and `target` is to whom.
"""

from besedka.serve.session.base import SessionBase
from besedka.serve.session.chat_session import ChatSession
from besedka.serve.session.moderation import Moderator

__all__ = ["ChatSession", "Moderator", "SessionBase"]
