"""The doors: each speaks one protocol to the outside and knows the chat inside; no door knows another.

`http`, `websocket` and `grpc` are the chat's doors, `admin` the operator's. What they share: `listener` and `unix_sockets` open sockets,
`tls` performs handshakes, `timeouts` has the deadlines for clients, `buffers` what waits for them in memory, `forwarded` finds the client
behind a proxy, `client_name` which program it says it is; `hosts`, `origin` and `base_path` say under which names, from which pages and below which path the chat is reached.
"""
