"""A room as such: the order of what is said, who is live and who is behind. All of it pure; `besedka.serve.chat` moves it.

`room` is the room; `member` who says something, and who hears; `presence` the people who are here, and the news of them; `recent` what
was told of late, for members who pull; `revisions` what was taken away; `resend` whether what is said again is in the log already.
"""

from besedka.serve.room.resend import PostedBefore
from besedka.serve.room.room import Batch, Room, Said
from besedka.serve.room.subscriber import Sender, Subscriber

__all__ = ["Batch", "PostedBefore", "Room", "Said", "Sender", "Subscriber"]
