"""The HTTP door: `door` has uvicorn serve, `protocol` limits what a client may send, `pages` is what it gets."""
