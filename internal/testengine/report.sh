#!/bin/sh
# Says which engines the tests will run against, so that nobody takes a skipped suite for one that passed.
set -eu

engines=$(cd "$(dirname "$0")/../.." && pwd)/.cache/engines

line() { printf '  %-9s %s\n' "$1" "$2"; }
missing() {
	case ",${HAILONG_REQUIRE:-}," in
	*",$1,"*) line "$1" "MISSING, and required by HAILONG_REQUIRE: its suites will fail" ;;
	*) line "$1" "missing: its suites are SKIPPED (make engines says what to install)" ;;
	esac
}
of() { "$1" --version 2>/dev/null | head -n 1; }

echo "The tests run against:"
line sqlite "built in"
if [ -n "${HAILONG_TEST_MONGODB_URI:-}" ]; then
	line mongodb "the server of HAILONG_TEST_MONGODB_URI; fault tests on a mongod of their own"
elif path=$(command -v mongod) || { path=$engines/mongod && [ -x "$path" ]; }; then
	line mongodb "$(of "$path"), $path"
else
	missing mongodb
fi
if path=$(command -v redis-server); then
	line redis "$(of "$path" | cut -d ' ' -f 1-3), $path"
else
	missing redis
fi
if path=$(command -v chromium || command -v chromium-browser || command -v google-chrome); then
	line chromium "$(of "$path" | cut -d ' ' -f 1-2), $path"
else
	missing chromium
fi
if path=$engines/axe.min.js && [ -f "$path" ]; then
	line axe-core "$(sed -n '1s/.*axe v\([0-9.]*\).*/\1/p' "$path"), $path"
else
	case ",${HAILONG_REQUIRE:-}," in
	*,chromium,*) line axe-core "MISSING, and required by HAILONG_REQUIRE (chromium): tests of accessible pages will fail" ;;
	*) line axe-core "missing: tests of accessible pages are SKIPPED (make engines fetches it with npm)" ;;
	esac
fi
