"""The gRPC door: `door` serves, `calls` has the unary calls, `stream` the readers, `status` says what was refused."""
