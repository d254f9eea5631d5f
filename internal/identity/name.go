package identity

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Limits of names and passwords.
const (
	MinName          = 2    // characters
	MaxName          = 100  // characters
	MinPassword      = 10   // characters
	maxPasswordBytes = 4000 // 1,000 characters of up to four bytes
)

// cleanName answers a name as it is kept: NFC, of letters, digits and a few marks, so that no two names look the same
// for an invisible character.
func cleanName(name string) (string, error) {
	if !utf8.ValidString(name) {
		return "", fault.New(fault.Invalid, "account_name_invalid")
	}
	name = norm.NFC.String(name)
	n := utf8.RuneCountInString(name)
	if n < MinName || n > MaxName {
		return "", fault.New(fault.Invalid, "account_name_length", "min", MinName, "max", MaxName)
	}
	spaceBefore := true // a space stands only between other characters
	for _, r := range name {
		switch {
		case r == ' ' && !spaceBefore:
			spaceBefore = true
			continue
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r),
			r == '.', r == '_', r == '-', r == '@', r == '+', r == '\'':
			spaceBefore = false
		default:
			return "", fault.New(fault.Invalid, "account_name_invalid")
		}
	}
	if spaceBefore {
		return "", fault.New(fault.Invalid, "account_name_invalid")
	}
	return name, nil
}

// fold answers what makes two names the same: NFC and letter case do not tell them apart; diacritics do.
func fold(name string) string {
	folded := norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
	// Composing can bring up a letter that folds once more; twice is enough for every character there is.
	return norm.NFC.String(cases.Fold().String(folded))
}

// cleanPassword answers a new password as it is hashed, NFC, so that it is the same from every keyboard.
func cleanPassword(password, name string) (string, error) {
	if !utf8.ValidString(password) || len(password) > maxPasswordBytes {
		return "", fault.New(fault.Invalid, "password_invalid")
	}
	password = norm.NFC.String(password)
	if utf8.RuneCountInString(password) < MinPassword {
		return "", fault.New(fault.Invalid, "password_short", "min", MinPassword)
	}
	if fold(password) == fold(name) {
		return "", fault.New(fault.Invalid, "password_is_name")
	}
	return password, nil
}
