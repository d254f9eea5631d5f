package demo

import (
	"encoding/binary"
	"slices"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/casework"
)

// Case is an opinion that is seen through. Nobody in it exists.
type Case struct {
	ID        string // the same at every start
	UnitID    string // it is about
	Receiving string // keeps it in its register
	Source    casework.Source
	Title     string
	Words     string // of the citizen; "" for none
	Name      string // of whoever spoke; "" = without a name
	Phone     string
	Procedure string
	Officials []string
	DaysAgo   int // it was received
	Steps     []Step
	Asks      *Asked // a collective request for explanation; nil = it is one opinion
}

// Asked is the days whose dissatisfied ratings a collective request asks about.
type Asked struct{ FromDaysAgo, ToDaysAgo int }

// Step is something that happened to it.
type Step struct {
	DaysAgo int
	By      Actor
	Event   casework.Event
	Words   string // of the citizen, said at this step
	Into    string // id of the case it is merged into; "" = it is not
}

// Actor is who did it, as far as a demonstration needs to know.
type Actor string

// The actors.
const (
	ByLeader   Actor = "leader"   // the province's
	ByOperator Actor = "operator" // the province's
	ByHead     Actor = "head"     // of the unit in charge
	ByCitizen  Actor = "citizen"
	ByOfficial Actor = "official" // who signs in for the demonstration
)

// matter is what people complain of, with what the unit says to it.
type matter struct {
	title, words                    string
	cause                           casework.Cause
	analysis, remedy, reply, detail string // detail is what a better explanation adds after a return
}

