"""What the benchmark of deliveries is made of: peers, servers, the load, the scenarios, the report."""
