"""The gRPC interface: `chat.proto`, the code generated from it (`make proto`), and `words`, which turns words into it."""
