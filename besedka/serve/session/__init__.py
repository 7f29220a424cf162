"""The meaning of frames, for every door.

`admission` checks and signs in people; `base` is a session with subscriptions, `chat_session` one with Besedka's own protocol; `requests`
answers requests about rooms, invitations and devices; `moderation` carries out acts of moderation on a `target`; `post` posts messages.
"""

from besedka.serve.session.admission import Admission, Admitted, Arrival
from besedka.serve.session.base import SessionBase
from besedka.serve.session.chat_session import ChatSession
from besedka.serve.session.moderation import Moderator

__all__ = ["Admission", "Admitted", "Arrival", "ChatSession", "Moderator", "SessionBase"]
