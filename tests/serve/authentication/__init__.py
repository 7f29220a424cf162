"""What guards the port."""
