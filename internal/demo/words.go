package demo

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hailong-vn/hailong/internal/searchtext"
)

// The reasons of the short form, in the order of a place's blame.
var reasonIDs = [7]string{"attitude", "waiting", "guidance", "late", "procedure", "facilities", "other"}

// What people write. {tt} is a procedure, {q} a counter's number, {p} minutes, {n} days.
var (
	openings = []string{"", "", "", "", "Tôi đi làm {tt}. ", "Hôm nay tôi đến làm {tt}. ", "Nhà tôi làm {tt} ở đây. ", "Tôi vừa nộp hồ sơ {tt}. ", "Lần đầu tôi đến đây. "}
	praise   = []string{
		"Cán bộ quầy {q} hướng dẫn nhiệt tình, dễ hiểu.",
		"Làm nhanh, đúng hẹn, tôi rất hài lòng.",
		"Cảm ơn anh chị đã giúp đỡ tận tình.",
		"Mọi việc xong trong {p} phút, nhanh hơn tôi nghĩ.",
		"Phòng chờ sạch sẽ, mát mẻ, có nước uống.",
		"Chị ở quầy {q} rất vui vẻ, giải thích cặn kẽ từng giấy tờ.",
		"Mẹ tôi lớn tuổi được các cháu mời vào làm trước, gia đình rất cảm kích.",
		"Được nhắn tin báo lấy kết quả, không phải đi lại nhiều lần.",
		"Thái độ lịch sự, làm việc đúng giờ.",
		"Nộp hồ sơ qua mạng rồi chỉ đến một lần để nhận, rất tiện.",
		"Tốt.",
		"Không có gì phải góp ý, mong giữ được như vậy.",
		"Có người ra tận cửa hỏi và chỉ quầy, không phải loay hoay.",
		"Trả kết quả sớm hơn giấy hẹn {n} ngày.",
	}
	middling = []string{
		"Cũng được, nhưng nên có thêm ghế ngồi chờ.",
		"Nên ghi rõ giấy tờ cần mang theo để dân khỏi về lấy.",
		"Mong mở thêm quầy vào sáng thứ Hai.",
		"Bảng hướng dẫn chữ nhỏ quá, người già khó đọc.",
		"Nên cho đặt lịch trước qua điện thoại.",
		"Chờ khoảng {p} phút, tạm chấp nhận được.",
		"Cần thêm chỗ để xe.",
		"Máy lấy số hôm nay bị lỗi, phải hỏi bảo vệ.",
		"Mẫu đơn hơi khó điền, may có người giúp.",
		"Bình thường.",
	}
	blames = [7][]string{
		{
			"Cán bộ quầy {q} nói cộc lốc, hỏi thì tỏ vẻ khó chịu.", "Thái độ chưa tốt, vừa làm vừa nghe điện thoại riêng.",
			"Tôi hỏi lại thì bị gắt. Mong xem lại cách nói chuyện với dân.", "Đến quầy {q} đứng một lúc không ai ngẩng lên hỏi.",
			"Người lớn tuổi mà nói trống không, không thưa gửi.", "Bị đẩy từ quầy này sang quầy khác, không ai nhận việc.",
		},
		{
			"Chờ hơn {p} phút mới đến lượt.", "Lấy số từ sớm mà gần trưa mới được gọi.", "Có ba quầy mà chỉ một quầy làm việc, dân chờ dài.",
			"Đông người nhưng thiếu cán bộ, chờ rất lâu.", "Hẹn 8 giờ mà hơn 9 giờ mới bắt đầu tiếp.", "Người đến sau được gọi trước, tôi chờ {p} phút.",
		},
		{
			"Mỗi người hướng dẫn một kiểu, tôi phải đi lại ba lần.", "Thiếu giấy gì không nói hết một lượt, về bổ sung rồi lại thiếu.",
			"Hướng dẫn không rõ, tờ khai điền đi điền lại.", "Hỏi hồ sơ {tt} cần gì thì bảo lên mạng mà xem.", "Giấy hẹn ghi sơ sài, không biết còn phải làm gì.",
		},
		{
			"Quá hẹn {n} ngày vẫn chưa có kết quả, không ai báo.", "Giấy hẹn một đằng, đến lấy lại bảo chưa xong.",
			"Hồ sơ {tt} trễ {n} ngày mà không có thư xin lỗi.", "Gọi điện hỏi kết quả không ai nghe máy.", "Hẹn đi hẹn lại, lần này là lần thứ ba.",
		},
		{
			"Nhiều giấy tờ quá, có giấy xã đã giữ mà vẫn bắt nộp lại.", "Thủ tục rườm rà, một việc mà qua mấy nơi.",
			"Đã có căn cước gắn chip mà vẫn đòi bản sao chứng thực.", "Làm trên mạng báo lỗi, cuối cùng vẫn phải nộp giấy.",
		},
		{
			"Phòng chờ nóng, quạt hỏng, không có nước uống.", "Nhà vệ sinh chưa sạch.", "Không có lối cho xe lăn.", "Máy lấy số hỏng, ghế thiếu, người già phải đứng.", "Bãi xe ngập khi mưa.",
		},
		{
			"Mong cơ quan xem lại, dân đi xa rất vất vả.", "Tôi đã góp ý lần trước nhưng chưa thấy thay đổi.", "Đề nghị công khai số điện thoại của lãnh đạo.", "Nghỉ trưa sớm hơn giờ ghi trên bảng.",
		},
	}
	closings = []string{"", "", "", "", " Mong được cải thiện.", " Đề nghị lãnh đạo xem xét.", " Mong các anh chị rút kinh nghiệm.", " Xin cảm ơn."}
)

// comment writes what a person with this score might write. reason is the place in reasonIDs, or less than 0.
func comment(rng *rand.Rand, score int32, reason int, procedure, counter string) string {
	pick := func(texts []string) string { return texts[rng.IntN(len(texts))] }
	var text string
	switch {
	case score >= 4:
		text = pick(openings) + pick(praise)
	case score == 3:
		text = pick(openings) + pick(middling)
	default:
		if reason < 0 {
			reason = len(blames) - 1
		}
		text = pick(openings) + pick(blames[reason]) + pick(closings)
	}
	text = strings.NewReplacer("{tt}", lowerFirst(procedure), "{q}", counter, "{p}", pick([]string{"15", "20", "30", "40", "45", "60", "90"}),
		"{n}", pick([]string{"2", "3", "5", "7", "10", "15"})).Replace(text)
	switch rng.IntN(20) {
	case 0: // typed without diacritics
		return plain(text)
	case 1:
		return strings.ToLower(text)
	case 2:
		return strings.TrimSuffix(text, ".") + " ạ."
	}
	return text
}

// plain is a text as it is typed where nobody set up Vietnamese, its punctuation kept.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsLetter(r) {
			b.WriteString(searchtext.Fold(string(r)))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func lowerFirst(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToLower(r)) + text[size:]
}
