"""The chat as it runs: here the pure parts meet the loop.

`chat` is its life, and the way of what is said to the disk and back; `open_rooms` opens rooms, keeps them open, closes and lists
them; `followers` helps those who are behind; `log_reader` has pages and searches; `notices` tells comings and goings; `redactor`
takes texts away; `workers` are the threads.
"""

from besedka.serve.chat.chat import Chat

__all__ = ["Chat"]
