package portrait_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/hailong-vn/hailong/internal/directory/portrait"
	"github.com/hailong-vn/hailong/internal/fault"
)

// picture is red at its top left, green at its top right, blue at its bottom left and white at its bottom right.
func picture(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{255, 0, 0, 255}
			switch right, low := x >= width/2, y >= height/2; {
			case right && low:
				c = color.RGBA{255, 255, 255, 255}
			case right:
				c = color.RGBA{0, 255, 0, 255}
			case low:
				c = color.RGBA{0, 0, 255, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// turned is a JPEG with an EXIF orientation, and a place where it was taken.
func turned(photo []byte, orientation uint16, order binary.ByteOrder) []byte {
	mark := "MM"
	if order == binary.ByteOrder(binary.LittleEndian) {
		mark = "II"
	}
	tiff := []byte(mark)
	tiff = order.(binary.AppendByteOrder).AppendUint16(tiff, 42)
	tiff = order.(binary.AppendByteOrder).AppendUint32(tiff, 8)
	tiff = order.(binary.AppendByteOrder).AppendUint16(tiff, 2)
	for _, entry := range [][2]uint16{{0x010f, 7}, {0x0112, orientation}} {
		tiff = order.(binary.AppendByteOrder).AppendUint16(tiff, entry[0])
		tiff = order.(binary.AppendByteOrder).AppendUint16(tiff, 3)
		tiff = order.(binary.AppendByteOrder).AppendUint32(tiff, 1)
		tiff = order.(binary.AppendByteOrder).AppendUint16(tiff, entry[1])
		tiff = append(tiff, 0, 0)
	}
	segment := append([]byte("Exif\x00\x00"), append(tiff, "21.0278 N SECRET PLACE"...)...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(segment)+2))...)
	return append(append(out, segment...), photo[2:]...)
}

func corners(m image.Image) (out [4]string) {
	side := m.Bounds().Dx()
	for i, p := range []image.Point{{10, 10}, {side - 10, 10}, {10, side - 10}, {side - 10, side - 10}} {
		r, g, b, _ := m.At(p.X, p.Y).RGBA()
		switch {
		case r > 0xc000 && g > 0xc000 && b > 0xc000:
			out[i] = "white"
		case r > 0xc000 && g < 0x4000:
			out[i] = "red"
		case g > 0xc000 && r < 0x4000:
			out[i] = "green"
		case b > 0xc000 && r < 0x4000:
			out[i] = "blue"
		}
	}
	return out
}

func TestMake(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 700, 500))
	for name, c := range map[string]struct {
		photo []byte
		side  int
	}{
		"a JPEG": {jpegOf(t, picture(800, 600)), 480}, "a tall PNG": {pngOf(t, picture(500, 1201)), 480}, "one that is just so large": {pngOf(t, picture(480, 480)), 480},
		"a small one stays small": {pngOf(t, picture(100, 120)), 100}, "481 pixels": {pngOf(t, picture(481, 481)), 480}, "grey": {pngOf(t, gray), 480},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := portrait.Make(c.photo)
			if err != nil {
				t.Fatal(err)
			}
			config, format, err := image.DecodeConfig(bytes.NewReader(made))
			if err != nil || format != "jpeg" || config.Width != c.side || config.Height != c.side {
				t.Errorf("made %s %dx%d, %v", format, config.Width, config.Height, err)
			}
		})
	}
}

func TestPeopleStandUpright(t *testing.T) {
	photo := jpegOf(t, picture(200, 200))
	for orientation, want := range map[uint16][4]string{
		0: {"red", "green", "blue", "white"}, 1: {"red", "green", "blue", "white"}, 2: {"green", "red", "white", "blue"}, 3: {"white", "blue", "green", "red"},
		4: {"blue", "white", "red", "green"}, 5: {"red", "blue", "green", "white"}, 6: {"blue", "red", "white", "green"}, 7: {"white", "green", "blue", "red"},
		8: {"green", "white", "red", "blue"}, 9: {"red", "green", "blue", "white"},
	} {
		for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
			made, err := portrait.Make(turned(photo, orientation, order))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(made, []byte("SECRET")) || bytes.Contains(made, []byte("Exif")) {
				t.Error("what the camera wrote is still there")
			}
			m, err := jpeg.Decode(bytes.NewReader(made))
			if err != nil {
				t.Fatal(err)
			}
			if got := corners(m); got != want {
				t.Errorf("orientation %d, %s: %v, want %v", orientation, order, got, want)
			}
		}
	}
}

