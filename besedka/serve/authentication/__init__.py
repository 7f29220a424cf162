"""Authentication by access key: `keys` checks keys, and is pure; `key_file` reads and watches their file."""
