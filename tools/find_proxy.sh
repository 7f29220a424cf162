#!/bin/sh
# Prints where a reverse proxy is: find_proxy.sh nginx|caddy. Where there is none: on Debian it is unpacked into .cache and not
# installed, because its package would start a server on port 80; elsewhere nothing is printed.
set -eu

name=$1
PATH=$PATH:/usr/sbin
command -v "$name" && exit

cache=$(cd "$(dirname "$0")/.." && pwd)/.cache/$name
found=$(find "$cache" -type f -path "*bin/$name" 2>/dev/null || true)
if [ -z "$found" ] && command -v apt-get >/dev/null; then
    mkdir -p "$cache"
    {
        if [ "$(id -u)" = 0 ]; then apt-get update -qq; fi
        (cd "$cache" && apt-get download -qq "$name" && dpkg-deb -x "$name"_*.deb . && rm "$name"_*.deb)
    } >&2 || exit 0
    found=$(find "$cache" -type f -path "*bin/$name")
fi
# It may lack a library that only an installation would bring.
if [ -n "$found" ] && { "$found" -v || "$found" version; } >/dev/null 2>&1; then echo "$found"; fi
