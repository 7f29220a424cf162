"""Those who are here now: `shared_presence`.

The nodes tell each other of them by `gossip`, in `gossip_frames`; `elsewhere` is who is where by it, and `liveness` which nodes are alive; all but `gossip` are pure. `names_in_use` has `leases` of
names, pure, which are kept in a bucket. `device_links` asks other nodes for theirs; `read_marks` are merged.
"""
