"""The HTTP door: `door` runs uvicorn, `protocol` limits what a client may send, `pages` has the responses."""
