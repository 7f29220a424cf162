"""A cluster: several nodes with one order, which a stream of NATS decides.

A `node` is this server among the others. Its `sequencer` offers what is posted here and gives the committer what all have posted, in the order of the `stream`, which a `consumer` receives over the `connection`. `entry` is
the form of what is in the stream, and `room_order` the rules of compare-and-set for a room, both pure; `batches` are entries as the committer takes them, and `room_state` is what is known of a room. `reach` says how long the stream is waited for.

`redactions` are a part of the order: those that are `wanted` are ordered, after `locating` their entries, and the text is taken out of the stream by `replacing` the entry by a `fixed` one.

`shared_people` are names, rooms, rights and the audit log, which all nodes share over the `people_stream`, whose messages are `people_entry`.

`taking_over` gives the cluster the logs of a new node. `checkpoint` remembers how far the logs are, and `servers` are those of NATS. `restoring` makes a stream anew that was lost, of the `lost_messages` that are in the logs, and `health` is for
those who look at a cluster from outside.

`presence` shares who is present. Of that the nodes tell each other by `gossip`, in `gossip_frames`; `elsewhere` is who is where by it, and `liveness` which nodes are alive; all but `gossip` are pure. `names_in_use`
has `leases` of names, pure, which are kept in a `bucket` of JetStream. `device_links` asks other nodes for theirs; `read_marks` are merged.

Only the server imports it, and only with ``--cluster``: on one machine NATS is never imported.
"""
