"""Which entries of a log are about which messages of it: annotations, and replies.

`resolving` finds out which message a line is about, and `annotation_file` keeps that, so that a page needs not read the log for it. `folding` says what has become of
messages by the lines about them. `annotations` has all of that of one log, and `path` the file's name.
"""
