package notice

import (
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
)

// Words are what a notice says: a few words, and a sentence or two.
type Words struct{ Subject, Text string }

// Words answers a notice's words in a language. A topic stands in the catalogues as "notice.<topic>.subject" and ".text", where those who are told for different
// reasons ("audience" among the arguments) need other words as "notice.<topic>.<audience>.subject"; one that does not gets general words.
func (n *Notices) Words(in language.Language, notice Notice) Words {
	return words(in, notice.Topic, n.values(in, notice.Unit, notice.Args), notice.Args)
}

// Line answers a line of a digest in a language.
func (n *Notices) Line(in language.Language, unit string, line Line) string {
	return in.Text(line.Key, n.values(in, unit, line.Args)...)
}

func words(in language.Language, topic string, values []any, args map[string]string) Words {
	key := "notice." + topic
	if strings.HasPrefix(topic, "clock.") && args["number"] == "" && Has(in, key+".action") { // only cases have a number
		key += ".action"
	}
	if told := key + "." + args["audience"]; args["audience"] != "" && Has(in, told) {
		key = told
	}
	if !Has(in, key) {
		key = "notice.general"
	}
	out := Words{in.Text(key+".subject", values...), in.Text(key+".text", values...)}
	if args["due"] != "" {
		out.Text += " " + in.Text("notice.due", values...)
	}
	if args["for"] != "" {
		out.Text += " " + in.Text("notice.for", values...)
	}
	return out
}

// Has tells whether the catalogues have words of their own for a key such as "notice.case.accept".
func Has(in language.Language, key string) bool {
	return in.Text(key+".subject") != key+".subject" && in.Text(key+".text") != key+".text"
}

// values are the arguments as words have them: days as people write them, units and clocks by their names.
func (n *Notices) values(in language.Language, unit string, args map[string]string) []any {
	values := []any{}
	for name, value := range args {
		switch name {
		case "due", "day":
			if day, err := time.Parse(time.DateOnly, value); err == nil {
				value = day.Format("02/01/2006")
			}
		case "clock":
			if key := "notice.clock." + value; in.Text(key) != key {
				value = in.Text(key)
			}
		}
		values = append(values, name, value)
	}
	for name, value := range map[string]string{"unit": n.unitName(unit), "number": "–", "title": "–", "clock": "–", "due": "–", "days": "–"} {
		if args[name] == "" {
			values = append(values, name, value)
		}
	}
	return values
}

func (n *Notices) unitName(unit string) string {
	if unit == "" {
		return "–"
	}
	return oneLine(n.UnitName(unit))
}

// moment writes a time as it is in Vietnam.
func moment(at time.Time) string { return at.In(localday.Zone).Format("02/01/2006 15:04") }
