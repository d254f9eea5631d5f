// Package portrait makes an official's photo fit to be shown: square, small, upright, and without what a camera writes into it
// (where it was taken, by what, when).
package portrait

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	_ "image/png" // read too
	"slices"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Limits of what is taken.
const (
	MaxBytes  = 5 << 20    // of a file
	MaxPixels = 40_000_000 // of a picture
	MinSide   = 96         // pixels of its shorter side: less is no face
	Side      = 480        // pixels of what is made, at most
)

// maxDecoded bounds the memory a picture takes while it is read: a PNG of 16 bits a colour takes twice what others do.
const maxDecoded = 4 * MaxPixels

const quality = 85

// Make answers the JPEG of a photo, square and at most Side pixels wide. The size is looked at before the picture is read: a small
// file can hold a very large one. Invalid: "portrait_bytes", "portrait_kind" for what is no JPEG or PNG, "portrait_pixels",
// "portrait_small", "portrait_broken".
func Make(photo []byte) ([]byte, error) {
	if len(photo) > MaxBytes {
		return nil, fault.New(fault.Invalid, "portrait_bytes", "limit", MaxBytes>>20)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(photo))
	if err != nil || format != "jpeg" && format != "png" {
		return nil, fault.New(fault.Invalid, "portrait_kind").Because(err)
	}
	pixels := int64(config.Width) * int64(config.Height)
	if pixels > MaxPixels || pixels*bytesOf(config.ColorModel) > maxDecoded {
		return nil, fault.New(fault.Invalid, "portrait_pixels", "limit", MaxPixels/1_000_000)
	}
	if min(config.Width, config.Height) < MinSide {
		return nil, fault.New(fault.Invalid, "portrait_small", "limit", MinSide)
	}
	decoded, _, err := image.Decode(bytes.NewReader(photo))
	if err != nil {
		return nil, fault.New(fault.Invalid, "portrait_broken").Because(err)
	}
	turn := upright
	if format == "jpeg" {
		turn = orientation(photo)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, turn.apply(shrink(decoded, crop(decoded.Bounds(), turn))), &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// bytesOf is how many bytes a pixel takes at most.
func bytesOf(model color.Model) int64 {
	if slices.Contains([]color.Model{color.RGBA64Model, color.NRGBA64Model}, model) {
		return 8
	}
	return 4
}

// crop is the square that is kept: the middle, and of a tall picture rather its upper part, where the face is. What is up is told
// by the turn.
func crop(whole image.Rectangle, turn turn) image.Rectangle {
	side := min(whole.Dx(), whole.Dy())
	corner := image.Pt(whole.Min.X+(whole.Dx()-side)/2, whole.Min.Y+(whole.Dy()-side)/2)
	const part = 4 // of what is left over, a quarter above
	up := turn.up()
	switch spareX, spareY := whole.Dx()-side, whole.Dy()-side; {
	case up.Y < 0:
		corner.Y = whole.Min.Y + spareY/part
	case up.Y > 0:
		corner.Y = whole.Max.Y - side - spareY/part
	case up.X < 0:
		corner.X = whole.Min.X + spareX/part
	case up.X > 0:
		corner.X = whole.Max.X - side - spareX/part
	}
	return image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}
}

// shrink averages the pixels of a square into at most Side x Side, a band of rows at a time, on white where it is transparent.
func shrink(from image.Image, square image.Rectangle) *image.RGBA {
	side := square.Dx()
	small := min(side, Side)
	out := image.NewRGBA(image.Rect(0, 0, small, small))
	band := image.NewRGBA(image.Rect(0, 0, side, side/small+1))
	for y := range small {
		top, bottom := y*side/small, (y+1)*side/small
		rows := image.Rect(0, 0, side, bottom-top)
		draw.Draw(band, rows, image.White, image.Point{}, draw.Src)
		draw.Draw(band, rows, from, square.Min.Add(image.Pt(0, top)), draw.Over)
		for x := range small {
			out.SetRGBA(x, y, average(band, image.Rect(x*side/small, 0, (x+1)*side/small, bottom-top)))
		}
	}
	return out
}

func average(of *image.RGBA, box image.Rectangle) color.RGBA {
	var r, g, b, n int
	for y := box.Min.Y; y < box.Max.Y; y++ {
		row := of.Pix[of.PixOffset(box.Min.X, y):of.PixOffset(box.Max.X, y)]
		for i := 0; i+3 < len(row); i += 4 {
			r, g, b, n = r+int(row[i]), g+int(row[i+1]), b+int(row[i+2]), n+1
		}
	}
	return color.RGBA{R: uint8(r / n), G: uint8(g / n), B: uint8(b / n), A: 255} //nolint:gosec // averages of bytes
}
