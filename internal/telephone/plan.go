package telephone

import "strings"

const vietnam = "84" // country code

// extensionWords come before an extension, the longer ones first.
func extensionWords() []string {
	return []string{
		"số máy lẻ", "máy lẻ", "may le", "số nhánh", "nhánh", "số lẻ", "lẻ", "extension", "ext", ";ext=", "x", "#",
	}
}

// isShort tells numbers of services: 3 to 5 digits that begin with 1 (113, 1022, 18001), and 1800 or 1900 with 4 or 6 more.
func isShort(digits string) bool {
	if digits == "" || digits[0] != '1' {
		return false
	}
	switch len(digits) {
	case 3, 4, 5:
		return true
	case 8, 10:
		return strings.HasPrefix(digits, "1800") || strings.HasPrefix(digits, "1900")
	}
	return false
}

// isLongCity tells the two cities whose area code has two digits and whose numbers have eight.
func isLongCity(national string) bool {
	return strings.HasPrefix(national, "24") || strings.HasPrefix(national, "28")
}

// change is a prefix that was replaced, without the leading 0.
type change struct {
	old, now string
	length   int // digits of the old national number
}

// changes are the prefixes that were replaced and that no number of today has at that length: what could be a number of today is read as
// one. From memory of the ministry's plans: mobile numbers of eleven digits became ones of ten in September 2018, area codes changed in
// 2017.
func changes() []change {
	return []change{
		{"120", "70", 10}, {"121", "79", 10}, {"122", "77", 10}, {"126", "76", 10}, {"128", "78", 10},
		{"123", "83", 10}, {"124", "84", 10}, {"125", "85", 10}, {"127", "81", 10}, {"129", "82", 10},
		{"162", "32", 10}, {"163", "33", 10}, {"164", "34", 10}, {"165", "35", 10},
		{"166", "36", 10}, {"167", "37", 10}, {"168", "38", 10}, {"169", "39", 10},
		{"186", "56", 10}, {"188", "58", 10}, {"199", "59", 10},

		{"4", "24", 9},
		{"60", "260", 9}, {"61", "251", 9}, {"62", "252", 9}, {"63", "263", 9}, {"64", "254", 9},
		{"66", "276", 9}, {"67", "277", 9}, {"68", "259", 9},
		{"320", "220", 10}, {"321", "221", 10}, {"350", "228", 10}, {"351", "226", 10},
		{"500", "262", 10}, {"501", "261", 10}, {"510", "235", 10}, {"511", "236", 10},
		{"650", "274", 10}, {"651", "271", 10}, {"710", "292", 10}, {"711", "293", 10}, {"780", "290", 10}, {"781", "291", 10},
	}
}

// today brings a national number to the plan of today.
func today(digits string) string {
	for _, c := range changes() {
		if len(digits) == c.length && strings.HasPrefix(digits, c.old) {
			return c.now + digits[len(c.old):]
		}
	}
	return digits
}
