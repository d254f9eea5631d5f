package ratingimport

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// none stands for a column that the mapping does not name.
const none = -1

// plan is a mapping that was checked and is ready to be used. It does not change.
type plan struct {
	columns       []string // names, NFC
	timeColumns   []int
	formats       []timeFormat
	zone          *time.Location
	channel       pb.Channel // constant; unspecified = the column says
	questionnaire string
	version       int32
	language      string
	unit          string // constant
	fixed         [3]string
	unitColumn    int
	channelColumn int
	texts         [6]int // counter, official, procedure, dossier, ticket, slip
	units         map[string]string
	channels      map[string]pb.Channel
	overall       *scorePlan
	answers       []answerPlan
	comment       []commentPlan
	identity      []int // empty = the line
}

type answerPlan struct {
	question  string
	column    int
	score     *scorePlan // nil = choices only
	choices   map[string]string
	separator string
}

type commentPlan struct {
	column int
	label  string
}

var (
	unitPattern     = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	questionPattern = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)
)

// compiler turns a mapping into a plan; the first fault wins.
type compiler struct {
	m    *Mapping
	root *yaml.Node
	plan *plan
	err  *mappingError
}

func compile(m *Mapping, root *yaml.Node) (*plan, error) {
	c := &compiler{m: m, root: root, plan: &plan{}}
	c.general()
	c.time()
	c.constants()
	c.lookups()
	if m.Overall != nil {
		c.plan.overall = c.score(m.Overall.Column, m.Overall.ScoreRules, "overall")
	}
	c.answers()
	for i, part := range m.Comment {
		c.plan.comment = append(c.plan.comment, commentPlan{c.column(part.Column, "comment", strconv.Itoa(i)), norm.NFC.String(part.Label)})
	}
	c.identity()
	if c.err != nil {
		return nil, c.err
	}
	return c.plan, nil
}

// fail keeps the first fault with the line of the deepest part of the path that stands in the text.
func (c *compiler) fail(rule, value string, path ...string) {
	if c.err == nil {
		c.err = &mappingError{line: lineOf(c.root, path), field: strings.Join(path, "."), rule: rule, value: value}
	}
}

// column gives a column its number; none where the name is empty and missing is said to be fine by the caller.
func (c *compiler) column(name string, path ...string) int {
	name = tidy(name)
	if name == "" {
		c.fail("missing", "", append(path, "column")...)
		return none
	}
	if i := slices.Index(c.plan.columns, name); i >= 0 {
		return i
	}
	c.plan.columns = append(c.plan.columns, name)
	return len(c.plan.columns) - 1
}

func (c *compiler) optional(name string, path ...string) int {
	if name == "" {
		return none
	}
	return c.column(name, path...)
}

func (c *compiler) general() {
	if !slices.Contains([]string{"", formatCSV, formatNDJSON}, c.m.Format) {
		c.fail("choice", c.m.Format, "format")
	}
	if !slices.Contains([]string{"", ",", ";", "\t", "|"}, c.m.Separator) {
		c.fail("choice", c.m.Separator, "separator")
	}
	if utf8.RuneCountInString(c.m.Source) > 200 {
		c.fail("long", c.m.Source, "source")
	}
}

func (c *compiler) time() {
	t := c.m.Time
	switch {
	case t.Column != "" && len(t.Columns) > 0:
		c.fail("both", "", "time", "columns")
	case t.Column != "":
		c.plan.timeColumns = []int{c.column(t.Column, "time")}
	case len(t.Columns) == 0:
		c.fail("missing", "", "time", "column")
	}
	for i, name := range t.Columns {
		c.plan.timeColumns = append(c.plan.timeColumns, c.column(name, "time", "columns", strconv.Itoa(i)))
	}
	if len(t.Formats) == 0 {
		c.fail("missing", "", "time", "formats")
	}
	for i, pattern := range t.Formats {
		format, err := parseTimeFormat(pattern)
		if err != nil {
			c.fail("pattern", pattern, "time", "formats", strconv.Itoa(i))
		}
		c.plan.formats = append(c.plan.formats, format)
	}
	zone, err := parseZone(t.Zone)
	if err != nil {
		c.fail("zone", t.Zone, "time", "zone")
	}
	c.plan.zone = zone
}

