"""Opening a log: what of it a crash has left, what its index is worth, and what there is to report.

`loading` opens a log to write or to read, and rereads it after an external edit. `torn_end` has the rules of what is cut off after a
crash, `index_trust` says how many records of the index agree with the log, `old_index` reads the index's first version. `foreign` refuses
files that are no logs; `findings` collects what to report. `leftovers` removes empty logs that a killed server has left.
"""
