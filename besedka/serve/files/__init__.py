"""Files on the disk, below everything that keeps something in one: how they are opened, locked, read and synced, and whose they are.

`descriptor` opens, locks and writes, `file_system` syncs many at once, `ext4_journal` watches over it; `ownership` warns of owners and modes; `trust` refuses files that somebody else could have
written, where they decide who may do what.
"""
