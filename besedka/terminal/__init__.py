"""The terminal client, and the connection to a chat that it is built on."""