func matters() []matter {
	return []matter{
		{"Công chức quầy chứng thực nói cộc lốc, không hướng dẫn", "Tôi hỏi thiếu giấy gì thì bị trả lời là về mà đọc bảng. Tôi già rồi, mắt kém, đọc không được.", "attitude",
			"Công chức tại quầy trả lời ngắn, không giải thích khi người dân hỏi lại; qua xem lại camera và làm việc trực tiếp, phản ánh là có thật.",
			"Đã nhắc nhở, công chức viết bản tự kiểm điểm; bố trí người hướng dẫn tại sảnh các buổi sáng.",
			"Chúng tôi đã xem xét và thấy phản ánh của ông/bà là đúng. Người có lỗi đã bị nhắc nhở, từ nay có người hướng dẫn tại sảnh mỗi sáng. Chúng tôi xin lỗi ông/bà.",
			"Sự việc xảy ra lúc 9 giờ 20 phút, khi quầy có 14 người chờ."},
		{"Chờ hơn ba tiếng không được gọi số", "Bảy giờ tôi đã lấy số, mười giờ hơn vẫn chưa gọi, hỏi thì bảo máy hỏng.", "overload",
			"Máy gọi số dừng từ 7 giờ 40 đến 9 giờ 15; công chức gọi tay nhưng bỏ sót các số lấy trước 7 giờ 30.",
			"Sửa máy trong ngày; khi máy hỏng thì phát số giấy và có người gọi theo thứ tự.",
			"Máy gọi số đã hỏng và chúng tôi gọi sót số của ông/bà. Máy đã sửa xong. Xin lỗi vì đã để ông/bà chờ lâu.",
			"Có 11 người bị gọi sót, chúng tôi đã gọi điện xin lỗi từng người có để lại số."},
		{"Hồ sơ đất đai quá hẹn 12 ngày, không có thư xin lỗi", "Giấy hẹn ghi ngày 5, tới ngày 17 mới có, đi lại bốn lần, không ai báo trước.", "lateness",
			"Hồ sơ phải đo lại ranh giới vì số liệu cũ lệch; bộ phận chuyên môn không báo Một cửa để gửi thư xin lỗi và hẹn lại.",
			"Trả kết quả ngày hôm sau; giao một người theo dõi hồ sơ sắp đến hạn mỗi chiều thứ Sáu.",
			"Hồ sơ của ông/bà bị trễ vì phải đo lại, nhưng chúng tôi đã không báo trước. Chúng tôi xin lỗi và đã giao người theo dõi hồ sơ sắp đến hạn.",
			"Danh sách 9 hồ sơ cùng kỳ đã được rà soát, hai hồ sơ khác được gửi thư hẹn lại."},
		{"Bị yêu cầu nộp thêm giấy tờ không có trong bảng niêm yết", "Bảng ghi ba loại giấy, đến nơi đòi thêm xác nhận của tổ dân phố.", "paperwork",
			"Công chức mới chuyển đến áp dụng mẫu cũ đã bãi bỏ.",
			"Trả lại giấy đã thu thừa, tập huấn lại cho hai công chức mới.",
			"Giấy đó không cần nộp. Chúng tôi đã trả lại giấy và hướng dẫn lại cho công chức. Mong ông/bà thông cảm.",
			"Đã rà soát 23 hồ sơ trong tháng, có 4 hồ sơ thu thừa và đã trả lại."},
		{"Hướng dẫn mỗi lần một khác, phải đi lại ba lần", "Lần đầu bảo thiếu bản sao, lần hai bảo thiếu ảnh, lần ba mới nhận.", "guidance",
			"Hai công chức thay nhau trực, không dùng phiếu hướng dẫn bổ sung hồ sơ một lần.",
			"Từ nay mọi yêu cầu bổ sung phải ghi vào phiếu, ký tên, chỉ yêu cầu một lần.",
			"Chúng tôi đã hướng dẫn không đủ ngay từ đầu. Từ nay mọi yêu cầu bổ sung được ghi một lần vào phiếu. Xin lỗi ông/bà.",
			"Phiếu mẫu đã phát tại cả ba quầy từ ngày hôm sau."},
		{"Không có chỗ cho người khuyết tật, xe lăn không vào được", "Bậc thềm cao, bảo vệ phải khiêng mẹ tôi vào.", "premises",
			"Trụ sở chưa có đường dốc ở lối chính; lối sau có nhưng không có bảng chỉ dẫn.",
			"Treo bảng chỉ dẫn ngay; đã đề nghị kinh phí làm đường dốc ở lối chính.",
			"Lối sau có đường dốc nhưng chưa có bảng chỉ dẫn; nay đã có. Đường dốc ở lối chính đang được đề nghị làm.",
			"Bảng chỉ dẫn được treo ở cổng và ở bãi xe."},
		{"Nộp hồ sơ qua mạng bị trả lại không rõ lý do", "Nộp ba lần đều báo không hợp lệ, gọi điện không ai nghe.", "software",
			"Phần mềm trả lại hồ sơ khi tệp quá 5 MB nhưng không hiện lý do; số điện thoại hỗ trợ đã đổi.",
			"Cập nhật số điện thoại trên trang; báo đơn vị phần mềm hiện rõ lý do.",
			"Tệp đính kèm lớn quá mức phần mềm nhận, mà phần mềm không nói rõ. Số điện thoại hỗ trợ đã được sửa lại. Mong ông/bà thông cảm.",
			"Trong tháng có 17 hồ sơ bị trả lại vì cùng lý do, đã liên hệ lại từng người."},
		{"Thu phí photocopy cao hơn niêm yết", "Ghi 500 đồng một trang mà thu 2.000 đồng.", "fees",
			"Người trông máy photocopy là bên thuê chỗ, tự đặt giá; bảng giá bị che.",
			"Yêu cầu bên thuê thu đúng giá và treo lại bảng; kiểm tra hằng tuần.",
			"Giá niêm yết là 500 đồng một trang. Bên thuê chỗ đã thu sai và đã bị yêu cầu sửa. Ông/bà có thể đến nhận lại phần thu thừa.",
			"Đã trả lại tiền cho 6 người."},
		{"Quầy đóng cửa trước giờ, không có người trực", "Bốn giờ chiều đến thì quầy đã kéo rèm.", "absence",
			"Công chức nghỉ đột xuất, người thay chưa kịp đến.",
			"Phân công người trực thay theo từng quầy, niêm yết tên và số điện thoại.",
			"Hôm đó người trực nghỉ đột xuất và chưa có người thay kịp. Nay mỗi quầy đều có người trực thay. Xin lỗi ông/bà.",
			"Lịch trực thay đã được ban hành và dán tại quầy."},
	}
}

// path is how far a case came.
type path int

const (
	received path = iota
	assigned
	requested
	explained
	returned
	copied // explained with the words of another
	accepted
	replied
	satisfied
	reopened
	again // explained again after a return, and accepted
	routed
	merged
	withdrawn
)

