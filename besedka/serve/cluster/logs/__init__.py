"""Logs that the cluster does not have: `taking_over` those of a new node, and `restoring` a stream that was lost, of the `lost_messages` that are in them."""
