package chart

import (
	"math"
	"strings"

	"github.com/hailong-vn/hailong/internal/language"
)

// decimal writes a number as the language does, with a true minus sign and never a negative zero.
func decimal(l language.Language, v float64, decimals int) string {
	text := strings.Replace(l.Number(v, decimals), "-", "−", 1)
	if strings.HasPrefix(text, "−") && !strings.ContainsAny(text, "123456789") {
		return strings.TrimPrefix(text, "−")
	}
	return text
}

// percent is "82,4 %" for 0.824.
func percent(l language.Language, share float64) string {
	return l.Text("chart.percent", "value", decimal(l, share*100, 1))
}

// percentWhole is "80 %" for 0.8; a tick that is no whole number keeps its decimal.
func percentWhole(l language.Language, share float64) string {
	v := share * 100
	if math.Abs(v-math.Round(v)) > 0.01 {
		return percent(l, share)
	}
	return l.Text("chart.percent", "value", decimal(l, v, 0))
}

func count(l language.Language, n int) string { return l.Number(float64(n), 0) }

// span is an interval without its sign of percent: "80,1–84,5".
func span(l language.Language, low, high float64) string {
	return l.Text("chart.span", "low", decimal(l, low*100, 1), "high", decimal(l, high*100, 1))
}

// written is a figure in words, for titles and descriptions: "82,4 % (80,1–84,5), n = 1.203".
func written(l language.Language, f Figure) string {
	if text, ok := unshown(l, f); ok {
		return text
	}
	f = f.tidy()
	return l.Text("chart.figure", "share", percent(l, f.Value), "span", span(l, f.Low, f.High), "n", count(l, f.N))
}

// unshown is the reason why a figure is not drawn, and whether there is one.
func unshown(l language.Language, f Figure) (string, bool) {
	switch f.standing() {
	case withheld:
		return l.Text("chart.suppressed"), true
	case missing:
		return l.Text("chart.none"), true
	}
	return "", false
}

// named is "name: words".
func named(l language.Language, name, words string) string {
	return l.Text("chart.named", "name", full(name), "words", words)
}
