package ratingimport

import (
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

func TestBadMappings(t *testing.T) {
	with := func(old, next string) string { return strings.Replace(simple, old, next, 1) }
	for name, test := range map[string]struct {
		text, reason string
		line         int
	}{
		"empty":                    {"", "mapping_empty", 0},
		"only a comment":           {"# nothing\n", "mapping_empty", 0},
		"not YAML":                 {"source: [\n", "mapping_syntax", 1},
		"two documents":            {simple + "---\nsource: x\n", "mapping_syntax", 0},
		"a field misspelt":         {with("overall: {column", "overall: {colum"), "mapping_field", 6},
		"a field unknown on top":   {simple + "lables: {a: 1}\n", "mapping_field", 9},
		"a field twice":            {simple + "source: again\n", "mapping_twice", 9},
		"a score that is a word":   {with("{column: s}", "{column: s, labels: {a: five}}"), "mapping_value", 6},
		"a score of 6":             {with("{column: s}", "\n  column: s\n  labels:\n    a: 5\n    b: 6"), "mapping_rule_score", 10},
		"labels alike":             {with("{column: s}", "\n  column: s\n  labels: {Hài lòng: 4,\n    hai  LONG: 5}"), "mapping_rule_alike", 9},
		"label and ignore alike":   {with("{column: s}", "{column: s, labels: {Tốt: 4}, ignore: [tot]}"), "mapping_rule_alike", 6},
		"ignored without meaning":  {with("{column: s}", "{column: s, ignored: maybe}"), "mapping_rule_choice", 6},
		"a range wrong":            {with("{column: s}", "{column: s, scale: {0-2: 1}}"), "mapping_rule_range", 6},
		"ranges overlap":           {with("{column: s}", "{column: s, scale: {0..5: 1, 5..10: 5}}"), "mapping_rule_range", 6},
		"no time":                  {with("time: {column: t, ", "time: {"), "mapping_rule_missing", 3},
		"no formats":               {with(", formats: [\"yyyy-MM-dd HH:mm\"]", ""), "mapping_rule_missing", 3},
		"a pattern of Go":          {with("yyyy-MM-dd HH:mm", "2006-01-02"), "mapping_rule_pattern", 3},
		"a pattern without a year": {with("yyyy-MM-dd HH:mm", "dd/MM HH:mm"), "mapping_rule_pattern", 3},
		"hh without a":             {with("yyyy-MM-dd HH:mm", "yyyy-MM-dd hh:mm"), "mapping_rule_pattern", 3},
		"a zone unknown":           {with("time: {", "time: {zone: Asia/Hanoi, "), "mapping_rule_zone", 3},
		"the machine's zone":       {with("time: {", "time: {zone: Local, "), "mapping_rule_zone", 3},
		"a channel unknown":        {with("channel: paper", "channel: fax"), "mapping_rule_choice", 4},
		"no channel":               {with("channel: paper, ", ""), "mapping_rule_missing", 5},
		"questionnaire unversed":   {with("kiosk@1", "kiosk"), "mapping_rule_questionnaire", 4},
		"no unit":                  {with("{unit: u}", "{}"), "mapping_rule_missing", 5},
		"unit in two ways":         {with("channel: paper", "channel: paper, unit: x"), "mapping_rule_both", 4},
		"no identity":              {with("identity: line", ""), "mapping_rule_identity", 2},
		"identity by nothing":      {with("identity: line", "identity: {columns: []}"), "mapping_rule_identity", 8},
		"identity by something":    {with("identity: line", "identity: rows"), "mapping_rule_identity", 8},
		"a question id in capital": {simple + "answers: [{question: Q1, column: q}]", "mapping_rule_id", 9},
		"a question twice":         {simple + "answers:\n- {question: q, column: q}\n- {question: q, column: r}", "mapping_rule_twice", 11},
		"separator of two letters": {simple + "separator: ',,'", "mapping_rule_choice", 9},
		"huge":                     {"# " + strings.Repeat("x", maxMapping), "mapping_large", 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseMapping([]byte(test.text))
			got := fault.Of(err)
			if err == nil || got.Reason != "import_ratings_"+test.reason || got.Code != fault.Invalid {
				t.Fatalf("%v, want %s", err, test.reason)
			}
			for i := 0; i+1 < len(got.Args); i += 2 {
				if got.Args[i] == "line" && got.Args[i+1] != test.line {
					t.Errorf("line %v, want %d", got.Args[i+1], test.line)
				}
			}
			if words := language.Vietnamese.Text("fault."+got.Reason, got.Args...); strings.Contains(words, "{") && !strings.Contains(test.text, "{") {
				t.Errorf("words with holes: %s", words)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for name, test := range map[string]struct {
		patterns, zone, text, reason string
		want                         string
	}{
		"Vietnam's zone by default": {"dd/MM/yyyy HH:mm", "", "02/03/2026 08:00", "", "2026-03-02T01:00:00Z"},
		"one digit":                 {"d/M/yyyy H:mm", "", "2/3/2026 8:00", "", "2026-03-02T01:00:00Z"},
		"only a day":                {"dd-MM-yyyy", "", "02-03-2026", "", "2026-03-01T17:00:00Z"},
		"fractions":                 {"yyyy-MM-dd HH:mm:ss.SSS", "UTC", "2026-03-02 08:00:00.123", "", "2026-03-02T08:00:00.123Z"},
		"microseconds are cut":      {"rfc3339", "", "2026-03-02T08:00:00.123999+07:00", "", "2026-03-02T01:00:00.123Z"},
		"T between":                 {"yyyy-MM-ddTHH:mm", "+09:00", "2026-03-02T08:00", "", "2026-03-01T23:00:00Z"},
		"quoted words":              {"HH 'giờ' mm, dd/MM/yyyy", "", "08 giờ 15, 02/03/2026", "", "2026-03-02T01:15:00Z"},
		"morning and afternoon":     {"dd/MM/yyyy hh:mm a", "", "02/03/2026 01:30 CH", "", "2026-03-02T06:30:00Z"},
		"pm in small letters":       {"dd/MM/yyyy h:mm a", "UTC", "02/03/2026 1:30 pm", "", "2026-03-02T13:30:00Z"},
		"offset in the text":        {"yyyy-MM-dd HH:mm XXX", "", "2026-03-02 08:00 +01:00", "", "2026-03-02T07:00:00Z"},
		"unix":                      {"unix", "", "1772413200", "", "2026-03-02T01:00:00Z"},
		"summer time":               {"yyyy-MM-dd HH:mm", "Europe/London", "2026-07-01 09:00", "", "2026-07-01T08:00:00Z"},
		"second of two formats":     {"dd/MM/yyyy HH:mm|yyyy-MM-dd HH:mm", "", "2026-03-02 08:00", "", "2026-03-02T01:00:00Z"},
		"two meanings":              {"dd/MM/yyyy|MM/dd/yyyy", "", "02/03/2026", reasonTimeTwoWays, ""},
		"one of two meanings":       {"dd/MM/yyyy|MM/dd/yyyy", "UTC", "25/03/2026", "", "2026-03-25T00:00:00Z"},
		"the same either way":       {"dd/MM/yyyy|MM/dd/yyyy", "UTC", "03/03/2026", "", "2026-03-03T00:00:00Z"},
		"31 February":               {"dd/MM/yyyy", "", "31/02/2026", reasonTimeUnread, ""},
		"something behind":          {"dd/MM/yyyy", "", "01/02/2026 x", reasonTimeUnread, ""},
		"a negative number":         {"unix", "", "-5", reasonTimeUnread, ""},
		"year 3000":                 {"dd/MM/yyyy", "", "01/02/3000", reasonTimeRange, ""},
		"nothing":                   {"dd/MM/yyyy", "", "", reasonTimeMissing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			zone, err := parseZone(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			var formats []timeFormat
			for _, pattern := range strings.Split(test.patterns, "|") {
				format, err := parseTimeFormat(pattern)
				if err != nil {
					t.Fatal(err)
				}
				formats = append(formats, format)
			}
			got, reason := readTime(test.text, formats, zone)
			if reason != test.reason || reason == "" && !got.Equal(at(test.want)) {
				t.Errorf("%s %q, want %s %q", got.Format(time.RFC3339Nano), reason, test.want, test.reason)
			}
		})
	}
}

func TestScores(t *testing.T) {
	plain := &scorePlan{labels: map[string]int32{fold("Rất hài lòng"): 5, fold("A+"): 5, fold("A-"): 4}, ignore: map[string]bool{"": true, fold("Không biết"): true}}
	turned := &scorePlan{labels: plain.labels, reverse: true}
	scaled := &scorePlan{scale: []scaleRange{{0, 2, 1}, {2.5, 6, 3}, {9, 10, 5}}}
	for name, test := range map[string]struct {
		plan *scorePlan
		text string
		want scored
	}{
		"label":                    {plain, "RẤT HÀI LÒNG", scored{score: 5}},
		"label without diacritics": {plain, " rat  hai\u00a0long\u200b", scored{score: 5}},
		"signs tell labels apart":  {plain, "a-", scored{score: 4}},
		"number":                   {plain, "4", scored{score: 4}},
		"number with a point":      {plain, "3.0", scored{score: 3}},
		"number with a comma":      {plain, "3,0", scored{score: 3}},
		"full width":               {plain, "３", scored{score: 3}},
		"ignored":                  {plain, "khong biet", scored{ignored: true}},
		"empty is ignored":         {plain, "  ", scored{ignored: true}},
		"empty is missing":         {turned, "", scored{reason: reasonScoreMissing}},
		"turned number":            {turned, "1", scored{score: 5}},
		"turned label":             {turned, "rất hài lòng", scored{score: 1}},
		"scale":                    {scaled, "0", scored{score: 1}},
		"scale, end":               {scaled, "10", scored{score: 5}},
		"scale, hole":              {scaled, "7", scored{reason: reasonScoreRange}},
		"scale, between":           {scaled, "2,25", scored{reason: reasonScoreRange}},
		"infinite":                 {plain, "inf", scored{reason: reasonLabelUnknown}},
		"hexadecimal":              {plain, "0x1p2", scored{reason: reasonLabelUnknown}},
		"a word":                   {plain, "ổn", scored{reason: reasonLabelUnknown}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.plan.read(test.text); got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

func FuzzMapping(f *testing.F) {
	f.Add([]byte(simple))
	f.Add([]byte("answers: [{question: q, choices: {a: b}}]\nlabels: {a: 9}\n"))
	f.Add([]byte("a: &a [*a]\nidentity: {columns: x}\ntime: {columns: [a, b], formats: [\"'\"]}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseMapping(text)
		if err == nil && (m.plan == nil || len(m.plan.timeColumns) == 0 || len(m.plan.formats) == 0) {
			t.Error("a mapping without a time was taken")
		}
		if err != nil && fault.Of(err).Code != fault.Invalid {
			t.Error(err)
		}
	})
}