var channelNames = map[string]pb.Channel{
	"kiosk": pb.Channel_CHANNEL_KIOSK, "web": pb.Channel_CHANNEL_WEB,
	"hotline": pb.Channel_CHANNEL_HOTLINE, "paper": pb.Channel_CHANNEL_PAPER,
}

func (c *compiler) constants() {
	fixed, columns := c.m.Constants, c.m.Columns
	c.plan.channelColumn = c.optional(columns.Channel, "columns", "channel")
	c.either(fixed.Channel, columns.Channel, "channel", true)
	if fixed.Channel != "" {
		var ok bool
		if c.plan.channel, ok = channelNames[fixed.Channel]; !ok {
			c.fail("choice", fixed.Channel, "constants", "channel")
		}
	}
	id, version, ok := strings.Cut(fixed.Questionnaire, "@")
	number, err := strconv.ParseInt(version, 10, 32)
	if !ok || err != nil || number < 1 || number > 1_000_000 || !unitPattern.MatchString(id) {
		c.fail("questionnaire", fixed.Questionnaire, "constants", "questionnaire")
	}
	c.plan.questionnaire, c.plan.version, c.plan.language = id, int32(number), fixed.Language //nolint:gosec // at most a million
	if len(fixed.Language) > 35 {
		c.fail("long", fixed.Language, "constants", "language")
	}
	c.plan.unitColumn = c.optional(columns.Unit, "columns", "unit")
	c.either(fixed.Unit, columns.Unit, "unit", true)
	c.plan.unit = tidy(fixed.Unit)
	c.plan.fixed = [3]string{tidy(fixed.Counter), tidy(fixed.Official), tidy(fixed.Procedure)}
	c.either(fixed.Counter, columns.Counter, "counter", false)
	c.either(fixed.Official, columns.Official, "official", false)
	c.either(fixed.Procedure, columns.Procedure, "procedure", false)
	for i, text := range []struct{ column, field string }{
		{columns.Counter, "counter"}, {columns.Official, "official"}, {columns.Procedure, "procedure"},
		{columns.Dossier, "dossier"}, {columns.Ticket, "ticket"}, {columns.Slip, "slip"},
	} {
		c.plan.texts[i] = c.optional(text.column, "columns", text.field)
	}
}

// either checks that a field has a constant or a column, not both, and one of them where it must be there.
func (c *compiler) either(constant, column, field string, required bool) {
	switch {
	case constant != "" && column != "":
		c.fail("both", constant, "constants", field)
	case required && constant == "" && column == "":
		c.fail("missing", "", "columns", field)
	}
	if utf8.RuneCountInString(constant) > maxText {
		c.fail("long", constant, "constants", field)
	}
}

func (c *compiler) lookups() {
	c.plan.units = map[string]string{}
	for _, text := range slices.Sorted(maps.Keys(c.m.Units)) { // in order, so that the same fault is told at the same line
		c.alike(c.plan.units, text, tidy(c.m.Units[text]), "units")
	}
	c.plan.channels = map[string]pb.Channel{}
	for name, channel := range channelNames {
		c.plan.channels[name] = channel
	}
	for text, name := range c.m.Channels {
		channel, ok := channelNames[name]
		if !ok {
			c.fail("choice", name, "channels", text)
		}
		c.plan.channels[fold(text)] = channel
	}
}

// alike puts a text into a lookup by its folded form. Two texts that fold alike must mean the same.
func (c *compiler) alike(lookup map[string]string, text, target string, path ...string) {
	folded := fold(text)
	if target == "" || folded == "" {
		c.fail("missing", text, append(path, text)...)
	}
	if other, ok := lookup[folded]; ok && other != target {
		c.fail("alike", text, append(path, text)...)
	}
	lookup[folded] = target
}

