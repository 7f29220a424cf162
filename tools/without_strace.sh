#!/bin/sh
# One proof runs the server under strace. Get strace where we may (Debian, root); else print what leaves that proof out.
set -eu
command -v strace >/dev/null && exit
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && apt-get install -y -qq strace; } >&2 && exit
fi
echo "left out, as the README allows: the proof under strace, which is not installed" >&2
echo "--deselect tests/torture/test_promises.py::test_nothing_is_told_before_the_sync_that_covers_it_has_returned"
