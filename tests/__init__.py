"""The tests mirror the tree: `wire`, `serve` and `terminal` prove the parts, `blackbox` and `browser` the whole."""

from __future__ import annotations

import os

# A test that needs a terminal forks (pty), and gRPC's threads of this process would live on in the child: until the child
# has become another program they write to its terminal that their files are closed. Read once, when grpc is imported.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
