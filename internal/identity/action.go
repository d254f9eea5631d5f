package identity

import pb "github.com/hailong-vn/hailong/proto/hailong/v1"

// Action is something a caller may or may not do, within its scope.
type Action string

// The actions.
const (
	GiveRating       Action = "give_rating"       // one rating of one's own, on the web
	SubmitRatings    Action = "submit_ratings"    // a device's sealed batches
	RecordRatings    Action = "record_ratings"    // ratings of others: paper slips, calls
	ReadDirectory    Action = "read_directory"    // units, counters, procedures, questionnaires
	ReadOfficials    Action = "read_officials"    // the people who serve
	ChangeDirectory  Action = "change_directory"  // units, counters, officials
	ChangeCatalogues Action = "change_catalogues" // procedures and questionnaires, which belong to all units; needs scope ""
	ManageDevices    Action = "manage_devices"    // make, bind, revoke, list
	ManageAccounts   Action = "manage_accounts"   // make, disable, list
	ManageQuarantine Action = "manage_quarantine" // look at, release; sequence gaps too
	ReadFigures      Action = "read_figures"      // summaries, trends, live figures of a unit's subtree
	ReadRanking      Action = "read_ranking"      // units set beside each other
	ReadFollowUps    Action = "read_follow_ups"   // units whose dissatisfaction is beyond chance
	ExportReports    Action = "export_reports"    // figures as a file
	NoteFollowUps    Action = "note_follow_ups"   // record that a follow-up is known, and why
	ReadRatings      Action = "read_ratings"      // single ratings, without who gave them
	ReadComments     Action = "read_comments"     // the words beside them, and to search in them
	PublishRemedies  Action = "publish_remedies"  // tell citizens what was done
	TypeSlips        Action = "type_slips"        // paper slips, a batch at a time
	RunJobs          Action = "run_jobs"          // imports and recounts, which concern all units; needs scope ""
	ReadJobs         Action = "read_jobs"         // how they go
	ReadHealth       Action = "read_health"       // how the parts of the system are
	ReadAudit        Action = "read_audit"        // who did what
	SetDuties        Action = "set_duties"        // who serves at which counter, and when

	ReadCases        Action = "read_cases"        // cases and their explanations, without the person who spoke
	OpenCases        Action = "open_cases"        // write an opinion down as a case
	ActOnCases       Action = "act_on_cases"      // what of it, and on which, is in the table of package casework
	RevealContacts   Action = "reveal_contacts"   // who spoke and how to reach them, with a reason
	TakeCalls        Action = "take_calls"        // the hotline: calls, callers, call-backs
	ReadCalls        Action = "read_calls"        // the log of calls, without who called
	ReadPraise       Action = "read_praise"       // what citizens thanked for
	ReadCoverage     Action = "read_coverage"     // how far dissatisfied ratings are answered
	NoteRatings      Action = "note_ratings"      // record that ratings need no explanation, and why
	OrderActions     Action = "order_actions"     // corrective actions
	ContestRatings   Action = "contest_ratings"   // one's own, before they count
	DecideContests   Action = "decide_contests"   // those of others
	ReadRegister     Action = "read_register"     // the book of cases; also as a file
	SealRegister     Action = "seal_register"     // close a year of it
	PrepareDocuments Action = "prepare_documents" // write and look at papers that somebody else issues
	IssueDocuments   Action = "issue_documents"   // numbered papers about a case
	ChangeTemplates  Action = "change_templates"  // the wording and layout of such papers
	ChangeCaseRules  Action = "change_case_rules" // deadlines, and which ratings become cases
	RingCalls        Action = "ring_calls"        // tell that a telephone rings; a telephone exchange does nothing else
	ManageCallHooks  Action = "manage_call_hooks" // which telephone exchanges may
	ManageWebhooks   Action = "manage_webhooks"   // whom to tell by machine, and how that went
	SetStandIns      Action = "set_stand_ins"     // who acts for others during leave; for oneself anybody may
	ReadNotices      Action = "read_notices"      // what one was told
)

