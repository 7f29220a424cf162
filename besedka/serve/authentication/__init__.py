"""What guards the port: `keys` says who has an access key, and is pure; `key_file` is the file in which the keys stand."""
