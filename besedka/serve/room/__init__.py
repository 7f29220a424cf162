"""A room as such: the order of its messages, who is live and who is behind. All of it pure; `besedka.serve.chat` moves it.

A message is a `Draft` until its `Batch` is stored. `dedup` recognises messages that are posted again; `revisions` knows which texts were
taken away; `presence` who is here, and the news of them; `recent` what was broadcast of late, for subscribers that pull.
"""

from besedka.serve.room.batch import Batch, Draft, Position
from besedka.serve.room.dedup import PostedBefore
from besedka.serve.room.room import Room
from besedka.serve.room.subscriber import Poster, Subscriber

__all__ = ["Batch", "Draft", "Position", "PostedBefore", "Poster", "Room", "Subscriber"]
