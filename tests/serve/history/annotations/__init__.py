"""What entries are about which messages."""
