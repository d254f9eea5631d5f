package directory_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

func photo(t testing.TB, shade uint8) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 120, 160))
	for i := range m.Pix {
		m.Pix[i] = shade
	}
	m.SetGray(0, 0, color.Gray{Y: 255 - shade})
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPhotosAndNumbersOfOfficials(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		d := open(t, engine)
		create(t, d, "u", commune("u", ""))
		made, err := d.CreateOfficial(t.Context(), directory.Official{ID: "lan", UnitID: "u", Name: "Trần Thị Lan"})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = d.Photo(t.Context(), "lan")
		wantFault(t, err, fault.NotFound, "directory_photo_missing")
		_, _, err = d.Photo(t.Context(), "nobody")
		wantFault(t, err, fault.NotFound, "directory_official_missing")
		_, err = d.SetPhoto(t.Context(), "nobody", photo(t, 1))
		wantFault(t, err, fault.NotFound, "directory_official_missing")
		_, err = d.SetPhoto(t.Context(), "lan", []byte("không phải ảnh"))
		wantFault(t, err, fault.Invalid, "portrait_kind")

		first, err := d.SetPhoto(t.Context(), "lan", photo(t, 10))
		if err != nil || first.Photo == "" || first.Proto().GetPhotoVersion() != first.Photo {
			t.Fatal(first, err)
		}
		same, err := d.SetPhoto(t.Context(), "lan", photo(t, 10))
		if err != nil || same.Photo != first.Photo {
			t.Fatalf("the same photo again: %v %v", same, err)
		}
		second, err := d.SetPhoto(t.Context(), "lan", photo(t, 200))
		if err != nil || second.Photo == first.Photo {
			t.Fatal(second, err)
		}
		if jpeg, version, err := d.Photo(t.Context(), "lan"); err != nil || version != second.Photo || !bytes.HasPrefix(jpeg, []byte{0xff, 0xd8}) {
			t.Errorf("%d bytes, %q, %v", len(jpeg), version, err)
		}
		if _, err := engine.Blobs().Open(t.Context(), "officials/lan/"+first.Photo); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the photo before is still kept: %v", err)
		}

		pinned, err := d.SetPIN(t.Context(), "lan", "$argon2id$…")
		if err != nil || !pinned.Proto().GetHasPin() || pinned.Photo != second.Photo {
			t.Errorf("%v %v", pinned, err)
		}
		// A form sent twice, and a change of the name, leave both as they are.
		if again, err := d.CreateOfficial(t.Context(), made); err != nil || again.Photo != second.Photo || again.PINHash == "" {
			t.Errorf("made again: %v %v", again, err)
		}
		if renamed, err := d.ChangeOfficial(t.Context(), directory.Official{ID: "lan", Name: "Trần Thị Lan Anh"}); err != nil || renamed.Photo != second.Photo || renamed.PINHash == "" {
			t.Errorf("renamed: %v %v", renamed, err)
		}
		if list := d.OfficialsOf("u"); len(list) != 1 || list[0].PINHash == "" || len(d.OfficialsOf("v")) != 0 {
			t.Errorf("of the unit: %v", list)
		}
		// Another process reads both.
		if o, ok := open(t, engine).Official("lan"); !ok || o.Photo != second.Photo || o.PINHash == "" {
			t.Errorf("opened again: %v", o)
		}

		if closed, err := d.CloseOfficial(t.Context(), "lan"); err != nil || closed.Open() || closed.Photo != "" || closed.PINHash != "" {
			t.Errorf("closed: %v %v", closed, err)
		}
		if _, err := engine.Blobs().Open(t.Context(), "officials/lan/"+second.Photo); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the photo of somebody who left is still kept: %v", err)
		}
		_, err = d.SetPhoto(t.Context(), "lan", photo(t, 9))
		wantFault(t, err, fault.Invalid, "directory_official_closed")
		_, err = d.SetPIN(t.Context(), "lan", "$argon2id$…")
		wantFault(t, err, fault.Invalid, "directory_official_closed")
		_, err = d.SetPIN(t.Context(), "nobody", "")
		wantFault(t, err, fault.NotFound, "directory_official_missing")
	})
}

func TestAPhotoIsTakenAway(t *testing.T) {
	d := open(t, openSQLite(t, t.TempDir()))
	create(t, d, "u", commune("u", ""))
	if _, err := d.CreateOfficial(t.Context(), directory.Official{ID: "lan", UnitID: "u", Name: "Lan"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SetPhoto(t.Context(), "lan", photo(t, 10)); err != nil {
		t.Fatal(err)
	}
	if o, err := d.SetPhoto(t.Context(), "lan", nil); err != nil || o.Photo != "" {
		t.Fatal(o, err)
	}
	_, _, err := d.Photo(t.Context(), "lan")
	wantFault(t, err, fault.NotFound, "directory_photo_missing")
}
