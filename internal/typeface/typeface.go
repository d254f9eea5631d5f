// Package typeface is the type of every screen, the server's pages and the kiosk's: two weights of Noto Sans (SIL Open Font
// Licence 1.1, see OFL.txt), cut down to Latin and Vietnamese by subset.sh.
package typeface

import "embed"

//go:embed noto-sans-regular.woff2 noto-sans-bold.woff2
var files embed.FS

// Names are the files, as a style sheet names them.
func Names() []string { return []string{"noto-sans-regular.woff2", "noto-sans-bold.woff2"} }

// Read is the WOFF2 file of one of Names.
func Read(name string) ([]byte, error) { return files.ReadFile(name) }
