"""Counters since the server's start, incremented where it happens. Pure; `besedka.serve.metrics` shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Plain numbers, because adding to them is done for each batch and each frame.

    Attributes:
        messages: stored.
        deliveries: messages delivered to subscribers, live or by pages.
        pages: pages of the log sent to subscribers that were behind.
        searches: answers to searches.
        fell_behind: how often a live subscriber's socket was full.
        bytes_received: from WebSocket clients, after their handshake.
        bytes_told: of frames written to sockets; named as the metric, which is a contract.
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
