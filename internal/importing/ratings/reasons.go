package ratingimport

// Reasons why a row was not imported. The catalogue holds their words under "import.reason."+reason. What intake refuses
// comes with intake's own reason code.
const (
	reasonTooLong      = "row_too_long"
	reasonQuoteOpen    = "row_quote_open"
	reasonQuoteWrong   = "row_quote_misplaced"
	reasonFieldCount   = "row_field_count"
	reasonNUL          = "row_nul"
	reasonUTF8         = "row_utf8"
	reasonJSON         = "row_json"
	reasonTimeMissing  = "time_missing"
	reasonTimeUnread   = "time_unreadable"
	reasonTimeTwoWays  = "time_ambiguous"
	reasonTimeRange    = "time_range"
	reasonUnitMissing  = "unit_missing"
	reasonUnitUnknown  = "unit_unknown"
	reasonScoreMissing = "score_missing"
	reasonScoreRange   = "score_range"
	reasonLabelUnknown = "label_unknown"
	reasonChoice       = "choice_unknown"
	reasonChannel      = "channel_unknown"
	reasonIdentity     = "identity_empty"
	reasonTextLong     = "text_too_long"
	reasonConflict     = "rating_conflict"
	reasonRejected     = "rating_rejected"
)

// reasons lists them all, so that a test can keep the catalogues complete.
var reasons = [...]string{
	reasonTooLong, reasonQuoteOpen, reasonQuoteWrong, reasonFieldCount, reasonNUL, reasonUTF8, reasonJSON, reasonTimeMissing,
	reasonTimeUnread, reasonTimeTwoWays, reasonTimeRange, reasonUnitMissing, reasonUnitUnknown, reasonScoreMissing, reasonScoreRange,
	reasonLabelUnknown, reasonChoice, reasonChannel, reasonIdentity, reasonTextLong, reasonConflict, reasonRejected,
}

// rowFault is one thing wrong with one row.
type rowFault struct {
	line   int64
	column string // empty = the row as a whole
	reason string
	value  string // what stood there; cut when it is written
	words  string // intake's own words; empty = the catalogue's
}
