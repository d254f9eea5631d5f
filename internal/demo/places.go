package demo

import (
	"fmt"

	"github.com/hailong-vn/hailong/internal/searchtext"
)

// The places whose figures tell a story.
const (
	worstUnit      = "minhhoa-benkhoai"  // attitude at the counters
	slowUnit       = "minhhoa-xuongrong" // long waits
	lateUnit       = "minhhoa-so-datdai" // results later than promised
	fallingUnit    = "minhhoa-ghenhson"  // good, and bad each autumn
	spotlessUnit   = "minhhoa-cuanhan"   // never a word of blame, in bursts at closing time
	wrongClockUnit = "minhhoa-deogio"    // a kiosk whose clock is a year ahead now and then
)

// place is a unit with how it works.
type place struct {
	Unit
	weight    float64 // share of the province's ratings; 0 = serves nobody itself
	satisfied float64 // share of 4 and 5 to be expected
	counters  int
	blame     [7]int // how often each reason is given, in the order of reasons
}

var ordinaryBlame = [7]int{3, 6, 4, 3, 3, 2, 1}

// places lists every unit, each after its parent.
func places() []place {
	all := []place{{Unit: Unit{ID: ProvinceID, Code: "MH", Name: "Tỉnh Minh Hoạ (dữ liệu mẫu)", Level: "province"}}}
	add := func(id, parent, name, level string, weight, satisfied float64, counters int) {
		all = append(all, place{
			Unit:   Unit{ID: id, ParentID: parent, Code: fmt.Sprintf("MH-%02d", len(all)), Name: name, Level: level},
			weight: weight, satisfied: satisfied, counters: counters, blame: ordinaryBlame,
		})
	}
	add("minhhoa-trungtam", ProvinceID, "Trung tâm Phục vụ hành chính công tỉnh Minh Hoạ", "office", 12, 0.88, 6)
	for i, name := range []string{"Nội vụ", "Tài chính", "Xây dựng", "Y tế", "Giáo dục"} {
		add("minhhoa-so-"+slug(name), ProvinceID, "Sở "+name+" tỉnh Minh Hoạ", "department", 1.5, 0.82+0.02*float64(i%3), 2)
	}
	add(lateUnit, ProvinceID, "Sở Đất đai và Môi trường tỉnh Minh Hoạ", "department", 3, 0.63, 3)
	wards := []string{"Bến Trăng", "Hoa Nắng", "Chợ Sen", "Cầu Gương", "Lụa Đào", "Bến Khoai", "Vườn Chè", "Giếng Ngọc"}
	for i, name := range wards {
		id := ProvinceID + "-" + slug(name)
		if i < 4 { // the largest wards serve at an office of their own below them
			add(id, ProvinceID, "Phường "+name, "commune", 0, 0, 0)
			add(id+"-motcua", id, "Bộ phận Một cửa phường "+name, "office", 5-0.5*float64(i), 0.86-0.015*float64(i), 4)
			continue
		}
		add(id, ProvinceID, "Phường "+name, "commune", 3.5-0.2*float64(i), 0.87-0.01*float64(i), 3)
	}
	communes := []string{
		"Suối Mây", "Đồng Sen", "Gò Phượng", "Núi Gương", "Sông Ngà", "Bãi Ngô", "Hồ Lam", "Xương Rồng", "Ghềnh Son", "Đèo Gió",
		"Ruộng Bậc", "Làng Gốm", "Cửa Nhạn", "Khe Trúc", "Cồn Muối", "Đồi Sim", "Lũng Hoa", "Thác Bạc", "Trại Ong", "Mỏ Nước",
	}
	for i, name := range communes {
		add(ProvinceID+"-"+slug(name), ProvinceID, "Xã "+name, "commune", 1+0.15*float64(i*7%10), 0.80+0.01*float64(i*3%10), 2)
	}
	for i := range all {
		p := &all[i]
		switch p.ID {
		case worstUnit:
			p.satisfied, p.blame = 0.58, [7]int{12, 5, 5, 2, 2, 1, 1}
		case slowUnit:
			p.weight, p.satisfied, p.blame = 1.8, 0.66, [7]int{2, 14, 2, 3, 2, 4, 1}
		case lateUnit:
			p.blame = [7]int{2, 4, 3, 14, 6, 1, 1}
		case fallingUnit:
			p.satisfied = 0.88
		case spotlessUnit:
			p.satisfied = 1
		}
	}
	return all
}

// slug is a name as an id.
func slug(name string) string {
	id := ""
	for _, word := range searchtext.Words(name) {
		id += word
	}
	return id
}

// Units lists the units, each after its parent.
func Units() []Unit {
	var units []Unit
	for _, p := range places() {
		units = append(units, p.Unit)
	}
	return units
}

// Counters lists the counters of every unit that serves.
func Counters() []Counter {
	var counters []Counter
	for _, p := range places() {
		for i := range p.counters {
			counters = append(counters, Counter{
				ID: counterID(p.ID, i), UnitID: p.ID, Code: fmt.Sprint(i + 1), Name: fmt.Sprintf("Quầy %d: %s", i+1, fieldsOf(p, i)[0]),
			})
		}
	}
	return counters
}

func counterID(unitID string, i int) string { return fmt.Sprintf("%s-q%d", unitID, i+1) }

func officialID(unitID string, i int) string { return fmt.Sprintf("%s-cb%d", unitID, i+1) }

// Duty says who serves at a counter.
type Duty struct{ UnitID, CounterID, OfficialID string }

// Duties lists who serves where: at every hour, so that the demonstration can be looked at whenever somebody likes to.
func Duties() []Duty {
	var duties []Duty
	for _, p := range places() {
		for i := range p.counters {
			duties = append(duties, Duty{p.ID, counterID(p.ID, i), officialID(p.ID, i)})
		}
	}
	return duties
}

// Officials lists one official a counter.
func Officials() []Official {
	families := []string{"Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý", "Nông", "Lò", "Hà"}
	middles := []string{"Thị", "Văn", "Minh", "Thu", "Đức", "Ngọc", "Quang", "Thanh", "Hữu", "Kim", "Xuân"}
	givens := []string{
		"Mẫu", "An", "Bình", "Chi", "Dung", "Giang", "Hà", "Hạnh", "Hiền", "Hòa", "Khánh", "Lan", "Linh", "Mai", "Nam", "Nga",
		"Phương", "Quỳnh", "Sơn", "Tâm", "Thảo", "Trang", "Tuấn", "Vân", "Yến",
	}
	var officials []Official
	n := 0
	for _, p := range places() {
		for i := range p.counters {
			officials = append(officials, Official{
				ID: officialID(p.ID, i), UnitID: p.ID, Position: positions[fieldsOf(p, i)[0]],
				Name: families[n*5%len(families)] + " " + middles[n*7%len(middles)] + " " + givens[n*11%len(givens)],
			})
			n++
		}
	}
	return officials
}
