"""What the terminal keeps on disk."""