// Cases lists the cases of the demonstration, the earliest received first.
func Cases() []Case {
	list := []struct {
		unit     string
		province bool // the province received it
		source   casework.Source
		matter   int
		ago      int
		far      path
	}{
		{worstUnit, false, casework.FromLetter, 0, 40, satisfied},
		{worstUnit, false, casework.FromBook, 4, 33, again},
		{worstUnit, true, casework.FromCall, 1, 26, replied},
		{worstUnit, false, casework.FromBox, 3, 24, returned},
		{worstUnit, true, casework.FromCall, 0, 12, explained},
		{worstUnit, false, casework.FromLeader, 8, 9, copied},
		{worstUnit, false, casework.FromReceptionDay, 5, 9, requested},
		{worstUnit, true, casework.FromCall, 4, 3, requested},
		{worstUnit, false, casework.FromSlip, 1, 2, merged},
		{worstUnit, true, casework.FromWeb, 7, 1, received},
		{slowUnit, false, casework.FromBox, 1, 38, satisfied},
		{slowUnit, true, casework.FromCall, 1, 21, reopened},
		{slowUnit, false, casework.FromLetter, 8, 14, requested},
		{slowUnit, false, casework.FromBook, 5, 6, assigned},
		{lateUnit, true, casework.FromLetter, 2, 45, satisfied},
		{lateUnit, true, casework.FromReceptionDay, 2, 29, routed},
		{lateUnit, true, casework.FromCall, 6, 18, accepted},
		{lateUnit, true, casework.FromWeb, 2, 11, explained},
		{lateUnit, true, casework.FromCall, 3, 8, requested},
		{lateUnit, true, casework.FromLetter, 2, 1, received},
		{fallingUnit, false, casework.FromBook, 4, 31, replied},
		{fallingUnit, false, casework.FromSlip, 0, 16, withdrawn},
		{"minhhoa-trungtam", true, casework.FromWeb, 6, 35, satisfied},
		{"minhhoa-trungtam", true, casework.FromCall, 1, 20, again},
		{"minhhoa-trungtam", true, casework.FromBox, 7, 13, accepted},
		{"minhhoa-trungtam", true, casework.FromCall, 4, 5, explained},
		{"minhhoa-trungtam", true, casework.FromLeader, 8, 0, received},
		{"minhhoa-suoimay", false, casework.FromLetter, 3, 28, satisfied},
		{"minhhoa-dongsen", false, casework.FromBook, 5, 22, replied},
		{"minhhoa-gophuong", false, casework.FromSlip, 4, 17, requested},
		{"minhhoa-songnga", true, casework.FromCall, 0, 10, explained},
		{"minhhoa-holam", false, casework.FromReceptionDay, 8, 7, returned},
		{"minhhoa-deogio", false, casework.FromLetter, 6, 4, assigned},
		{"minhhoa-langgom", true, casework.FromCall, 7, 2, assigned},
		{"minhhoa-khetruc", true, casework.FromWeb, 1, 0, received},
	}
	var cases []Case
	earliest := map[string]string{}
	for i, l := range list {
		m := matters()[l.matter]
		c := Case{
			ID: caseID(i), UnitID: l.unit, Receiving: l.unit, Source: l.source, Title: m.title, Words: m.words, DaysAgo: l.ago,
			Procedure: Procedures()[i*7%len(Procedures())].Code,
		}
		if l.province {
			c.Receiving = ProvinceID
		}
		if l.matter == 0 {
			c.Officials = []string{officialID(l.unit, 1)}
		}
		if l.source == casework.FromCall || l.source == casework.FromLetter {
			c.Name, c.Phone = []string{"Anh Mẫu", "Chị Ví Dụ", "Bác Minh Hoạ", "Cô Thí Dụ"}[i%4], "0000 123 "+[]string{"001", "002", "003", "004", "005"}[i%5]
		}
		c.Steps = steps(m, l.unit, l.ago, l.far, earliest[c.Receiving])
		if earliest[c.Receiving] == "" {
			earliest[c.Receiving] = c.ID
		}
		cases = append(cases, c)
	}
	cases = append(cases, collective(len(cases))...)
	// In the order in which they came in, so that numbers of the register go with the days.
	slices.SortStableFunc(cases, func(a, b Case) int { return b.DaysAgo - a.DaysAgo })
	return cases
}

