package rating

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Cell is the address of the hour cell in which the record counts, day first, so that a sweep reads a day's cells as one
// range: "2026-11-22/UNIT/1/kiosk@3/14".
func (c Counted) Cell() string {
	var b strings.Builder
	b.Grow(len(c.Unit) + len(c.Questionnaire) + 32)
	b.WriteString(string(c.Day))
	b.WriteByte('/')
	b.WriteString(c.Unit)
	b.WriteByte('/')
	b.WriteString(strconv.Itoa(int(c.Channel)))
	b.WriteByte('/')
	b.WriteString(c.Questionnaire)
	b.WriteByte('@')
	b.WriteString(strconv.Itoa(int(c.Version)))
	b.WriteByte('/')
	if c.Hour < 10 {
		b.WriteByte('0')
	}
	b.WriteString(strconv.Itoa(c.Hour))
	return b.String()
}

// ParseCell takes a cell's address apart. Fallback is not part of it.
func ParseCell(cell string) (Counted, error) {
	fail := func() (Counted, error) { return Counted{}, fmt.Errorf("not a cell address: %q", cell) }
	parts := strings.Split(cell, "/")
	if len(parts) != 5 {
		return fail()
	}
	day, err := localday.Parse(parts[0])
	if err != nil {
		return fail()
	}
	channel, err := strconv.Atoi(parts[2])
	if err != nil {
		return fail()
	}
	questionnaire, versionText, ok := strings.Cut(parts[3], "@")
	if !ok {
		return fail()
	}
	version, err := strconv.ParseInt(versionText, 10, 32)
	if err != nil {
		return fail()
	}
	hour, err := strconv.Atoi(parts[4])
	if err != nil || hour < 0 || hour > 23 {
		return fail()
	}
	return Counted{Unit: parts[1], Day: day, Hour: hour, Channel: pb.Channel(channel), Questionnaire: questionnaire, Version: int32(version)}, nil
}
