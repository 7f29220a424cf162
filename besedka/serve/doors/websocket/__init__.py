"""The WebSocket door: `connection` carries frames, `besedka` and `seed` are the two protocols spoken over it."""
