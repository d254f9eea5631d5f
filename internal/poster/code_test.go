package poster

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

// scan reads the one code of a picture, as a telephone would.
func scan(picture image.Image) (string, error) {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", err
	}
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_CHARACTER_SET: "UTF-8",
	})
	if err != nil {
		return "", err
	}
	return read.GetText(), nil
}

func scanPNG(data []byte) (string, error) {
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	text, err := scan(picture)
	if err == nil {
		return text, nil
	}
	// The reader's guess at the grid fails for a few small codes, as one frame of a camera may. A clean picture needs no
	// guess: the modules are read where they are.
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", err
	}
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_PURE_BARCODE: true, gozxing.DecodeHintType_CHARACTER_SET: "UTF-8",
	})
	if err != nil {
		return "", err
	}
	return read.GetText(), nil
}

func TestCodeReadsBack(t *testing.T) {
	texts := rapid.OneOf(
		rapid.SampledFrom([]string{"+0", "-12", "12+", " 1", "0", "00", "A", "a", "HTTPS://HL.GOV.VN/R/1"}),
		rapid.StringMatching(`https://[a-z]{1,20}\.gov\.vn/r/[A-Za-z0-9-]{1,150}`),
		rapid.StringMatching(`[0-9]{1,60}`), rapid.StringMatching(`[A-Z0-9 $%*+./:-]{1,60}`),
		rapid.StringOfN(rapid.RuneFrom([]rune("Đánh giá phường Bến Nghé ễẪ😀")), 1, 200, -1),
		rapid.StringMatching(`[ -~]{1,300}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Draw(t, "text")
		code, err := QR(text)
		if err != nil {
			t.Fatal(err)
		}
		data, err := code.PNG(rapid.IntRange(2, 6).Draw(t, "pixels"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := scanPNG(data); err != nil || got != text {
			t.Fatalf("read %q, %v; want %q", got, err, text)
		}
	})
}

// The outlines are what SVG and PDF fill: filled by the non-zero rule they must be the modules, none more or less.
func TestOutlinesAreTheModules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 12).Draw(t, "size")
		code := Code{size: size, dark: rapid.SliceOfN(rapid.Bool(), size*size, size*size).Draw(t, "dark")}
		outlines := code.outlines()
		for y := range size {
			for x := range size {
				winding := 0 // of the module's centre: edges that a ray to the right crosses
				for _, outline := range outlines {
					for i, a := range outline {
						b := outline[(i+1)%len(outline)]
						if a.X != b.X && a.Y != b.Y {
							t.Fatalf("a slanted edge %v to %v", a, b)
						}
						if a.X > x && a.Y <= y && b.Y > y {
							winding++
						}
						if a.X > x && b.Y <= y && a.Y > y {
							winding--
						}
					}
				}
				if want := code.Dark(x, y); (winding != 0) != want {
					t.Fatalf("module %d,%d is filled %d times, dark is %v", x, y, winding, want)
				}
			}
		}
	})
}

func TestCodeHasQuietZoneAndCorrection(t *testing.T) {
	code, err := QR("https://hl.gov.vn/r/1")
	if err != nil {
		t.Fatal(err)
	}
	data, err := code.PNG(1)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	side := picture.Bounds().Dx()
	if side != code.Size()+8 {
		t.Errorf("%d pixels for %d modules", side, code.Size())
	}
	for y := range side {
		for x := range side {
			border := x < 4 || y < 4 || x >= side-4 || y >= side-4
			if gray, _, _, _ := picture.At(x, y).RGBA(); border && gray != 0xFFFF {
				t.Fatalf("quiet zone is dark at %d,%d", x, y)
			}
		}
	}
	// A smudge over the middle of the code, 3 modules wide, is repaired.
	for y := -1; y <= 1; y++ {
		for x := -1; x <= 1; x++ {
			code.dark[(code.size/2+y)*code.size+code.size/2+x] = true
		}
	}
	data, err = code.PNG(4)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := scanPNG(data); err != nil || got != "https://hl.gov.vn/r/1" {
		t.Errorf("smudged: %q, %v", got, err)
	}
}

func TestSVG(t *testing.T) {
	code, err := QR("https://hl.gov.vn/r/1")
	if err != nil {
		t.Fatal(err)
	}
	svg := string(code.SVG(`Quầy 1 </title><script>alert("1")</script>`))
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if element, ok := token.(xml.StartElement); ok {
			if element.Name.Local == "script" {
				t.Error("the title became markup")
			}
			for _, attribute := range element.Attr {
				if attribute.Name.Local == "style" {
					t.Error("a style attribute, which the pages' policy forbids")
				}
			}
		}
	}
	for _, want := range []string{`role="img"`, `viewBox="0 0 ` + fmt.Sprint(code.Size()+8), `<title>Quầy 1 &lt;/title&gt;`} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in %s", want, svg[:300])
		}
	}
}

func TestCodeRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, reason string }{
		"empty": {"", "poster_code_unreadable"}, "not UTF-8": {"a\xff", "poster_code_unreadable"},
		"too long": {strings.Repeat("a", 2400), "poster_code_long"},
	} {
		_, err := QR(c.text)
		if err == nil || fault.Of(err).Reason != c.reason || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if words := language.Vietnamese.Text("fault." + c.reason); strings.HasPrefix(words, "fault.") {
			t.Errorf("%s has no words", c.reason)
		}
	}
}
