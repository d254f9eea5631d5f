package ratingimport

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Limits of the contract, checked here so that the errors name line and column.
const (
	maxText    = 64     // characters of an id or code
	maxComment = 10_000 // characters
	maxMemo    = 10_000 // texts whose meaning is remembered
)

// made is what became of a row.
type made struct {
	item     *pb.SealedRating // nil = faults or skip
	id       rowID
	unit     string
	score    int32
	occurred time.Time
	skip     bool   // the mapping leaves it out
	ignored  string // the label that meant no answer, with its column
	faults   []rowFault
}

// maker makes ratings of rows. It is used by one goroutine.
type maker struct {
	plan     *plan
	source   string
	units    UnitResolver
	saltKey  []byte
	unitMemo map[string]string // by the text of the file; "" = unknown
	memos    map[*scorePlan]map[string]scored
	parts    []string
	buffer   []byte
}

func newMaker(p *plan, source string, options Options) *maker {
	m := &maker{plan: p, source: source, units: options.Units, saltKey: options.SaltKey, unitMemo: map[string]string{}, memos: map[*scorePlan]map[string]scored{}}
	if p.overall != nil {
		m.memos[p.overall] = map[string]scored{}
	}
	for _, a := range p.answers {
		if a.score != nil {
			m.memos[a.score] = map[string]scored{}
		}
	}
	return m
}

// row is a row under way.
type row struct {
	record
	made
	rating pb.Rating
}

func (r *row) fault(column, reason, value string) {
	r.faults = append(r.faults, rowFault{line: r.line, column: column, reason: reason, value: value})
}

// make turns a readable record into a sealed rating, or says everything that is wrong with it.
func (m *maker) make(rec record) (made, error) {
	r := &row{record: rec}
	p := m.plan
	r.rating.QuestionnaireId, r.rating.QuestionnaireVersion, r.rating.Language = p.questionnaire, p.version, p.language
	m.overall(r)
	if r.skip {
		return r.made, nil
	}
	m.when(r)
	m.unit(r)
	m.channel(r)
	m.texts(r)
	m.answers(r)
	comment := m.comment(r)
	identity := m.identity(r)
	if len(r.faults) > 0 {
		return r.made, nil
	}
	r.rating.Id = r.id.text()
	sealed := &pb.SealedRating{}
	if comment != "" {
		sealed.Private = &pb.Private{Comment: comment, Salt: saltOf(m.saltKey, identity)}
		commitment, err := rating.Commitment(sealed.Private)
		if err != nil {
			return r.made, err
		}
		r.rating.PrivateCommitment = commitment
	}
	var err error
	if sealed.Rating, err = (proto.MarshalOptions{Deterministic: true}).Marshal(&r.rating); err != nil {
		return r.made, err
	}
	r.item = sealed
	return r.made, nil
}

// read scores a text, remembering what a text came to.
func (m *maker) read(p *scorePlan, text string) scored {
	memo := m.memos[p]
	result, ok := memo[text]
	if !ok {
		result = p.read(text)
		if len(memo) < maxMemo && len(text) < 200 {
			memo[text] = result
		}
	}
	return result
}

func (m *maker) overall(r *row) {
	p := m.plan.overall
	if p == nil {
		return
	}
	text := r.values[p.column]
	result := m.read(p, text)
	if result.reason != "" {
		r.fault(p.name, result.reason, text)
	}
	if result.ignored {
		r.ignored, r.skip = p.name+": "+tidy(text), result.skip
	}
	r.score, r.rating.OverallScore = result.score, result.score
}

func (m *maker) when(r *row) {
	p := m.plan
	text := strings.TrimSpace(r.values[p.timeColumns[0]])
	for _, column := range p.timeColumns[1:] {
		text = strings.TrimSpace(text + " " + strings.TrimSpace(r.values[column]))
	}
	t, reason := readTime(text, p.formats, p.zone)
	if reason != "" {
		r.fault(p.columns[p.timeColumns[0]], reason, text)
		return
	}
	r.occurred, r.rating.OccurredAt = t, timestamppb.New(t)
}

func (m *maker) unit(r *row) {
	column, text := "", m.plan.unit
	if m.plan.unitColumn != none {
		column, text = m.plan.columns[m.plan.unitColumn], r.values[m.plan.unitColumn]
	}
	id, ok := m.unitMemo[text]
	if !ok {
		id = m.resolve(text)
		if len(m.unitMemo) < maxMemo && len(text) < 1000 {
			m.unitMemo[text] = id
		}
	}
	switch {
	case id != "":
		r.unit, r.rating.UnitId = id, id
	case strings.TrimSpace(text) == "":
		r.fault(column, reasonUnitMissing, "")
	default:
		r.fault(column, reasonUnitUnknown, text)
	}
}

