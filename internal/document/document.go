// Package document makes the papers that leaders sign about a case: it reads templates that people edit, fills them with
// what is known, and draws them as PDF and as DOCX, laid out as state documents are (nearest source: Decree 30/2020/NĐ-CP,
// appendix I). What the law may want otherwise is in the templates, not in code.
//
// The package is pure: no store, no clock. Numbers, versions and files are kept by package archive.
package document

import (
	"slices"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Kind is a kind of paper.
type Kind string

// The kinds.
const (
	ExplanationReport Kind = "explanation_report" // báo cáo giải trình
	Transfer          Kind = "transfer"           // phiếu chuyển
	ResultNotice      Kind = "result_notice"      // thông báo kết quả
	CorrectionOrder   Kind = "correction_order"   // văn bản chấn chỉnh
	Apology           Kind = "apology"            // thư xin lỗi, for an error
	LateApology       Kind = "late_apology"       // xin lỗi và đề nghị gia hạn; nearest form: Mẫu 04, TT 03/2025/TT-VPCP
)

// Kinds lists them in the order a person is offered them.
func Kinds() []Kind {
	return []Kind{ExplanationReport, ResultNotice, Apology, LateApology, CorrectionOrder, Transfer}
}

// CheckKind answers Invalid "document_kind_unknown" for what is none.
func CheckKind(kind Kind) error {
	if !slices.Contains(Kinds(), kind) {
		return fault.New(fault.Invalid, "document_kind_unknown")
	}
	return nil
}

// Format is how a paper is written.
type Format string

// The formats.
const (
	PDF  Format = "pdf"
	DOCX Format = "docx"
)

// Formats lists them.
func Formats() []Format { return []Format{PDF, DOCX} }

// MediaType is the format's name on the web.
func (f Format) MediaType() string {
	if f == DOCX {
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	}
	return "application/pdf"
}

// CheckFormat answers Invalid "document_format_unknown" for what is none.
func CheckFormat(format Format) error {
	if !slices.Contains(Formats(), format) {
		return fault.New(fault.Invalid, "document_format_unknown")
	}
	return nil
}

// Limits.
const (
	MaxSource = 64 << 10 // bytes of a template
	MaxValue  = 20_000   // characters of one value
	MaxValues = 100_000  // characters of all values of a paper
	MaxText   = 300_000  // characters of a filled paper
	MaxPages  = 100      // of a PDF
	MaxBlocks = 300      // of a template
	MaxRows   = 200      // of a table
	MaxCells  = 8        // of a row
	MaxOwn    = 30       // fields a template adds
	MaxLabel  = 120      // characters of such a field's label
)
