package demo

import "fmt"

// The fields of public service that the counters stand for.
const (
	fieldCivil    = "Hộ tịch, chứng thực"
	fieldLand     = "Đất đai"
	fieldSocial   = "Lao động, bảo trợ xã hội"
	fieldBusiness = "Đăng ký kinh doanh"
	fieldBuilding = "Xây dựng"
	fieldHealth   = "Y tế"
	fieldSchool   = "Giáo dục"
	fieldFinance  = "Tài chính"
)

var positions = map[string]string{
	fieldCivil: "Công chức tư pháp - hộ tịch", fieldLand: "Công chức địa chính", fieldSocial: "Công chức văn hóa - xã hội",
	fieldBusiness: "Chuyên viên đăng ký kinh doanh", fieldBuilding: "Chuyên viên quản lý xây dựng", fieldHealth: "Chuyên viên y tế",
	fieldSchool: "Chuyên viên giáo dục", fieldFinance: "Chuyên viên tài chính",
}

// byField lists the procedures of each field as people speak of them.
var byField = []struct {
	field string
	names []string
}{
	{fieldCivil, []string{
		"Đăng ký khai sinh", "Đăng ký khai tử", "Đăng ký kết hôn", "Cấp giấy xác nhận tình trạng hôn nhân", "Chứng thực bản sao từ bản chính",
		"Chứng thực chữ ký", "Cấp bản sao trích lục hộ tịch",
	}},
	{fieldLand, []string{
		"Cấp giấy chứng nhận quyền sử dụng đất", "Đăng ký biến động đất đai", "Tách thửa, hợp thửa đất", "Xác nhận hồ sơ đất đai",
	}},
	{fieldSocial, []string{
		"Trợ cấp xã hội hằng tháng", "Xác nhận hộ nghèo", "Hỗ trợ chi phí mai táng", "Cấp giấy xác nhận khuyết tật",
	}},
	{fieldBusiness, []string{"Đăng ký hộ kinh doanh", "Thay đổi nội dung đăng ký kinh doanh", "Chấm dứt hoạt động hộ kinh doanh"}},
	{fieldBuilding, []string{"Cấp giấy phép xây dựng nhà ở riêng lẻ", "Điều chỉnh giấy phép xây dựng"}},
	{fieldHealth, []string{"Cấp giấy đủ điều kiện an toàn thực phẩm", "Cấp chứng chỉ hành nghề dược"}},
	{fieldSchool, []string{"Chuyển trường cho học sinh", "Cấp bản sao văn bằng, chứng chỉ"}},
	{fieldFinance, []string{"Đăng ký mã số đơn vị có quan hệ với ngân sách", "Đăng ký giá"}},
}

// Procedures lists all procedures, in the order of their codes.
func Procedures() []Procedure {
	var procedures []Procedure
	for _, f := range byField {
		for _, name := range f.names {
			procedures = append(procedures, Procedure{Code: fmt.Sprintf("MH.%03d", len(procedures)+1), Name: name, Field: f.field})
		}
	}
	return procedures
}

// fieldsOf lists the fields a counter serves, the one on its sign first.
func fieldsOf(p place, counter int) []string {
	if p.Level == "department" {
		switch p.Name {
		case "Sở Tài chính tỉnh Minh Hoạ":
			return []string{fieldFinance, fieldBusiness}
		case "Sở Xây dựng tỉnh Minh Hoạ":
			return []string{fieldBuilding}
		case "Sở Y tế tỉnh Minh Hoạ":
			return []string{fieldHealth}
		case "Sở Giáo dục tỉnh Minh Hoạ":
			return []string{fieldSchool}
		case "Sở Nội vụ tỉnh Minh Hoạ":
			return []string{fieldSocial}
		default:
			return []string{fieldLand}
		}
	}
	served := [][]string{{fieldCivil}, {fieldLand, fieldSocial}, {fieldSocial}, {fieldBusiness, fieldBuilding}, {fieldHealth, fieldSchool}, {fieldFinance}}
	return served[counter%len(served)]
}
