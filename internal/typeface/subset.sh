#!/bin/sh
# Makes the web fonts again: Noto Sans (SIL Open Font Licence 1.1, see OFL.txt), only Latin and Vietnamese.
# Needs Debian's fonts-noto-core and Python's fonttools and brotli.
set -eu
cd "$(dirname "$0")"
for weight in Regular Bold; do
	pyftsubset "/usr/share/fonts/truetype/noto/NotoSans-$weight.ttf" \
		--unicodes='U+0020-007E,U+00A0-00FF,U+0102-0103,U+0110-0111,U+0128-0129,U+0168-0169,U+01A0-01A1,U+01AF-01B0,U+0300-0301,U+0303,U+0309,U+0323,U+1EA0-1EF9,U+2010-2015,U+2018-201F,U+2022,U+2026,U+2030,U+20AB,U+2190-2193,U+2212,U+2248,U+2260,U+2264-2265' \
		--layout-features='kern,mark,mkmk,ccmp,locl,tnum,liga' --no-hinting --desubroutinize \
		--flavor=woff2 --output-file="noto-sans-$(printf %s "$weight" | tr A-Z a-z).woff2"
done