// collective are requests to explain dissatisfied ratings together: most of them are bare taps.
func collective(first int) []Case {
	list := []struct {
		unit              string
		title             string
		matter, from, ago int
		far               path
	}{
		{worstUnit, "Giải trình chung các lượt không hài lòng tại Phường Bến Khoai", 0, 55, 26, accepted},
		{"minhhoa-trungtam", "Giải trình chung các lượt không hài lòng tại Trung tâm Phục vụ hành chính công", 1, 40, 12, accepted},
		{lateUnit, "Giải trình chung các lượt trễ hẹn", 2, 45, 15, accepted},
		{fallingUnit, "Giải trình chung các lượt không hài lòng trong tháng", 3, 31, 4, requested},
	}
	var out []Case
	for i, l := range list {
		steps := steps(matters()[l.matter], l.unit, l.ago, l.far, "")
		if l.far == accepted { // nobody waits for a reply
			steps = append(steps, Step{DaysAgo: max(l.ago-9, 0), By: ByLeader, Event: casework.Event{Name: casework.File}})
		}
		out = append(out, Case{
			ID: caseID(first + i), UnitID: l.unit, Receiving: ProvinceID, Source: casework.FromFollowUp, Title: l.title, DaysAgo: l.ago, Steps: steps,
			Asks: &Asked{FromDaysAgo: l.from, ToDaysAgo: l.ago},
		})
	}
	return out
}

// caseID is the id of a case: a UUID of version 7 whose time is that of the demonstration itself.
func caseID(i int) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(1_767_225_600_000)<<16) // 1 January 2026, in milliseconds
	id[6] = 0x70
	id[8] = 0x80
	binary.BigEndian.PutUint16(id[14:], uint16(i)) //nolint:gosec // some dozens
	return id.String()
}

// steps is the way a case went.
func steps(m matter, unit string, ago int, far path, first string) []Step {
	var out []Step
	add := func(after int, by Actor, event casework.Event) *Step {
		out = append(out, Step{DaysAgo: max(ago-after, 0), By: by, Event: event})
		return &out[len(out)-1]
	}
	said := func(analysis string) *casework.Explanation {
		return &casework.Explanation{Cause: m.cause, Analysis: analysis, Remedy: m.remedy, Together: true, Apology: casework.WillSay, Finding: casework.Upheld}
	}
	switch far { //nolint:exhaustive // all others begin in the same way
	case received:
		return nil
	case routed:
		add(1, ByLeader, casework.Event{Name: casework.PutOutOfScope, Reason: "Nội dung là khiếu nại quyết định hành chính, giải quyết theo Luật Khiếu nại.", Route: casework.Route{Kind: casework.Complaint, To: "Ban Tiếp công dân tỉnh Minh Hoạ"}})
		add(2, ByOperator, casework.Event{Name: casework.HandOver, Document: "Phiếu chuyển số 12/PC-TTPVHCC"})
		return out
	case merged:
		add(1, ByOperator, casework.Event{Name: casework.Merge}).Into = first
		return out
	case withdrawn:
		add(1, ByOperator, casework.Event{Name: casework.Withdraw, Reason: "Người dân gọi lại, cho biết đã được giải quyết tại quầy."})
		return out
	}
	add(1, ByLeader, casework.Event{Name: casework.Assign, Unit: unit})
	if far == assigned {
		return out
	}
	add(1, ByLeader, casework.Event{Name: casework.RequestExplanation})
	if far == requested {
		return out
	}
	analysis := m.analysis
	if far == copied { // what the same unit wrote before, word for word
		other := matters()[0]
		analysis, m.remedy = other.analysis, other.remedy
	}
	add(4, ByHead, casework.Event{Name: casework.Submit, Explanation: said(analysis)})
	if far == explained || far == copied {
		return out
	}
	if far == returned || far == again {
		add(6, ByLeader, casework.Event{Name: casework.Return, Reasons: []casework.Reason{casework.TooGeneral, casework.NobodyResponsible}})
		if far == returned {
			return out
		}
		add(8, ByHead, casework.Event{Name: casework.Submit, Explanation: said(m.analysis + " " + m.detail)})
	}
	add(9, ByLeader, casework.Event{Name: casework.Accept, Finding: casework.Upheld})
	if far == accepted {
		return out
	}
	add(10, ByOperator, casework.Event{Name: casework.Reply, Text: m.reply})
	switch far { //nolint:exhaustive // the others wait for the citizen
	case satisfied:
		add(12, ByCitizen, casework.Event{Name: casework.Satisfied})
	case reopened:
		add(13, ByCitizen, casework.Event{Name: casework.Reopen, Reasons: []casework.Reason{casework.NotDone, casework.OtherReason}}).Words = "Hôm qua tôi lại đến, máy vẫn hỏng và vẫn gọi sót số."
	}
	return out
}
