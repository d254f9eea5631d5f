package casework

import (
	"io"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Code is what a citizen follows a case by: 12 digits, the last a check digit by Damm (a quasigroup of order 10, which tells every
// single wrong digit and every two neighbours exchanged). The first digit is never 0, so that spreadsheets keep it. It is kept
// without spaces and said in fours: see String.
type Code string

const codeDigits = 12

// damm is the totally anti-symmetric quasigroup of Damm's thesis (2004): damm[interim][digit].
var damm = [10]string{
	"0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
	"3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
} // read only

// check is 0 for digits whose last one is their check digit; for others it is that digit.
func check(digits string) byte {
	interim := byte('0')
	for i := range len(digits) {
		interim = damm[interim-'0'][digits[i]-'0']
	}
	return interim - '0'
}

// NewCode makes a code that cannot be guessed from a source of random bytes such as crypto/rand.Reader: one of 90,000,000,000. Two may be
// the same; whoever stores it sees to that. The error is that of the source.
func NewCode(random io.Reader) (Code, error) {
	var b strings.Builder
	var one [1]byte
	for b.Len() < codeDigits-1 {
		if _, err := io.ReadFull(random, one[:]); err != nil {
			return "", err
		}
		digit := one[0] % 10
		if one[0] >= 250 || b.Len() == 0 && digit == 0 { // each digit as likely as any other
			continue
		}
		b.WriteByte('0' + digit)
	}
	b.WriteByte('0' + check(b.String()))
	return Code(b.String()), nil
}

// ParseCode reads what somebody typed or read out: spaces, dashes and dots do not matter. Invalid "casework_code_sign",
// "casework_code_length" with the number of digits, "casework_code_check" where some digit is wrong.
func ParseCode(text string) (Code, error) {
	if len(text) > 100 {
		return "", fault.New(fault.Invalid, "casework_code_length", "digits", "?", "want", codeDigits)
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case '0' <= r && r <= '9':
			b.WriteByte(byte(r))
		case '０' <= r && r <= '９': // as keyboards of East Asia type them
			b.WriteByte(byte(r - '０' + '0'))
		case strings.ContainsRune(" \t\r\n\u00a0\u202f\u2007-‐‑–—.·/", r):
		default:
			return "", fault.New(fault.Invalid, "casework_code_sign")
		}
	}
	digits := b.String()
	if len(digits) != codeDigits {
		return "", fault.New(fault.Invalid, "casework_code_length", "digits", len(digits), "want", codeDigits)
	}
	if check(digits) != 0 || digits[0] == '0' {
		return "", fault.New(fault.Invalid, "casework_code_check")
	}
	return Code(digits), nil
}

// String is the code in fours, as it is printed and said: "1234 5678 9012".
func (c Code) String() string {
	if len(c) != codeDigits {
		return string(c)
	}
	return string(c[:4] + " " + c[4:8] + " " + c[8:])
}
