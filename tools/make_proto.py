"""Makes the Python code of chat.proto anew: ``make_proto.py DIRECTORY``, a copy of `besedka/proto` to write into."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).parent.parent / "besedka" / "proto"
NAME = "besedka/v1/chat"


def make(into: Path) -> None:
    """Write ``chat_pb2.py``, ``chat_pb2.pyi`` and ``chat_pb2_grpc.py`` below a directory."""
    well_known = files("grpc_tools") / "_proto"
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTO}",
            f"--proto_path={well_known}",
            f"--python_out={into}",
            f"--pyi_out={into}",
            f"--grpc_python_out={into}",
            f"{NAME}.proto",
        ]
    )
    if status:
        sys.exit(status)
    stubs = into / f"{NAME}_pb2_grpc.py"
    # protoc takes the proto's path for a package of its own; ours lies below besedka.proto.
    stubs.write_text(
        stubs.read_text().replace("from besedka.v1 import", "from besedka.proto.besedka.v1 import")
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else PROTO)
