#!/bin/sh
# Make the virtual environment that everything runs in: make_venv.sh PYTHON VENV REQUIREMENTS
set -eu
python=$1 venv=$2 requirements=$3

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "besedka needs Python 3.11 or newer; '$python' is $("$python" -V 2>/dev/null || echo missing)." >&2
    echo "Name another one: make run PYTHON=python3.12" >&2
    exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "'$python' lacks the module venv; on Debian and Ubuntu: apt install python3-venv" >&2
    exit 1
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip="$venv/bin/python -m pip install --quiet --disable-pip-version-check"
echo "installing into $venv …" >&2
$pip --require-hashes -r "$requirements"
$pip --no-deps --editable .
