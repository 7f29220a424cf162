"""The running chat: connects the pure parts to the event loop.

`chat` starts and stops everything; `committer` stores and delivers messages in the order of `sequencer`, through `log_writer`, and `steps` does what else is ordered; `open_rooms` opens and closes
rooms, `room_names` says which names new ones may have; `room_list` lists rooms in pages, and `room_watchers` are sent new ones; `unused_rooms` lapse; `subscriptions` adds subscribers to rooms;
`catch_up` serves those that are behind, at `page_turns`, with `shared_pages`; `log_reader` has pages and searches, `resends` finds resent messages, and all of these
take `turns`; `notices` has the pace of notices to whole rooms, `presence` those of people who come and go, also, by `elsewhere`, at other nodes; `redaction` redacts messages, `room_endings` ends
rooms; `room_heads` has clients wait that have read further at another node; `workers` are the threads.
"""

from besedka.serve.chat.catch_up import CatchUp
from besedka.serve.chat.chat import Chat
from besedka.serve.chat.committer import Committer
from besedka.serve.chat.log_reader import LogReader
from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.redaction import Redactor
from besedka.serve.chat.resends import Resends
from besedka.serve.chat.room_endings import RoomEndings
from besedka.serve.chat.room_heads import RoomHeads
from besedka.serve.chat.shared_pages import Page
from besedka.serve.chat.subscriptions import Subscriptions

__all__ = [
    "CatchUp",
    "Chat",
    "Committer",
    "LogReader",
    "OpenRooms",
    "Page",
    "Redactor",
    "Resends",
    "RoomEndings",
    "RoomHeads",
    "Subscriptions",
]
