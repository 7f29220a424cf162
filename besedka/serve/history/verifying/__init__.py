"""Whether a log is as it was written: `comparison` compares it with its index, `verdict` is the report of ``besedka verify``."""
