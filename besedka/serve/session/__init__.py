"""The meaning of frames, for every door.

`services` are the parts that sessions share; `base` is a session with subscriptions, `chat_session` one with Besedka's own protocol;
`admission` checks and signs in people; `post` posts messages, and `unstored` keeps the order of those that were refused for now; `read_marking` moves read marks; `requests` answers requests about rooms,
invitations and devices; `moderation` carries out acts of moderation on a `act_target`, whose `whereabouts` it knows, with `act_effects` at once, `acts_of_others` are those of other nodes, and `room_acts` those that end a room; `overview` is
what the operator sees; `refusals` makes error frames.
"""

from besedka.serve.session.admission import Admission, Admitted, Arrival
from besedka.serve.session.base import SessionBase
from besedka.serve.session.chat_session import ChatSession
from besedka.serve.session.moderation import Moderator
from besedka.serve.session.overview import Load, Overview
from besedka.serve.session.services import Services

__all__ = [
    "Admission",
    "Admitted",
    "Arrival",
    "ChatSession",
    "Load",
    "Moderator",
    "Overview",
    "Services",
    "SessionBase",
]
