"""The gRPC door: `door` serves, `service` has the methods, `calls` the unary ones, `stream` the subscribers, `status` the refusals."""

import os

# gRPC's core would write its own lines about errors to stderr, beside the server's one sentence.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
