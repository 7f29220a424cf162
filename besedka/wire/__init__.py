"""The protocol that every door and every client speaks.

Pure: nothing in here opens a socket or a file, reads a clock, writes a log, or imports another part of Besedka.
"""
