#!/bin/sh
# Run the Autobahn test suite against the WebSocket door: conformance.sh PYTHON [PORT]
# The suite is written for Python 2.7; what it needs is kept in .cache/conformance.
set -eu
python=$1 port=${2:-0}
cache=.cache/conformance
suite=tests/conformance/requirements-py27.txt virtualenv=tests/conformance/requirements-virtualenv.txt

find_python27() {
    # What is called python2.7 may be a shim of pyenv that leads nowhere: only what runs counts.
    for candidate in python2.7 "$(pyenv root 2>/dev/null || echo "${HOME:-}/.pyenv")"/versions/2.7*/bin/python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (2, 7))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "the Autobahn test suite needs Python 2.7, and there is none on PATH or in pyenv (pyenv install 2.7.18)" >&2
    return 1
}

if ! cat "$suite" "$virtualenv" | cmp -s - "$cache/py27/made-from" || ! "$cache/py27/bin/python" -c '' 2>/dev/null; then
    python27=$(find_python27)
    echo "installing the Autobahn test suite into $cache …" >&2
    rm -rf "$cache/py27" "$cache/virtualenv"
    pip="-m pip install --quiet --disable-pip-version-check --require-hashes --no-deps"
    "$python" $pip --target "$cache/virtualenv" -r "$virtualenv"
    PYTHONPATH=$cache/virtualenv "$python27" -m virtualenv --quiet --no-download "$cache/py27"
    "$cache/py27/bin/python" $pip --no-python-version-warning -r "$suite"
    cat "$suite" "$virtualenv" >"$cache/py27/made-from"
fi
exec "$python" -m tests.conformance "$cache" "$port"
