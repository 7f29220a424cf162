"""Faults that are made on purpose, and the checker that finds what they lost, doubled or forged.

`make test` runs a slice of each; `make torture` (BESEDKA_TORTURE=1) runs the long version.
"""
