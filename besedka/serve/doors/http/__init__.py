"""The HTTP door: `door` has uvicorn serve, `visit` limits what a visitor may send, `pages` is what he gets."""
