"""One room as its member's program sees it: what was read, what waits to be stored, what happens there."""
