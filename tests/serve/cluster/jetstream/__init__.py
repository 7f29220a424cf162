"""NATS, as a node uses it."""
