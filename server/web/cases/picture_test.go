package cases_test

import (
	"bytes"
	"image"
	"image/png"
	"testing"
)

// pictured is a picture as somebody would attach it.
func pictured(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
