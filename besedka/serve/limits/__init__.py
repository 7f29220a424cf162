"""Limits, and the share that each source has of them.

`networks` says which addresses count as one, `sources` how many connections each has, `rate_limits` what these may send, and `room_shares` how
many rooms each may hold; `held_bytes` bounds the memory for each. `token_bucket` is the measure; `descriptors` are for all.
"""
