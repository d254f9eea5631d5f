package casework

import (
	"path"
	"slices"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Finding is whether the citizen was right.
type Finding string

// The findings.
const (
	Upheld    Finding = "upheld"
	Partly    Finding = "partly"
	NotUpheld Finding = "not"
)

// Findings lists them.
func Findings() []Finding { return []Finding{Upheld, Partly, NotUpheld} }

func (f Finding) valid() bool { return slices.Contains(Findings(), f) }

// Cause is the category of a cause.
type Cause string

// Causes lists the categories, in words in the catalogue as "casework.cause.<key>".
func Causes() []Cause {
	return []Cause{"attitude", "guidance", "lateness", "overload", "absence", "procedure", "paperwork", "fees", "software", "equipment", "premises", "cooperation", "rules", "misunderstanding", "no_fault", "other"}
}

// Apology is whether the citizen was asked for pardon. It is always said, one way or the other.
type Apology string

// The ways.
const (
	Apologised Apology = "yes"
	WillSay    Apology = "will" // with the reply
	NoApology  Apology = "no"
)

// Apologies lists them.
func Apologies() []Apology { return []Apology{Apologised, WillSay, NoApology} }

// Explanation is a giải trình: what a unit says to an opinion.
type Explanation struct {
	Cause       Cause        `bson:"cause"`
	Analysis    string       `bson:"analysis"`              // what happened and why
	Remedy      string       `bson:"remedy,omitempty"`      // what was or will be done; needed unless the finding is NotUpheld
	Responsible []string     `bson:"responsible,omitempty"` // officials; needed unless the finding is NotUpheld or the unit as a whole is
	Together    bool         `bson:"together,omitempty"`    // the unit as a whole is responsible, not one person
	Apology     Apology      `bson:"apology"`
	Finding     Finding      `bson:"finding"` // as the unit sees it; the one who accepts decides
	Attachments []Attachment `bson:"attachments,omitempty"`
}

// Attachment is a file beside a text; its bytes are kept elsewhere.
type Attachment struct {
	ID   string `bson:"id"`   // of the bytes
	Name string `bson:"name"` // as a person named it
	Type string `bson:"type"` // media type
	Size int64  `bson:"size"` // bytes
}

// Limits of attachments.
const (
	MaxAttachments    = 10
	MaxAttachmentSize = 10 << 20 // bytes
	// LeastAnalysis is how many characters say anything at all.
	LeastAnalysis = 20
)

// AttachmentTypes are the media types that may be attached, with the endings of their names.
func AttachmentTypes() map[string][]string {
	return map[string][]string{
		"application/pdf": {".pdf"},
		"image/jpeg":      {".jpg", ".jpeg"},
		"image/png":       {".png"},
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document": {".docx"},
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":       {".xlsx"},
	}
}

// Check says whether this can be attached, by its name, size and type; whether the bytes are what the type says is for whoever
// holds them. Invalid "casework_attachment_name", "casework_attachment_size", "casework_attachment_type".
func (a Attachment) Check() (Attachment, error) {
	name, err := clean("name", a.Name, MaxName)
	if a.Name = name; err != nil || name == "" || strings.ContainsAny(name, "/\\\n\t") || strings.HasPrefix(name, ".") {
		return a, fault.New(fault.Invalid, "casework_attachment_name")
	}
	if !isID(a.ID) {
		return a, fault.New(fault.Invalid, "casework_attachment_name")
	}
	if a.Size < 1 || a.Size > MaxAttachmentSize {
		return a, fault.New(fault.Invalid, "casework_attachment_size", "name", name, "limit", MaxAttachmentSize>>20)
	}
	if !slices.Contains(AttachmentTypes()[a.Type], strings.ToLower(path.Ext(name))) {
		return a, fault.New(fault.Invalid, "casework_attachment_type", "name", name)
	}
	return a, nil
}

// Faults is everything that is wrong with what somebody wrote, in the order of the form.
type Faults = fault.Faults

// Check answers an explanation as it is kept. Everything that is wrong is told at once: the error is Faults, each Invalid:
// "casework_explanation_cause", "…_analysis", "…_remedy", "…_responsible", "…_apology", "…_finding", "…_attachments", and those of
// texts and attachments. A draft is kept as typed and not checked.
func (x Explanation) Check() (Explanation, error) {
	var faults Faults
	wrong := func(field string, args ...any) {
		faults = append(faults, fault.New(fault.Invalid, "casework_explanation_"+field, args...))
	}
	text := func(field, value string) string {
		value, err := clean(field, value, maxLong)
		if err != nil {
			faults = append(faults, fault.Of(err))
		}
		return value
	}
	if !slices.Contains(Causes(), x.Cause) {
		wrong("cause")
	}
	upheld := x.Finding != NotUpheld
	if x.Analysis = text("analysis", x.Analysis); len([]rune(x.Analysis)) < LeastAnalysis {
		wrong("analysis", "least", LeastAnalysis)
	}
	if x.Remedy = text("remedy", x.Remedy); upheld && x.Remedy == "" {
		wrong("remedy")
	}
	x.Responsible = unique(x.Responsible, nil)
	if !areIDs(x.Responsible, MaxOfficials) || upheld && len(x.Responsible) == 0 && !x.Together {
		wrong("responsible", "limit", MaxOfficials)
	}
	if !slices.Contains(Apologies(), x.Apology) {
		wrong("apology")
	}
	if !x.Finding.valid() {
		wrong("finding")
	}
	if len(x.Attachments) > MaxAttachments {
		wrong("attachments", "limit", MaxAttachments)
	} else {
		var err error
		if x.Attachments, err = attached(x.Attachments); err != nil {
			faults = append(faults, fault.Of(err))
		}
	}
	if len(faults) > 0 {
		return x, faults
	}
	return x, nil
}

func attached(list []Attachment) ([]Attachment, error) {
	if len(list) == 0 {
		return nil, nil // as a store gives it back
	}
	list = slices.Clone(list)
	for i, one := range list {
		var err error
		if list[i], err = one.Check(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Text is all of an explanation that can be copied from another: what Copied looks at.
func (x Explanation) Text() string { return x.Analysis + "\n" + x.Remedy }
