"""A cluster: several nodes with one order, which a stream of NATS decides.

A `node` is this server among the others; its `checkpoint` remembers how far its logs are. It keeps what it shares in `jetstream`: the `order` of messages, and the `people`, their names and rights. Of `presence`, who
is here now, the nodes tell each other directly. `logs` that the cluster does not have come from a new node, or restore a stream that was lost. `health` is for those who look at a cluster from outside, and
`errors` are what happens.

Only the server imports it, and only with ``--cluster``: on one machine NATS is never imported.
"""
