package analysis

import (
	"context"
	"math"
	"testing"

	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/language"
)

func TestFollowUps(t *testing.T) {
	a := example(t)
	got, err := a.FollowUps(context.Background(), Query{Unit: "P", From: "2025-06-01", To: "2025-08-31"})
	if err != nil {
		t.Fatal(err)
	}
	// Looked at are C, D and O; A and B ended. D has 30 of 47 against 36 of 87 in the province; O has 30 of 40 against D's
	// 30 of 47, which is within chance.
	if got.Examined != 3 || got.DiscoveryRate != DiscoveryRate || len(got.Units) != 1 {
		t.Fatalf("%d looked at, found %+v", got.Examined, got.Units)
	}
	d := got.Units[0]
	const tail = 0.0015784414 // sum over k = 30..47 of C(47,k) (36/87)^k (51/87)^(47-k)
	if d.Unit.ID != "D" || d.Above.ID != "P" || d.Dissatisfied.N != 47 || math.Abs(d.Parent.Value-36.0/87) > 1e-12 ||
		math.Abs(d.P-tail) > 1e-6 || math.Abs(d.Q-3*tail) > 3e-6 {
		t.Errorf("found %+v", d)
	}
	want := map[language.Language]string{
		language.Vietnamese: "63,8 % không hài lòng trong 47 lượt đánh giá; đơn vị cấp trên 41,4 %; khả năng do ngẫu nhiên dưới 1 %.",
		language.English:    "63.8% dissatisfied in 47 ratings; the unit above 41.4%; chance alone would do this less than 1% of the time.",
	}
	for in, sentence := range want {
		if got := d.Sentence(in); got != sentence {
			t.Errorf("%s: %q, want %q", in, got, sentence)
		}
	}
	// As today A and B count with C, and nothing else changes.
	today, err := a.FollowUps(context.Background(), Query{Unit: "P", From: "2025-06-01", To: "2025-08-31", Tree: asToday})
	if err != nil || today.Examined != 3 || len(today.Units) != 1 || today.Units[0].P != d.P {
		t.Errorf("as today: %+v, %v", today, err)
	}
	// Below D nobody is beyond chance.
	below, err := a.FollowUps(context.Background(), Query{Unit: "D", From: "2025-06-01", To: "2025-08-31"})
	if err != nil || below.Examined != 1 || len(below.Units) != 0 {
		t.Errorf("below D: %+v, %v", below, err)
	}
}

func TestSentences(t *testing.T) {
	one := func(k, n, parentK, parentN uint32, p float64) FollowUp {
		return FollowUp{FollowUp: figure.FollowUp{Dissatisfied: figure.Wilson(k, n), Parent: figure.Wilson(parentK, parentN), P: p}}
	}
	for name, c := range map[string]struct {
		found  FollowUp
		vi, en string
	}{
		"about": {one(39, 120, 180, 1000, 0.0214),
			"32,5 % không hài lòng trong 120 lượt đánh giá; đơn vị cấp trên 18,0 %; khả năng do ngẫu nhiên khoảng 2 %.",
			"32.5% dissatisfied in 120 ratings; the unit above 18.0%; chance alone would do this about 2% of the time."},
		"thousands": {one(500, 1234567, 1, 10000, 0.0004),
			"0,0 % không hài lòng trong 1.234.567 lượt đánh giá; đơn vị cấp trên 0,0 %; khả năng do ngẫu nhiên dưới 0,1 %.",
			"0.0% dissatisfied in 1,234,567 ratings; the unit above 0.0%; chance alone would do this less than 0.1% of the time."},
		"hardly": {one(10, 10, 1, 100, 1e-20),
			"100,0 % không hài lòng trong 10 lượt đánh giá; đơn vị cấp trên 1,0 %; khả năng do ngẫu nhiên dưới 0,01 %.",
			"100.0% dissatisfied in 10 ratings; the unit above 1.0%; chance alone would do this less than 0.01% of the time."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.found.Sentence(language.Vietnamese); got != c.vi {
				t.Errorf("%q, want %q", got, c.vi)
			}
			if got := c.found.Sentence(language.English); got != c.en {
				t.Errorf("%q, want %q", got, c.en)
			}
		})
	}
}