// TestAFaceStaysInThePicture: of a tall picture the upper part is kept, however the camera was held.
func TestAFaceStaysInThePicture(t *testing.T) {
	tall := image.NewRGBA(image.Rect(0, 0, 600, 1000)) // 400 too high; the face is between 150 and 350
	for y := range 1000 {
		for x := range 600 {
			tall.SetRGBA(x, y, color.RGBA{255, 255, 255, 255})
			if y >= 150 && y < 350 {
				tall.SetRGBA(x, y, color.RGBA{0, 0, 255, 255})
			}
		}
	}
	wide := image.NewRGBA(image.Rect(0, 0, 1000, 600)) // the same, as a sensor held upright keeps it: up is to the left
	for y := range 600 {
		for x := range 1000 {
			wide.Set(x, y, tall.At(599-y, x))
		}
	}
	for name, photo := range map[string][]byte{"as it is": pngOf(t, tall), "turned": turned(jpegOf(t, wide), 6, binary.BigEndian)} {
		made, err := portrait.Make(photo)
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.Decode(bytes.NewReader(made))
		if err != nil {
			t.Fatal(err)
		}
		for y, want := range map[int]bool{20: false, 60: true, 180: true, 240: false, 470: false} { // 100 above are cut, then 600 become 480
			r, _, b, _ := m.At(240, y).RGBA()
			if blue := b > 0xc000 && r < 0x4000; blue != want {
				t.Errorf("%s: the face at row %d: %v", name, y, blue)
			}
		}
	}
}

func TestTransparentIsWhite(t *testing.T) {
	made, err := portrait.Make(pngOf(t, image.NewNRGBA(image.Rect(0, 0, 200, 200))))
	if err != nil {
		t.Fatal(err)
	}
	m, err := jpeg.Decode(bytes.NewReader(made))
	if err != nil {
		t.Fatal(err)
	}
	if got := corners(m); got != [4]string{"white", "white", "white", "white"} {
		t.Errorf("got %v", got)
	}
}

// huge is the head of a PNG that says it is very large; there is no picture behind it.
func huge(width, height uint32, depth, kind byte) []byte {
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(nil, width)...)
	head = append(binary.BigEndian.AppendUint32(head, height), depth, kind, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	return append(append(out, head...), binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(head))...)
}

func TestWhatIsNoPhoto(t *testing.T) {
	var moving bytes.Buffer
	if err := gif.Encode(&moving, picture(200, 200), nil); err != nil {
		t.Fatal(err)
	}
	good := jpegOf(t, picture(600, 600))
	for name, c := range map[string]struct {
		photo []byte
		want  string
	}{
		"words": {[]byte("<script>alert(1)</script>"), "portrait_kind"}, "a GIF": {moving.Bytes(), "portrait_kind"}, "a PDF": {[]byte("%PDF-1.7"), "portrait_kind"},
		"a file of 5 MB and a byte": {make([]byte, portrait.MaxBytes+1), "portrait_bytes"}, "a billion pixels": {huge(40_000, 40_000, 8, 6), "portrait_pixels"},
		"41 million": {huge(6_450, 6_450, 8, 2), "portrait_pixels"}, "21 million of 16 bits": {huge(4_600, 4_600, 16, 6), "portrait_pixels"},
		"narrow": {pngOf(t, picture(2000, 95)), "portrait_small"}, "cut off": {good[:len(good)/2], "portrait_broken"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := portrait.Make(c.photo); !fault.Is(err, fault.Invalid) || fault.Of(err).Reason != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func FuzzMake(f *testing.F) {
	photo := jpegOf(f, picture(128, 96))
	f.Add(photo)
	f.Add(turned(photo, 6, binary.LittleEndian))
	f.Add(pngOf(f, picture(96, 128)))
	f.Fuzz(func(t *testing.T, photo []byte) {
		if made, err := portrait.Make(photo); err == nil {
			if _, err := jpeg.DecodeConfig(bytes.NewReader(made)); err != nil {
				t.Error(err)
			}
		}
	})
}
