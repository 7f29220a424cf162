#!/bin/sh
# Some proofs need a program that is not everywhere: strace, tmux, nginx, caddy, those that make file systems. Get it where we may
# (Debian; to install it, root); else print what leaves the proof out, and say so.
set -eu

get() {
    command -v "$1" >/dev/null && return
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return
    { apt-get update -qq && apt-get install -y -qq "$2"; } >&2
}

needs() {
    get "$1" "$1" && return
    echo "left out, as the README allows: the proof with $1, which is not installed" >&2
    echo "--deselect $2"
}

# Firefox has a verb of its own: `make firefox`.
echo "--ignore tests/firefox"
# So have the long runs against a cluster: `make torture-cluster`.
echo "--ignore tests/torture/cluster"

needs strace tests/torture/test_promises.py::test_nothing_is_delivered_before_the_sync_that_covers_it_has_returned
needs strace tests/torture/test_cluster.py::test_no_node_delivers_before_its_own_sync
needs strace tests/torture/test_redactions.py
needs tmux tests/terminal/test_in_tmux.py::test_a_long_line_stays_one_line_when_the_window_changes

behind() {
    [ -n "$(sh "$(dirname "$0")/find_proxy.sh" "$1")" ] && return
    echo "left out, as the README allows: the proofs behind $1, which is not installed" >&2
    shift
    for test; do echo "--deselect $test"; done
}

behind nginx tests/proxies/test_nginx.py \
    tests/browser/test_below_a_path.py::test_behind_nginx_with_tls_all_that_the_page_asks_for_is_below_its_path
behind caddy tests/proxies/test_caddy.py

cuts_power() {
    # Without root nothing can be mounted, so nothing needs to be got.
    if [ "$(id -u)" = 0 ]; then
        for pair in mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs mkfs.btrfs:btrfs-progs fusermount3:fuse3; do
            get "${pair%%:*}" "${pair##*:}" || true
        done
    fi
    missing=$("$(dirname "$0")/../.venv/bin/python" -m tests.torture.disk.namespace 2>&1) && return
    echo "left out, as the README allows: power cuts of a real file system, which need root, FUSE and loop devices: $missing" >&2
    echo "--deselect $1"
}

cuts_power tests/torture/test_power_cuts.py
