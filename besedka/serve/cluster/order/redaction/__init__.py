"""Redaction on all nodes: the `redactions` that are `wanted` are ordered, after `locating` their entries, and the text is taken out of the stream by `replacing` the entry by a `fixed` one."""
