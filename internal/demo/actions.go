package demo

import (
	"encoding/binary"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/casework"
)

// CorrectiveAction is something that was ordered of a unit.
type CorrectiveAction struct {
	Order   string // the same at every start, and of everything that was ordered at once
	UnitID  string
	Product string
	Case    string // it came from; "" = an order from above
	DaysAgo int    // it was ordered
	DueIn   int    // days from now; negative = it was due before
	Steps   []ActionStep
}

// ActionStep is something that happened to it.
type ActionStep struct {
	DaysAgo int
	By      Actor
	Event   casework.ActionEvent
	DueIn   int // days from now, of an event that sets a new day
}

// CorrectiveActions lists those of the demonstration: one in every state, one of them late.
func CorrectiveActions() []CorrectiveAction {
	report := func(ago int, evidence string) ActionStep {
		return ActionStep{DaysAgo: ago, By: ByHead, Event: casework.ActionEvent{Name: casework.Report, Evidence: casework.Evidence{Text: evidence}}}
	}
	confirm := func(ago int) ActionStep {
		return ActionStep{DaysAgo: ago, By: ByLeader, Event: casework.ActionEvent{Name: casework.Confirm}}
	}
	fees := func(unit string, steps ...ActionStep) CorrectiveAction {
		return CorrectiveAction{Order: orderID(0), UnitID: unit, Product: "Bảng phí, lệ phí treo ở mọi quầy, chữ cao từ 2 cm", DaysAgo: 21, DueIn: 9, Steps: steps}
	}
	return []CorrectiveAction{
		fees(worstUnit, report(3, "Đã treo bảng ở cả ba quầy và ở lối vào, ảnh chụp lưu tại văn phòng.")),
		fees(slowUnit),
		fees(lateUnit, report(8, "Đã treo bảng ở hai quầy và khu chờ từ ngày thứ Hai."), confirm(6)),
		{
			Order: orderID(1), UnitID: worstUnit, Product: "Lịch phân công người hướng dẫn tại sảnh mỗi sáng, dán ở cửa vào", Case: caseID(0), DaysAgo: 27, DueIn: -12,
			Steps: []ActionStep{report(15, "Lịch tháng này đã dán; hai công chức thay nhau hướng dẫn từ 7 giờ 30 đến 9 giờ 30."), confirm(13)},
		},
		{
			Order: orderID(2), UnitID: worstUnit, Product: "Phiếu hướng dẫn bổ sung hồ sơ một lần, dùng ở cả ba quầy", Case: caseID(1), DaysAgo: 20, DueIn: -4,
			Steps: []ActionStep{
				report(6, "Đã in phiếu và phát cho các quầy."),
				{DaysAgo: 4, By: ByLeader, Event: casework.ActionEvent{Name: casework.SendBack, Reason: "Quầy 3 vẫn dặn miệng. Xin gửi bản sao năm phiếu đã dùng."}, DueIn: 5},
			},
		},
		{Order: orderID(3), UnitID: slowUnit, Product: "Số giấy dự phòng và người gọi số khi máy hỏng", Case: caseID(10), DaysAgo: 24, DueIn: -3},
		{
			Order: orderID(4), UnitID: lateUnit, Product: "Mua thêm một máy gọi số", DaysAgo: 16, DueIn: 14,
			Steps: []ActionStep{{DaysAgo: 11, By: ByLeader, Event: casework.ActionEvent{Name: casework.Cancel, Reason: "Tỉnh mua chung cho mọi đơn vị trong quý sau."}}},
		},
	}
}

// ContestReason is what the demonstration's official says against one of the own ratings.
const ContestReason = "Hôm đó hệ thống của cả tỉnh dừng từ 14 giờ, tôi đã mời người dân ngồi chờ và xin lỗi; đề nghị xem nhật ký hệ thống."

// orderID is the id of an order: a UUID of version 7 whose time is that of the demonstration itself.
func orderID(i int) string {
	id := uuid.MustParse(caseID(i))
	binary.BigEndian.PutUint16(id[12:14], 1) // apart from cases
	return id.String()
}