// role is a column of the matrix.
type role = pb.Role

const (
	administrator = pb.Role_ROLE_ADMINISTRATOR
	leader        = pb.Role_ROLE_LEADER
	head          = pb.Role_ROLE_HEAD
	operator      = pb.Role_ROLE_OPERATOR
	official      = pb.Role_ROLE_OFFICIAL
	inspector     = pb.Role_ROLE_INSPECTOR
)

// grant is a row of the matrix: an action and who may do it, each within its scope.
type grant struct {
	action Action
	roles  []role
}

// matrix says what each role may do. It is the only place that does.
func matrix() []grant {
	everyone := []role{administrator, leader, head, operator, official, inspector}
	return []grant{
		{GiveRating, everyone},
		{ReadDirectory, everyone},
		{ReadNotices, everyone},
		{SetStandIns, everyone},

		{RecordRatings, []role{administrator, operator}},
		{TypeSlips, []role{administrator, operator}},
		{SetDuties, []role{administrator, leader, head, operator}},

		{ReadOfficials, []role{administrator, leader, head, operator, inspector}},
		{ReadFigures, []role{administrator, leader, head, official, inspector}},
		{ReadRanking, []role{administrator, leader, head, inspector}},
		{ReadFollowUps, []role{administrator, leader, head, inspector}},
		{ReadRatings, []role{administrator, leader, head, inspector}},
		{ReadComments, []role{administrator, leader, head, inspector}},
		{ExportReports, []role{administrator, leader, head, inspector}},
		{NoteFollowUps, []role{administrator, leader}},
		{PublishRemedies, []role{administrator, leader}},

		{ReadCases, []role{leader, head, operator, official, inspector}},
		{OpenCases, []role{leader, head, operator}},
		{ActOnCases, []role{leader, head, operator, official}},
		{RevealContacts, []role{leader, operator, inspector}},
		{TakeCalls, []role{operator}},
		{ReadCalls, []role{leader, head, operator, inspector}},
		{ReadPraise, []role{leader, head, operator, official, inspector}},
		{ReadCoverage, []role{leader, head, operator, inspector}},
		{NoteRatings, []role{leader}},
		{OrderActions, []role{leader}},
		{ContestRatings, []role{head, official}},
		{DecideContests, []role{leader}},
		{ReadRegister, []role{leader, head, operator, inspector}},
		{SealRegister, []role{leader}},
		{PrepareDocuments, []role{leader, head, operator}},
		{IssueDocuments, []role{leader, head}},

		{ChangeDirectory, []role{administrator}},
		{ChangeCatalogues, []role{administrator}},
		{ManageDevices, []role{administrator}},
		{ManageAccounts, []role{administrator}},
		{ManageQuarantine, []role{administrator}},
		{RunJobs, []role{administrator}},
		{ReadJobs, []role{administrator}},
		{ReadHealth, []role{administrator}},
		{ReadAudit, []role{administrator, inspector}},
		{ChangeTemplates, []role{administrator}},
		{ChangeCaseRules, []role{administrator}},
		{ManageCallHooks, []role{administrator}},
		{ManageWebhooks, []role{administrator}},
	}
}

type actions map[Action]bool

func only(list ...Action) actions {
	set := make(actions, len(list))
	for _, action := range list {
		set[action] = true
	}
	return set
}

// What the matrix gives each role, and what those may who have none. Read only: nothing writes to these tables.
var (
	roleActions      = byRole(matrix())
	deviceActions    = only(SubmitRatings, ReadDirectory)
	anonymousActions = only(GiveRating)
	exchangeActions  = only(RingCalls)
)

func byRole(rows []grant) map[role]actions {
	out := map[role]actions{}
	for _, row := range rows {
		for _, one := range row.roles {
			if out[one] == nil {
				out[one] = actions{}
			}
			out[one][row.action] = true
		}
	}
	return out
}