// score makes the rules of one column, taking what it does not give from the mapping's own.
func (c *compiler) score(column string, own ScoreRules, path ...string) *scorePlan {
	at := func(field string) []string { return append(slices.Clone(path), field) }
	all := c.m.ScoreRules
	p := &scorePlan{column: c.column(column, path...), name: tidy(column), labels: map[string]int32{}, ignore: map[string]bool{}}
	labels, labelsAt := own.Labels, at("labels")
	if labels == nil {
		labels, labelsAt = all.Labels, []string{"labels"}
	}
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		folded, score := fold(label), labels[label]
		if score < 1 || score > 5 {
			c.fail("score", strconv.Itoa(score), append(labelsAt, label)...)
		}
		if other, ok := p.labels[folded]; ok && other != int32(score) || folded == "" { //nolint:gosec // 1 to 5
			c.fail("alike", label, append(labelsAt, label)...)
		}
		p.labels[folded] = int32(score) //nolint:gosec // 1 to 5
	}
	ignore, ignoreAt := own.Ignore, at("ignore")
	if ignore == nil {
		ignore, ignoreAt = all.Ignore, []string{"ignore"}
	}
	for _, label := range ignore {
		folded := fold(label)
		if _, ok := p.labels[folded]; ok {
			c.fail("alike", label, ignoreAt...)
		}
		p.ignore[folded] = true
	}
	p.skip = c.ignored(own.Ignored, all.Ignored, at("ignored"))
	scale, scaleAt := own.Scale, at("scale")
	if scale == nil {
		scale, scaleAt = all.Scale, []string{"scale"}
	}
	p.scale = c.scale(scale, scaleAt)
	if reverse := cmp.Or(own.Reverse, all.Reverse); reverse != nil {
		p.reverse = *reverse
	}
	return p
}

func (c *compiler) ignored(own, all string, path []string) (skip bool) {
	switch word := cmp.Or(own, all, "not_asked"); word {
	case "not_asked":
	case "skip":
		return true
	default:
		if own == "" {
			path = []string{"ignored"}
		}
		c.fail("choice", word, path...)
	}
	return false
}

func (c *compiler) scale(ranges map[string]int, path []string) []scaleRange {
	var scale []scaleRange
	for text, score := range ranges {
		from, to, ok := parseRange(text)
		if !ok {
			c.fail("range", text, append(path, text)...)
		}
		if score < 1 || score > 5 {
			c.fail("score", strconv.Itoa(score), append(path, text)...)
		}
		scale = append(scale, scaleRange{from, to, int32(score)}) //nolint:gosec // 1 to 5
	}
	slices.SortFunc(scale, func(a, b scaleRange) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(scale); i++ {
		if scale[i].from <= scale[i-1].to {
			c.fail("range", strconv.FormatFloat(scale[i].from, 'g', -1, 64), path...)
		}
	}
	return scale
}

func (c *compiler) answers() {
	asked := map[string]bool{}
	for i, a := range c.m.Answers {
		at := []string{"answers", strconv.Itoa(i)}
		if !questionPattern.MatchString(a.Question) {
			c.fail("id", a.Question, append(at, "question")...)
		}
		if asked[a.Question] {
			c.fail("twice", a.Question, append(at, "question")...)
		}
		asked[a.Question] = true
		p := answerPlan{question: a.Question, column: c.column(a.Column, at...), separator: a.Separator}
		if len(a.Choices) > 0 {
			p.choices = map[string]string{}
		}
		for _, text := range slices.Sorted(maps.Keys(a.Choices)) {
			id := a.Choices[text]
			if !questionPattern.MatchString(id) {
				c.fail("id", id, append(at, "choices", text)...)
			}
			c.alike(p.choices, text, id, append(at, "choices")...)
		}
		if len(a.Choices) == 0 || a.Labels != nil || a.Scale != nil {
			p.score = c.score(a.Column, a.ScoreRules, at...)
		}
		if p.score != nil && a.Separator != "" {
			c.fail("both", a.Separator, append(at, "separator")...)
		}
		c.plan.answers = append(c.plan.answers, p)
	}
	if c.m.Overall == nil && len(c.m.Answers) == 0 {
		c.fail("missing", "", "overall")
	}
}

func (c *compiler) identity() {
	if !c.m.Identity.Line && len(c.m.Identity.Columns) == 0 {
		c.fail("identity", "", "identity")
	}
	for i, name := range c.m.Identity.Columns {
		c.plan.identity = append(c.plan.identity, c.column(name, "identity", "columns", strconv.Itoa(i)))
	}
}

// lineOf finds the line of a path in the text; where the path ends early, the line of what is there of it.
func lineOf(root *yaml.Node, path []string) int {
	node := root
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	line := node.Line
	for _, part := range path {
		next := (*yaml.Node)(nil)
		switch node.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == part {
					next, line = node.Content[i+1], node.Content[i].Line
				}
			}
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(part); err == nil && i < len(node.Content) {
				next, line = node.Content[i], node.Content[i].Line
			}
		}
		if next == nil {
			break
		}
		node = next
	}
	return line
}
