"""The WebSocket door: `connection` carries frames, `door` has them all, `besedka` and `seed` are the protocols."""
