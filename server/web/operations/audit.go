package operations

import (
	"encoding/csv"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

const (
	auditRows    = 50
	auditCSVRows = 10_000
)

// choice is one value of a filter.
type choice struct {
	Value, Words string
	Chosen       bool
}

type auditPage struct {
	Tabs     []tab
	Accounts []choice
	Actions  []choice
	Rows     []auditRow
	Next     string
	CSV      string
}

type auditRow struct {
	*pb.AuditEntry
	What string  // the action in words
	Whom subject // named, where it has a name
	ID   string  // of the subject, where the name is another
	Came string  // what came of it, in words
	OK   bool
}

// actions are the calls that the catalogue has words for.
func actions(v *web.Visit) []choice {
	var all []choice
	protoregistry.GlobalFiles.RangeFilesByPackage("hailong.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				name := string(methods.Get(j).Name())
				if words := actionWords(v, name); words != name {
					all = append(all, choice{Value: name, Words: words, Chosen: name == v.Value("action")})
				}
			}
		}
		return true
	})
	slices.SortFunc(all, func(a, b choice) int { return strings.Compare(a.Value, b.Value) })
	return all
}

// actionWords are the words of a call, or its own name.
func actionWords(v *web.Visit, action string) string {
	key := "operationspage.action." + action
	if words := v.Text(key); words != key {
		return words
	}
	return action
}

func (p pages) showAudit(v *web.Visit) error {
	filters := url.Values{}
	for _, name := range []string{"account", "action"} {
		if value := v.Value(name); value != "" {
			filters.Set(name, value)
		}
	}
	page := auditPage{Tabs: tabs(v, "audit"), Actions: actions(v), CSV: "/admin/audit.csv?" + filters.Encode()}
	names, err := accounts(v)
	if err != nil {
		return err
	}
	for _, account := range names {
		page.Accounts = append(page.Accounts, choice{account.GetId(), account.GetName(), account.GetId() == v.Value("account")})
	}
	entries, next, err := auditOf(v, auditRows, v.Value("page"))
	if err != nil {
		return err
	}
	page.Rows = rowsOf(v, entries)
	if next != "" {
		filters.Set("page", next)
		page.Next = "/admin/audit?" + filters.Encode()
	}
	return v.Render(p.Pages, "audit", page)
}

// accounts are those the visitor manages.
func accounts(v *web.Visit) ([]*pb.Account, error) {
	if !v.May("manage_accounts") {
		return nil, nil
	}
	answer, err := v.Identity.ListAccounts(v.Context(), &pb.ListAccountsRequest{PageSize: 1000})
	return answer.GetAccounts(), err
}

func auditOf(v *web.Visit, size int32, after string) ([]*pb.AuditEntry, string, error) {
	answer, err := v.Operations.ListAudit(v.Context(), &pb.ListAuditRequest{
		AccountId: v.Value("account"), Action: v.Value("action"), PageSize: size, PageToken: after,
	})
	return answer.GetEntries(), answer.GetNextPageToken(), err
}

// rowsOf puts entries into words.
func rowsOf(v *web.Visit, entries []*pb.AuditEntry) []auditRow {
	var rows []auditRow
	named := subjects(v, entries)
	for _, entry := range entries {
		row := auditRow{AuditEntry: entry, What: actionWords(v, entry.GetAction()), ID: entry.GetSubject(), OK: entry.GetOutcome() == "OK"}
		if one, known := named[kindOf(entry.GetAction())][entry.GetSubject()]; known {
			row.Whom = one
		}
		if row.Whom.Name == "" || row.Whom.Name == row.ID {
			row.Whom.Name, row.ID = row.ID, ""
		}
		key := "operationspage.outcome." + entry.GetOutcome()
		if row.Came = v.Text(key); row.Came == key {
			row.Came = entry.GetOutcome()
		}
		rows = append(rows, row)
	}
	return rows
}

func (p pages) sendAudit(v *web.Visit) error {
	var entries []*pb.AuditEntry
	for after := ""; len(entries) < auditCSVRows; {
		more, next, err := auditOf(v, 1000, after)
		if err != nil {
			return err // nothing was sent yet
		}
		entries = append(entries, more...)
		if after = next; after == "" {
			break
		}
	}
	v.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.W.Header().Set("Content-Disposition", `attachment; filename="nhat-ky.csv"`)
	_, _ = v.W.Write([]byte("\ufeff")) // for spreadsheets
	w := csv.NewWriter(v.W)
	var head []string
	for _, name := range []string{"at", "account", "action", "subject", "subject_id", "outcome", "address"} {
		head = append(head, v.Text("operationspage.audit."+name))
	}
	_ = w.Write(head)
	for _, row := range rowsOf(v, entries) {
		_ = w.Write([]string{web.Moment(v.Language, row.GetAt()), web.Cell(row.GetAccountName()), row.What, web.Cell(row.Whom.Name), web.Cell(row.GetSubject()), row.Came, web.Cell(row.GetAddress())})
	}
	w.Flush()
	return nil
}
