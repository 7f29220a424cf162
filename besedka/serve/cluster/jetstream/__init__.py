"""NATS, as a node uses it: a `connection` to one of its `servers` with the `signs` that a stream can be reached, the `stream` that decides the order, the `consumer` that receives it, and a `bucket` of values.

Nothing here knows what the entries mean.
"""
