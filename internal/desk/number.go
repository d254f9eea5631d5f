package desk

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

// maxNumberBytes limits a slip's number, so that with unit and year it is an id the store takes.
const maxNumberBytes = 128

// number reads the number printed on a slip: what is kept for people, and what is the same for every way of typing it.
func number(text string) (kept, folded string, err error) {
	kept = strings.Join(strings.Fields(norm.NFC.String(text)), " ")
	folded = norm.NFC.String(strings.ToLower(strings.ReplaceAll(norm.NFKC.String(kept), " ", "")))
	if short := strings.TrimLeft(folded, "0"); strings.Trim(folded, "0123456789") == "" && folded != "" {
		folded = short // 007 and 7 are one slip
		if folded == "" {
			folded = "0"
		}
	}
	unprintable := strings.ContainsFunc(kept, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
	if folded == "" || len(kept) > maxNumberBytes || len(folded) > maxNumberBytes || unprintable {
		return "", "", fault.New(fault.Invalid, "desk_number_invalid")
	}
	return kept, folded, nil
}

func slipID(unitID string, filled localday.Day, folded string) string {
	return unitID + "/" + strconv.Itoa(filled.Year()) + "/" + folded
}
