"""The running chat: connects the pure parts to the event loop.

`chat` starts and stops everything; `committer` stores and delivers messages in the order of `sequencer`; `open_rooms` opens,
closes and lists rooms; `followers` serves subscribers that are behind; `log_reader` has pages and searches; `presence` sends
presence notices; `redaction` redacts messages; `workers` are the threads.
"""

from besedka.serve.chat.chat import Chat

__all__ = ["Chat"]
