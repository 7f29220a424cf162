"""What the server knows of people, kept: `register` is the loop's side of `besedka.serve.people`.

`records` are the small text files that hold it; `audit` is the one in which it is noted what was done to keep order.
"""

from besedka.serve.register.register import Register

__all__ = ["Register"]
