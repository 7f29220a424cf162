"""What words mean, whatever door they came through.

`admission` lets people in; `base` is anybody at a door, `chat_session` one who takes part; `requests` answers what people ask about who
belongs where; `moderation` does what moderators ask for, and `target` is to whom; `post` is the way of a message.
"""

from besedka.serve.session.admission import Admission, Admitted, Arrival
from besedka.serve.session.base import SessionBase
from besedka.serve.session.chat_session import ChatSession
from besedka.serve.session.moderation import Moderator

__all__ = ["Admission", "Admitted", "Arrival", "ChatSession", "Moderator", "SessionBase"]
