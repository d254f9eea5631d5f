package face_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/face"
)

func TestFacesAreTold(t *testing.T) {
	paths := regexp.MustCompile(` d="([^"]+)"`)
	mouths, brows := map[string]int{}, map[string]int{}
	for score := face.Lowest; score <= face.Highest; score++ {
		drawn := paths.FindAllStringSubmatch(string(face.SVG(score)), -1)
		if len(drawn) != 3 {
			t.Fatalf("face %d is drawn with %d lines, want eyes, brows and a mouth", score, len(drawn))
		}
		if other, there := brows[drawn[1][1]]; there {
			t.Errorf("faces %d and %d have the same brows", other, score)
		}
		if other, there := mouths[drawn[2][1]]; there {
			t.Errorf("faces %d and %d have the same mouth", other, score)
		}
		brows[drawn[1][1]], mouths[drawn[2][1]] = score, score
	}
}

func TestFacesStandOnAnyPage(t *testing.T) {
	for score := -1; score <= 6; score++ {
		drawn := string(face.SVG(score))
		decoder := xml.NewDecoder(strings.NewReader(drawn))
		for {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("face %d: %v in %s", score, err, drawn)
			}
		}
		for _, want := range []string{`aria-hidden="true"`, `viewBox="0 0 48 48"`, `stroke="currentColor"`} {
			if !strings.Contains(drawn, want) {
				t.Errorf("face %d is without %s", score, want)
			}
		}
		for _, never := range []string{"style=", "<script", "id=", "#"} {
			if strings.Contains(drawn, never) {
				t.Errorf("face %d holds %q: a strict policy refuses it, or two faces on a page would share it", score, never)
			}
		}
		if len(drawn) > 1000 {
			t.Errorf("face %d weighs %d bytes", score, len(drawn))
		}
	}
	if face.SVG(-1) != face.SVG(0) || face.SVG(6) != face.SVG(0) {
		t.Error("what is no score has a face of its own")
	}
}
