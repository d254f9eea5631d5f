package demo

// Remedy is something an office of the demonstration did about what citizens said.
type Remedy struct {
	UnitID  string
	Text    string // in words for citizens
	DaysAgo int
}

// Remedies lists what was done, oldest first.
func Remedies() []Remedy {
	return []Remedy{
		{ProvinceID, "Niêm yết lại phí, lệ phí bằng chữ lớn ở mọi bộ phận một cửa.", 41},
		{"minhhoa-benkhoai", "Thêm 20 ghế và 4 quạt ở sảnh chờ.", 26},
		{"minhhoa-benkhoai", "Mở thêm quầy chứng thực buổi sáng thứ Hai và thứ Ba, lúc đông nhất.", 12},
		{"minhhoa-benkhoai", "Công chức hướng dẫn đã xin lỗi và viết lại bảng thành phần hồ sơ cho dễ hiểu.", 4},
	}
}
