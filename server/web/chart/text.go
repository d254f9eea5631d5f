package chart

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	ellipsis    = "…"
	longest     = 1000 // clusters of the longest text kept in a title
	marksAtMost = 4    // marks kept on one letter; Vietnamese needs two
	mostBytes   = 16 << 10
)

// clean makes a name of unknown origin fit to be drawn: NFC, one line, without characters that XML forbids, that turn
// the reading direction of what follows, or that cannot be seen. Joiners stay, because scripts need them.
func clean(text string) string {
	text = text[:min(len(text), mostBytes)]
	if plain(text) {
		return text
	}
	text = norm.NFC.String(strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == '\u200c' || r == '\u200d': // joiners
			return r
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), r == '\ufffe', r == '\uffff':
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// plain tells that clean would change nothing, and that each letter stands for itself: so of almost all names, which are looked at many
// times a page. Vietnamese letters in NFC are there, marks by themselves are not.
func plain(text string) bool {
	spaced := true // the beginning is like a space
	for _, r := range text {
		switch {
		case r == ' ':
			if spaced {
				return false
			}
			spaced = true
			continue
		case r < ' ' || r >= 0x7f && r < 0xa1 || r == 0xad: // controls, the other space, the hyphen that cannot be seen
			return false
		case r < 0x250, r >= 0x1ea0 && r < 0x1efa, r >= 0x2012 && r < 0x2028, r == 0x2030:
		default:
			return false
		}
		spaced = false
	}
	return !spaced
}

// full is a text for a title: clean, whole unless it is absurdly long, and set apart where it runs from right to
// left, so that the figures beside it keep their order.
func full(text string) string {
	text = clean(text)
	if len(text) <= longest && plain(text) {
		return text
	}
	parts := clusters(text)
	whole := strings.Join(parts, "")
	if len(parts) > longest {
		whole = strings.Join(parts[:longest], "") + ellipsis
	}
	if strings.ContainsFunc(whole, rightToLeft) {
		return "\u2068" + whole + "\u2069"
	}
	return whole
}

func rightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
}

// clusters cuts text where a reader sees letters end: marks, joiners with what they join, emoji modifiers and pairs of
// regional indicators stay with what they belong to. Marks heaped on one letter beyond reason are dropped.
func clusters(text string) []string {
	parts := make([]string, 0, len(text))
	if plain(text) {
		for at, r := range text {
			parts = append(parts, text[at:at+utf8.RuneLen(r)])
		}
		return parts
	}
	marks, flags, joined := 0, 0, false
	for _, r := range text {
		flag := r >= 0x1F1E6 && r <= 0x1F1FF
		joiner := r == '\u200c' || r == '\u200d'
		attached := len(parts) > 0 && (unicode.Is(unicode.M, r) || joiner || joined || r >= 0x1F3FB && r <= 0x1F3FF || flag && flags%2 == 1)
		joined = r == '\u200d' && attached
		if flag {
			flags++
		} else {
			flags = 0
		}
		if !attached {
			parts, marks = append(parts, string(r)), 0
			continue
		}
		if marks++; marks <= marksAtMost {
			parts[len(parts)-1] += string(r)
		}
	}
	return parts
}

// fit is a clean text, and fitEnd one of these clusters, that takes at most so many pixels at a letter size, cut at the end.
func fit(text string, size, width float64) string { return fitEnd(clusters(clean(text)), size, width) }

func fitEnd(parts []string, size, width float64) string {
	if widthOf(parts)*size <= width {
		return strings.Join(parts, "")
	}
	room := width/size - widthOf([]string{ellipsis})
	n := headWithin(parts, room)
	return headOf(parts[:n]) + ellipsis
}

// idle letters are left out where a name is cut. They are told by whole letters: a mark that stood on a comma must not fall on
// what comes before.
func idle(part string) bool { return part == " " || part == "," || part == "-" || part == "–" }

func headOf(parts []string) string {
	for len(parts) > 0 && idle(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, "")
}

func tailOf(parts []string) string {
	for len(parts) > 0 && idle(parts[0]) {
		parts = parts[1:]
	}
	return strings.Join(parts, "")
}

// fitMiddle is fitEnd for names whose ends tell them apart ("Trung tâm Phục vụ hành chính công … Ba Đình"): it cuts in the
// middle and keeps the larger part of the end.
func fitMiddle(parts []string, size, width float64) string {
	if widthOf(parts)*size <= width {
		return strings.Join(parts, "")
	}
	room := width/size - widthOf([]string{ellipsis})
	head := wordEnd(parts, headWithin(parts, room*0.45))
	left := room - widthOf(parts[:head])
	tail := len(parts)
	for tail > head && left >= widthOf(parts[tail-1:tail]) {
		tail--
		left -= widthOf(parts[tail : tail+1])
	}
	tail = wordBegin(parts, tail)
	return headOf(parts[:head]) + ellipsis + tailOf(parts[tail:])
}

// wordEnd moves a cut back to the end of a word, unless that would give up more than half.
func wordEnd(parts []string, n int) int {
	for i := n; i > n/2; i-- {
		if i < len(parts) && parts[i] == " " {
			return i
		}
	}
	return n
}

// wordBegin moves a cut forward to the beginning of a word, unless that would give up more than half.
func wordBegin(parts []string, n int) int {
	for i := n; i < n+(len(parts)-n)/2; i++ {
		if i > 0 && parts[i-1] == " " {
			return i
		}
	}
	return n
}

func headWithin(parts []string, room float64) int {
	n := 0
	for n < len(parts) {
		w := widthOf(parts[n : n+1])
		if w > room {
			break
		}
		room -= w
		n++
	}
	return n
}

// widthOf estimates the advance of clusters in em, a little generously, from the widths of Noto Sans.
func widthOf(parts []string) float64 {
	total := 0.0
	for _, part := range parts {
		r := base(part)
		switch {
		case 'a' <= r && r <= 'z' && !strings.ContainsRune("fijlmrtw", r):
			total += 0.58
		case strings.ContainsRune("iljI.,:;'|![]()", r):
			total += 0.30
		case r == ' ' || r == '\u00a0':
			total += 0.27
		case strings.ContainsRune("ftr-", r):
			total += 0.40
		case strings.ContainsRune("mMwW—…%", r):
			total += 0.92
		case unicode.IsDigit(r):
			total += 0.58
		case unicode.IsUpper(r):
			total += 0.70
		case r >= 0x1100:
			if unicode.In(r, unicode.Latin) { // Latin Extended Additional
				total += 0.60
			} else {
				total += 1.2
			}
		default:
			total += 0.58
		}
	}
	return total
}

// base is the letter that marks stand on.
func base(part string) rune {
	r, size := utf8.DecodeRuneInString(part)
	if r < utf8.RuneSelf {
		return r
	}
	if apart := norm.NFD.PropertiesString(part[:size]).Decomposition(); len(apart) > 0 {
		r, _ = utf8.DecodeRune(apart)
	}
	return r
}

// pixels is the estimated width of a text of our own making.
func pixels(text string, size float64) float64 { return widthOf(clusters(text)) * size }
