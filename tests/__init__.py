"""The tests mirror the tree: `wire`, `serve` and `terminal` prove the parts, `blackbox` and `browser` the whole."""