// resolve finds the unit a text names: by the mapping, then by id, code or name.
func (m *maker) resolve(text string) string {
	text = tidy(text)
	if target, ok := m.plan.units[fold(text)]; ok {
		text = target
	}
	if text == "" {
		return ""
	}
	if m.units != nil {
		id, _ := m.units.ResolveUnit(text)
		return id
	}
	if unitPattern.MatchString(text) {
		return text
	}
	return ""
}

func (m *maker) channel(r *row) {
	r.rating.Channel = m.plan.channel
	if column := m.plan.channelColumn; column != none {
		channel, ok := m.plan.channels[fold(r.values[column])]
		if !ok {
			r.fault(m.plan.columns[column], reasonChannel, r.values[column])
		}
		r.rating.Channel = channel
	}
}

func (m *maker) texts(r *row) {
	p := m.plan
	targets := [6]*string{
		&r.rating.CounterId, &r.rating.OfficialId, &r.rating.ProcedureCode, &r.rating.DossierCode, &r.rating.TicketCode, &r.rating.SlipNumber,
	}
	for i, column := range p.texts {
		text := ""
		if i < len(p.fixed) {
			text = p.fixed[i]
		}
		if column != none {
			if text = tidy(r.values[column]); utf8.RuneCountInString(text) > maxText {
				r.fault(p.columns[column], reasonTextLong, text)
			}
		}
		*targets[i] = text
	}
}

func (m *maker) answers(r *row) {
	for _, p := range m.plan.answers {
		text := r.values[p.column]
		if strings.TrimSpace(text) == "" {
			continue
		}
		answer := &pb.Answer{QuestionId: p.question}
		if p.score != nil {
			result := m.read(p.score, text)
			if result.reason != "" {
				r.fault(p.score.name, result.reason, text)
				continue
			}
			if result.ignored {
				continue
			}
			answer.Score = result.score
		}
		if p.choices != nil && !m.choices(r, p, text, answer) {
			continue
		}
		r.rating.Answers = append(r.rating.Answers, answer)
	}
}

// choices reads the choices of a field. A text beside labels needs no choice of its own.
func (m *maker) choices(r *row, p answerPlan, text string, answer *pb.Answer) bool {
	parts := []string{text}
	if p.separator != "" && !strings.Contains(text, several) {
		parts = strings.Split(text, p.separator)
	} else if strings.Contains(text, several) {
		parts = strings.Split(text, several)
	}
	for _, part := range parts {
		folded := fold(part)
		if folded == "" {
			continue
		}
		id, ok := p.choices[folded]
		if !ok && p.score == nil {
			r.fault(m.plan.columns[p.column], reasonChoice, part)
			return false
		}
		if ok && !slices.Contains(answer.ChoiceIds, id) {
			answer.ChoiceIds = append(answer.ChoiceIds, id)
		}
	}
	return answer.Score != 0 || len(answer.ChoiceIds) > 0
}

// comment joins the comment columns. The words stay as they came.
func (m *maker) comment(r *row) string {
	var b strings.Builder
	for _, p := range m.plan.comment {
		text := strings.ReplaceAll(r.values[p.column], several, ", ")
		if strings.TrimSpace(text) == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if p.label != "" {
			b.WriteString(p.label + ": ")
		}
		b.WriteString(text)
	}
	if n := utf8.RuneCountInString(b.String()); n > maxComment {
		r.fault(m.plan.columns[m.plan.comment[0].column], reasonTextLong, strconv.Itoa(n))
	}
	return b.String()
}

// identity makes the row's id.
func (m *maker) identity(r *row) []byte {
	byLine := len(m.plan.identity) == 0
	var parts []string
	if !byLine {
		empty := true
		m.parts = m.parts[:0]
		for _, column := range m.plan.identity {
			text := tidy(r.values[column])
			empty = empty && text == ""
			m.parts = append(m.parts, text)
		}
		if parts = m.parts; empty {
			r.fault(m.plan.columns[m.plan.identity[0]], reasonIdentity, "")
		}
	}
	m.buffer = identityOf(m.buffer, m.source, parts, r.line)
	r.id = newRowID(m.buffer, r.line, byLine)
	return m.buffer
}
