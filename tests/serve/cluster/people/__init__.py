"""People, names and rights that all nodes share."""
