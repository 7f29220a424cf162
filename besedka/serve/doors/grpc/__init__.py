"""The gRPC door: `door` serves, `service` has the methods, `calls` the unary ones, `stream` the readers, `status` refusals."""

import os

# gRPC's own core writes what it thinks of errors to stderr, beside the one sentence that we say of them.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
