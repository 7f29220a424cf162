"""The WebSocket door: `connection` carries frames, `door` has all connections, `besedka` and `seed` are the protocols.

`subscriber` is what the two have in common, `frames` encodes frames once for any number of connections,
`text_frames` reads messages of text without a protocol, `frame_ends` finds where other received frames end.
"""
