package operations

import (
	"net/url"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// subject is whom or what something was done to, as people call it today.
type subject struct{ Name, Link string }

// kindOf is what the calls of a name are about; "" where their subject has no other name than the one it is kept under.
func kindOf(action string) string {
	for _, one := range []struct{ kind, actions string }{
		{"unit", "GetUnitSummary WatchUnit ListRatings NoteFollowUp"},
		{"device", "SetKioskSettings"},
		{"job", "StartImport StartReconcile CancelJob"},
		{"quarantined", "ReleaseQuarantined DiscardQuarantined"},
		{"account", "CreateSession DeleteSession ChangePassword ResetPassword"},
	} {
		for known := range strings.FieldsSeq(one.actions) {
			if action == known {
				return one.kind
			}
		}
	}
	for _, one := range []struct{ kind, word string }{
		{"counter", "Counter"}, {"official", "Official"}, {"device", "Device"}, {"account", "Account"}, {"remedy", "Remedy"}, {"batch", "Batch"}, {"unit", "Unit"},
	} {
		if strings.Contains(action, one.word) {
			return one.kind
		}
	}
	return ""
}

// atMost bounds how many pages of a list are read for names: what was refused may bear an id that nothing has.
const atMost = 20

// subjects names the subjects of entries as far as the visitor may know them, each list read once and no further than needed.
func subjects(v *web.Visit, entries []*pb.AuditEntry) map[string]map[string]subject {
	named := map[string]map[string]subject{}
	wanted := map[string]map[string]bool{}
	for _, entry := range entries {
		if kind := kindOf(entry.GetAction()); kind != "" && entry.GetSubject() != "" {
			if wanted[kind] == nil {
				wanted[kind], named[kind] = map[string]bool{}, map[string]subject{}
			}
			wanted[kind][entry.GetSubject()] = true
		}
	}
	for kind, ids := range wanted {
		after, pages := "", 0
		for more := true; more && len(ids) > 0 && pages < atMost; more = after != "" {
			pages++
			var found map[string]subject
			if found, after = someOf(v, kind, ids, after); found == nil {
				break // not for this visitor, or not to be had now: an id is left as it is
			}
			for id, one := range found {
				if ids[id] {
					named[kind][id] = one
					delete(ids, id)
				}
			}
		}
	}
	return named
}

// someOf reads one page of what there is of a kind; nil where it cannot be read.
func someOf(v *web.Visit, kind string, ids map[string]bool, after string) (found map[string]subject, next string) {
	found = map[string]subject{}
	const many = 1000
	var err error
	switch {
	case kind == "unit" && v.Account.GetUnitId() == "":
		for id := range ids { // others would be seen asking for units that are not theirs
			if u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id}); err == nil {
				found[id] = unitSubject(u)
			}
		}
	case kind == "unit":
		var list *pb.ListUnitsResponse
		list, err = v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{PageSize: many, PageToken: after})
		for _, u := range list.GetUnits() {
			found[u.GetId()] = unitSubject(u)
		}
		next = list.GetNextPageToken()
	case kind == "counter":
		var list *pb.ListCountersResponse
		list, err = v.Directory.ListCounters(v.Context(), &pb.ListCountersRequest{PageSize: many, PageToken: after})
		for _, c := range list.GetCounters() {
			found[c.GetId()] = subject{c.GetName(), "/admin/units/" + url.PathEscape(c.GetUnitId()) + "/counters/" + url.PathEscape(c.GetId())}
		}
		next = list.GetNextPageToken()
	case kind == "official" && v.May("read_officials"):
		var list *pb.ListOfficialsResponse
		list, err = v.Directory.ListOfficials(v.Context(), &pb.ListOfficialsRequest{PageSize: many, PageToken: after})
		for _, o := range list.GetOfficials() {
			found[o.GetId()] = subject{o.GetName(), "/admin/units/" + url.PathEscape(o.GetUnitId()) + "#officials"}
		}
		next = list.GetNextPageToken()
	case kind == "device" && v.May("manage_devices"):
		var list *pb.ListDevicesResponse
		list, err = v.Directory.ListDevices(v.Context(), &pb.ListDevicesRequest{PageSize: many, PageToken: after})
		for _, d := range list.GetDevices() {
			found[d.GetId()] = subject{d.GetName(), "/admin/devices/" + url.PathEscape(d.GetId())}
		}
		next = list.GetNextPageToken()
	case kind == "account" && v.May("manage_accounts"):
		var list *pb.ListAccountsResponse
		list, err = v.Identity.ListAccounts(v.Context(), &pb.ListAccountsRequest{PageSize: many, PageToken: after})
		for _, a := range list.GetAccounts() {
			one := subject{a.GetName(), "/admin/accounts/" + url.PathEscape(a.GetId())}
			found[a.GetId()], found[a.GetName()] = one, one // who was refused is kept by name
		}
		next = list.GetNextPageToken()
	case kind == "job" && v.May("read_jobs") && v.Account.GetUnitId() == "":
		var list *pb.ListJobsResponse
		list, err = v.Operations.ListJobs(v.Context(), &pb.ListJobsRequest{PageSize: many, PageToken: after})
		for _, j := range list.GetJobs() {
			name := j.GetSubject()
			if name == "" {
				name = v.Text("operationspage.kind." + j.GetKind())
			}
			found[j.GetId()] = subject{name, "/admin/jobs/" + url.PathEscape(j.GetId())}
		}
		next = list.GetNextPageToken()
	case kind == "remedy" && v.May("publish_remedies"):
		var list *pb.ListRemediesResponse
		list, err = v.Remedies.ListRemedies(v.Context(), &pb.ListRemediesRequest{PageSize: many, PageToken: after})
		for _, r := range list.GetRemedies() {
			found[r.GetId()] = subject{Name: begins(r.GetText())}
		}
		next = list.GetNextPageToken()
	case kind == "batch" && v.May("type_slips"):
		var list *pb.ListBatchesResponse
		list, err = v.Desk.ListBatches(v.Context(), &pb.ListBatchesRequest{PageSize: many, PageToken: after})
		for _, b := range list.GetBatches() {
			found[b.GetId()] = subject{Name: b.GetUnitName() + ", " + web.Day(v.Language, b.GetFilledOn())}
		}
		next = list.GetNextPageToken()
	case kind == "quarantined" && v.May("manage_quarantine"):
		for id := range ids {
			found[id] = subject{v.Text("operationspage.item"), "/admin/quarantine/" + url.PathEscape(id)}
		}
	default:
		return nil, ""
	}
	if err != nil {
		return nil, ""
	}
	return found, next
}

func unitSubject(u *pb.Unit) subject {
	return subject{u.GetName(), "/admin/units/" + url.PathEscape(u.GetId())}
}

// begins is the beginning of a text, as a name for it.
func begins(text string) string {
	const enough = 60
	if letters := []rune(text); len(letters) > enough {
		return string(letters[:enough]) + "…"
	}
	return text
}
