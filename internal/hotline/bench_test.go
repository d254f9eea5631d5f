package hotline_test

import (
	"fmt"
	"testing"

	"github.com/hailong-vn/hailong/internal/hotline"
)

// BenchmarkSave is one save of a call that goes on, as each second brings one.
func BenchmarkSave(b *testing.B) {
	h := newHouse(b)
	draft := begun(func(d *hotline.Draft) { d.Caller.Phone = "0912345678" })
	call := h.save(lan, draft, 0)
	for n := 0; b.Loop(); n++ {
		draft.Summary = fmt.Sprint("Chờ lâu ", n)
		call = h.save(lan, draft, call.Version)
	}
}

// BenchmarkFindCaller looks a number up among ten thousand calls.
func BenchmarkFindCaller(b *testing.B) {
	h := newHouse(b)
	var rows []hotline.Imported
	for i := range 10_000 {
		rows = append(rows, hotline.Imported{Unit: "U", StartedAt: h.clock().AddDate(0, 0, -1), Number: fmt.Sprintf("09%08d", i%5000), Again: i / 5000})
	}
	if _, err := h.Import(b.Context(), rows); err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		calls, _, err := h.FindCaller(b.Context(), fmt.Sprintf("09%08d", n%5000), 10)
		if err != nil || len(calls) != 2 {
			b.Fatal(calls, err)
		}
	}
}
