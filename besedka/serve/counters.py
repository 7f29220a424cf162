"""What the server has done since its start, counted where it happens. Pure; `besedka.serve.metrics` shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Plain numbers, because adding to them is done for each batch and each frame.

    Attributes:
        messages: stored.
        deliveries: messages handed to readers, live or by pages.
        pages: pages of the log handed to readers who were behind.
        searches: answers to those who searched a log.
        fell_behind: how often a live reader's socket was full.
        bytes_received: from WebSocket clients, after their handshake.
        bytes_told: of frames handed to sockets.
        connections: WebSocket connections that were opened.
    """

    messages: int = 0
    deliveries: int = 0
    pages: int = 0
    searches: int = 0
    fell_behind: int = 0
    bytes_received: int = 0
    bytes_told: int = 0
    connections: int = 0
