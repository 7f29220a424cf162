"""The chat as it runs."""

from besedka.serve.chat.chat import Chat

__all__ = ["Chat"]
