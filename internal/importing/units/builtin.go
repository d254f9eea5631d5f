package unitimport

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // the list
	"io"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/localday"
)

// The official list of Vietnam's units since the reform of 2025: 34 provinces and 3,321 communes. Facts of Decision
// 19/2025/QĐ-TTg; see data/README.md.
//
//go:embed data/units-2025.csv.gz
var builtIn []byte

// What the built-in list is.
const (
	BuiltInFrom    = localday.Day("2025-07-01")
	BuiltInEdition = "2025"
)

// BuiltIn is the official list as a CSV file.
func BuiltIn() (io.Reader, error) { return gzip.NewReader(bytes.NewReader(builtIn)) }

// ImportBuiltIn imports the official list; again it changes nothing.
func ImportBuiltIn(ctx context.Context, d *directory.Directory, progress func(done, total int)) (Summary, error) {
	list, err := BuiltIn()
	if err != nil {
		return Summary{}, err
	}
	return Import(ctx, d, list, Options{ValidFrom: BuiltInFrom, Edition: BuiltInEdition, Progress: progress})
}
