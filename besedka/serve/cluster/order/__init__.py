"""The order of all rooms' messages.

The `sequencer` offers what is posted here and gives the committer what all have posted. `entry` is the form of what is in the stream, and `room_order` the rules of compare-and-set for a room, both
pure; `batches` are entries as the committer takes them, and `room_state` is what is known of a room. `room_rights` says what must be known about people before, `reach` how long the stream is waited for, and `redaction` takes texts out of it.
"""
