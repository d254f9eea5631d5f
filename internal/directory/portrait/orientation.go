package portrait

import (
	"encoding/binary"
	"image"
)

// turn is how a camera was held: EXIF's orientation, 1 to 8 (Exif 2.32, tag 0x0112). Telephones keep the picture as the sensor lies
// and write the turn beside it, so that dropping EXIF alone would lay people on their side.
type turn int

const upright turn = 1

// up is the direction, in the picture as it is kept, in which the top of what is seen lies.
func (t turn) up() image.Point {
	switch t {
	case 3, 4:
		return image.Pt(0, 1)
	case 5, 6:
		return image.Pt(-1, 0)
	case 7, 8:
		return image.Pt(1, 0)
	}
	return image.Pt(0, -1)
}

// apply puts a square picture upright.
func (t turn) apply(from *image.RGBA) *image.RGBA {
	if t <= upright || t > 8 {
		return from
	}
	last := from.Bounds().Dx() - 1
	out := image.NewRGBA(from.Bounds())
	for y := 0; y <= last; y++ {
		for x := 0; x <= last; x++ {
			fromX, fromY := t.source(x, y, last)
			out.SetRGBA(x, y, from.RGBAAt(fromX, fromY))
		}
	}
	return out
}

// source is where the pixel that belongs to x, y is kept.
func (t turn) source(x, y, last int) (int, int) {
	switch t {
	case 2:
		return last - x, y
	case 3:
		return last - x, last - y
	case 4:
		return x, last - y
	case 5:
		return y, x
	case 6:
		return y, last - x
	case 7:
		return last - y, last - x
	case 8:
		return last - y, x
	}
	return x, y
}

// orientation reads how a JPEG is to be turned; upright where it does not say.
func orientation(photo []byte) turn {
	for at := 2; at+4 <= len(photo) && photo[at] == 0xff; {
		marker, size := photo[at+1], int(binary.BigEndian.Uint16(photo[at+2:]))
		if marker == 0xda || size < 2 || at+2+size > len(photo) { // the picture itself begins
			return upright
		}
		if segment := photo[at+4 : at+2+size]; marker == 0xe1 && len(segment) > 6 && string(segment[:6]) == "Exif\x00\x00" {
			return turnOf(segment[6:])
		}
		at += 2 + size
	}
	return upright
}

// turnOf reads the orientation from a TIFF header and its first directory.
func turnOf(tiff []byte) turn {
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return upright
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			break
		}
		if order.Uint16(entries) == 0x0112 {
			if value := turn(order.Uint16(entries[8:])); value >= upright && value <= 8 {
				return value
			}
			break
		}
		entries = entries[12:]
	}
	return upright
}
