"""The gRPC interface: `chat.proto`, the code generated from it (`make proto`), and `frames`, which turns frames into messages and back.

`elements` counts what a message holds before it is parsed.
"""
