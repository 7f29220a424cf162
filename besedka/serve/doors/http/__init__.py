"""The HTTP door: `door` runs uvicorn, `protocol` limits what a client may send, `target` reads what is asked for.

`pages` has the responses, `authentication` those that need the access key, `download` the log as a file.
"""
