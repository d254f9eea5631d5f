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
)

// allActions lists them. Read only.
var allActions = []Action{
	GiveRating, SubmitRatings, RecordRatings, ReadDirectory, ReadOfficials, ChangeDirectory,
	ChangeCatalogues, ManageDevices, ManageAccounts, ManageQuarantine, ReadFigures, ReadRanking,
	ReadFollowUps, ExportReports, NoteFollowUps, ReadRatings, ReadComments, PublishRemedies,
	TypeSlips, RunJobs, ReadJobs, ReadHealth, ReadAudit, SetDuties,
}

type actions map[Action]bool

func only(list ...Action) actions {
	set := make(actions, len(list))
	for _, action := range list {
		set[action] = true
	}
	return set
}

// What each role may do, and what those may who have none. Read only: nothing writes to these tables.
var (
	roleActions = map[pb.Role]actions{
		pb.Role_ROLE_ADMINISTRATOR: only(GiveRating, RecordRatings, ReadDirectory, ReadOfficials, ChangeDirectory,
			ChangeCatalogues, ManageDevices, ManageAccounts, ManageQuarantine, ReadFigures, ReadRanking, ReadFollowUps,
			ExportReports, NoteFollowUps, ReadRatings, ReadComments, PublishRemedies, TypeSlips, RunJobs, ReadJobs, ReadHealth, ReadAudit, SetDuties),
		pb.Role_ROLE_LEADER: only(GiveRating, ReadDirectory, ReadOfficials, ReadFigures, ReadRanking, ReadFollowUps, ExportReports,
			NoteFollowUps, ReadRatings, ReadComments, PublishRemedies, SetDuties),
		pb.Role_ROLE_OPERATOR: only(GiveRating, RecordRatings, ReadDirectory, ReadOfficials, TypeSlips, SetDuties),
		pb.Role_ROLE_OFFICIAL: only(GiveRating, ReadDirectory, ReadFigures),
	}
	deviceActions    = only(SubmitRatings, ReadDirectory)
	anonymousActions = only(GiveRating)
)
