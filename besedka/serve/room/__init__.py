"""The rules of a room: the order of its messages, and which subscribers are live or behind. Pure; `besedka.serve.chat` drives it.

`room` has all of a room, and `subscriber` its view of connections. In `batch` a message is a `Draft` until its `Batch` is stored. `broadcast` encodes
frames for many; `dedup` recognises resent messages; `redactions` records redactions; `presence` counts and lists the people in the room, `typists` those who type; `elsewhere` is what they know of other nodes; `recent` keeps the latest
broadcasts for subscribers that pull and are behind. (How many rooms each source holds and creates: `besedka.serve.limits.room_shares`.)
"""

from besedka.serve.limits.room_shares import NewRooms, RoomShares, Tenant
from besedka.serve.room.batch import Batch, Draft, Position, StampedBatch
from besedka.serve.room.broadcast import Broadcast, Encode
from besedka.serve.room.dedup import KeyMemory
from besedka.serve.room.elsewhere import Elsewhere
from besedka.serve.room.recent import RecentMemory
from besedka.serve.room.room import Room
from besedka.serve.room.subscriber import Poster, Subscriber

__all__ = [
    "Batch",
    "Broadcast",
    "Draft",
    "Elsewhere",
    "Encode",
    "KeyMemory",
    "NewRooms",
    "Position",
    "Poster",
    "RecentMemory",
    "Room",
    "RoomShares",
    "StampedBatch",
    "Subscriber",
    "Tenant",
]
