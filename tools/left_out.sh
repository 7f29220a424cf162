#!/bin/sh
# Three proofs need a program that is not everywhere: strace, tmux. Get it where we may (Debian, root); else print what leaves
# the proof out, and say so.
set -eu

needs() {
    command -v "$1" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        { apt-get update -qq && apt-get install -y -qq "$1"; } >&2 && return
    fi
    echo "left out, as the README allows: the proof with $1, which is not installed" >&2
    echo "--deselect $2"
}

needs strace tests/torture/test_promises.py::test_nothing_is_told_before_the_sync_that_covers_it_has_returned
needs strace tests/torture/test_redactions.py
needs tmux tests/terminal/test_in_tmux.py::test_a_long_line_stays_one_line_when_the_window_changes
