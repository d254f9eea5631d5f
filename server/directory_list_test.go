package server

import (
	"testing"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// A page about one unit does not read all that is below it.
func TestListsOfOneUnitAlone(t *testing.T) {
	s := start(t, Config{Data: t.TempDir()})
	admin := s.admin()
	p := newProvince(admin, s)
	for unit, n := range map[string]int{p.mine: 1, p.office: 2} {
		for i := range n {
			code := string(rune('1' + i))
			if _, err := s.directory().CreateCounter(admin, &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: unit, Code: code, Name: "Quầy " + code}}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.directory().CreateOfficial(admin, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: unit, Name: "Người " + code}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name, unit string
		alone      bool
		want       int
	}{
		{"a subtree", p.mine, false, 3}, {"its top alone", p.mine, true, 1}, {"the unit below", p.office, true, 2}, {"a unit without any", p.top, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			counters, err := s.directory().ListCounters(admin, &pb.ListCountersRequest{UnitId: c.unit, DirectOnly: c.alone})
			if err != nil || len(counters.GetCounters()) != c.want {
				t.Errorf("%v, %v", counters, err)
			}
			officials, err := s.directory().ListOfficials(admin, &pb.ListOfficialsRequest{UnitId: c.unit, DirectOnly: c.alone})
			if err != nil || len(officials.GetOfficials()) != c.want {
				t.Errorf("%v, %v", officials, err)
			}
		})
	}
}
