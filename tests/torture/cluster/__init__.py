"""Long runs against a whole cluster, and figures of it: `make torture-cluster`."""
