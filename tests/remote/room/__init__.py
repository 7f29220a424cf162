"""What is known of one room, without a connection."""
