#!/bin/sh
# Makes the fonts of signed papers: Noto Serif (Debian package fonts-noto-core, licence in OFL.txt), cut down to what
# Vietnamese and its Latin neighbours need. Run it in this folder; it needs pyftsubset (Python package fonttools).
# Hinting and layout tables go, because paper needs neither. The list of characters is the same as covered() in
# clean.go; a test compares them.
set -eu
from=${NOTO:-/usr/share/fonts/truetype/noto}
for weight in Regular Bold Italic BoldItalic; do
	pyftsubset "$from/NotoSerif-$weight.ttf" \
		--unicodes='U+0020-007E,U+00A0-017F,U+01A0-01A1,U+01AF-01B0,U+1EA0-1EF9,U+2010-2014,U+2018-201A,U+201C-201E,U+2020-2022,U+2026,U+2030,U+2032-2033,U+2039-203A,U+20AB-20AC,U+2116,U+2122,U+FFFD' \
		--no-hinting --layout-features='' --drop-tables+=GSUB,GPOS,GDEF,DSIG,STAT \
		--name-IDs='*' --no-recalc-timestamp --output-file="NotoSerif-$weight.ttf"
done
