"""The parts of the benchmark of deliveries: peers, servers, the load, the scenarios, the report."""
