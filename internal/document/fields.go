package document

import (
	"regexp"

	"github.com/hailong-vn/hailong/internal/language"
)

// Field is something a template may say by its name: {{.case_title}}.
type Field struct {
	Name     string
	Label    string // of a field the template adds; "" = the catalogue's, by "document.field.NAME"
	Long     bool   // several lines
	Personal bool   // of the citizen: kept encrypted, read only with a reason
	Given    bool   // by the number, the day or the signer; nobody types it
}

// Fields lists those every template may use.
func Fields() []Field {
	return []Field{
		{Name: "number", Given: true}, {Name: "day", Given: true}, {Name: "month", Given: true}, {Name: "year", Given: true},
		{Name: "authority", Given: true}, {Name: "position", Given: true}, {Name: "signer", Given: true},

		{Name: "parent"}, {Name: "issuer"}, {Name: "organ"}, {Name: "place"},
		{Name: "to", Long: true}, {Name: "copies", Long: true}, {Name: "legal_basis", Long: true},

		{Name: "case_number"}, {Name: "case_code"}, {Name: "case_day"}, {Name: "case_source"}, {Name: "case_title"}, {Name: "about_unit"},
		{Name: "explained_day"}, {Name: "accepted_day"}, {Name: "cause"}, {Name: "analysis", Long: true}, {Name: "remedy", Long: true},
		{Name: "responsible", Long: true}, {Name: "finding"}, {Name: "reply", Long: true},

		{Name: "forward_to"}, {Name: "forward_reason", Long: true}, {Name: "answer_by"}, {Name: "answer_to"},
		{Name: "action_product", Long: true}, {Name: "action_owner"}, {Name: "action_due"},
		{Name: "dossier"}, {Name: "procedure"}, {Name: "due_day"}, {Name: "new_due_day"}, {Name: "late_reason", Long: true},

		{Name: "citizen_name", Personal: true}, {Name: "citizen_address", Personal: true},
	}
}

// Words is what a field is called in a language.
func (f Field) Words(l language.Language) string {
	if f.Label != "" {
		return f.Label
	}
	return l.Text("document.field." + f.Name)
}

// fieldName is what a field a template adds may be called.
var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Samples are values for every field, so that a template can be looked at without a case.
func Samples(own []Field) map[string]string {
	values := map[string]string{}
	for _, f := range Fields() {
		if !f.Given {
			values[f.Name] = language.Vietnamese.Text("document.sample." + f.Name)
		}
	}
	for _, f := range own {
		values[f.Name] = f.Label
	}
	return values
}

// SampleSigner signs what is only looked at.
func SampleSigner() Signer {
	l := language.Vietnamese
	return Signer{Authority: l.Text("document.sample.authority"), Position: l.Text("document.sample.position"), Name: l.Text("document.sample.signer")}
}
