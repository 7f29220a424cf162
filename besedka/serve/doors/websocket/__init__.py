"""The WebSocket door: `connection` carries frames, `door` has all connections, `besedka` and `seed` are the protocols."""
