"""Files of other programs, and logs of other servers, whose messages are imported.

`decoding` makes any file one that can be read twice, as UTF-8; `source` surveys it and has its messages as they will be written; `stored`
knows which of them a history has already.
"""
