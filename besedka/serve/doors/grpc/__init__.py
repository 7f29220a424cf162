"""The gRPC door: `door` serves, `service` has the methods: `calls` the unary ones, `follow` and `converse` the streams.

`stream` is a subscriber of such a call, `requests` holds what clients send to its bounds, `status` has refusals as gRPC tells them. `connections` carries TCP between client and gRPC and limits it,
`half_open` finds requests that are not whole, `clients` knows who calls, `calls_in_progress` the calls in progress; `authentication` checks
access keys, `handlers` wraps methods by it, and `health_and_reflection` are the services beside the chat's.
"""

import os

# gRPC's core would write its own lines about errors to stderr, beside the server's one sentence.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
