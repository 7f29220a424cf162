#!/bin/sh
# Fetches axe-core, which tells what hinders people with screen readers and the like, into .cache, and prints where it is.
set -eu

version=4.14.1
sha512='FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=='
cache=$(dirname "$0")/../.cache/axe
file=$cache/axe-$version.min.js

if [ ! -e "$file" ]; then
    mkdir -p "$cache"
    # npm comes with the node of requirements/dev.txt.
    bin=$(cd "$(dirname "$0")/../.venv/bin" && pwd)
    (cd "$cache" && PATH="$bin:$PATH" npm pack --silent "axe-core@$version" >/dev/null)
    archive=$cache/axe-core-$version.tgz
    found=$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)
    if [ "$found" != "$sha512" ]; then
        rm "$archive"
        echo "axe-core $version is not what it was: $found" >&2
        exit 1
    fi
    tar -xzOf "$archive" package/axe.min.js >"$file.new"
    mv "$file.new" "$file"
    rm "$archive"
fi
echo "$file"
