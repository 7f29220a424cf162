"""The HTTP door: `door` runs uvicorn, `protocol` limits what a client may send, `target` reads what is asked for.

`pages` has the responses, `page_files` those with the page, whose modules `joined_modules` joins, `authentication` those that need the access
key, `download` the log as a file.
"""
