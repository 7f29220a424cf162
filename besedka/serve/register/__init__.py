"""What the server knows of people, kept: `register` is the loop's side of `besedka.serve.people`.

`files` keeps the small text files in step with it: `records` are those that are written as a whole, `audit` the one to which it is
added what was done to keep order.
"""

from besedka.serve.register.register import Register

__all__ = ["Register"]
