"""nats-server with a stream (JetStream) that is synced before anybody is told, over WebSocket: ``nats_jetstream.py PROGRAM``.

Messages to `main` go into the stream; one consumer hands on what is stored to `told`, to which all readers subscribe.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CONFIG = """\
listen: "127.0.0.1:-1"
websocket { listen: "127.0.0.1:-1", no_tls: true }
jetstream { store_dir: "stream", sync_interval: always }
"""
STREAM = {"name": "chat", "subjects": ["main"], "storage": "file", "retention": "limits"}
CONSUMER = {
    "stream_name": "chat",
    "config": {
        "durable_name": "all",
        "deliver_subject": "told",
        "deliver_policy": "new",
        "ack_policy": "none",
    },
}
SECONDS = 10.0


def ports(output: Iterable[str]) -> tuple[int, int]:
    """The ports for clients and for WebSockets, from what the server says."""
    said = ""
    for line in output:
        said += line
        client = re.search(r"client connections on 127\.0\.0\.1:(\d+)", said)
        web = re.search(r"websocket clients on ws://127\.0\.0\.1:(\d+)", said)
        if client and web and "Server is ready" in said:
            return int(client[1]), int(web[1])
    sys.exit(said)


def ask(connection: socket.socket, subject: str, request: dict[str, Any]) -> None:
    """Ask the server for something of its own, and wait until that is done."""
    body = json.dumps(request)
    connection.sendall(f"PUB $JS.API.{subject} answers {len(body)}\r\n{body}\r\n".encode())
    answer = b""
    while b"\r\n" not in answer.partition(b"MSG answers")[2].partition(b"\r\n")[2]:
        answer += connection.recv(65536)
    if b'"error"' in answer:
        sys.exit(answer.decode())


def main() -> None:
    """Start it, tell the port, and end with it."""
    Path("nats.conf").write_text(CONFIG, encoding="utf-8")
    server = subprocess.Popen([sys.argv[1], "-c", "nats.conf"], stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    output = iter(server.stderr or ())
    clients, web = ports(output)
    with socket.create_connection(("127.0.0.1", clients), SECONDS) as connection:
        connection.sendall(b'CONNECT {"verbose":false}\r\nSUB answers 1\r\n')
        ask(connection, "STREAM.CREATE.chat", STREAM)
        ask(connection, "CONSUMER.DURABLE.CREATE.chat.all", CONSUMER)
    print(f"listening {web}", flush=True)
    for _ in output:
        pass
    sys.exit(server.wait())


if __name__ == "__main__":
    main()
