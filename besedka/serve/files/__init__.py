"""Files on the disk, below everything that keeps something in one: how they are opened, locked, read and synced, and whose they are.

`descriptor` opens, locks and writes; `ownership` looks at owner and mode.
"""
