package server

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s *running) registers() pb.RegisterServiceClient { return pb.NewRegisterServiceClient(s.conn) }

// exported reads a register as a file.
func (p *casePeople) exported(who context.Context, request *pb.ExportRegisterRequest) (string, error) {
	stream, err := p.registers().ExportRegister(who, request)
	if err != nil {
		return "", err
	}
	var content strings.Builder
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return content.String(), nil
		}
		if err != nil {
			return "", err
		}
		content.Write(part.GetContent())
	}
}

func TestWhoMayReadARegister(t *testing.T) {
	p := newCasePeople(t, Config{})
	p.open(t)
	second := p.open(t)
	today, _ := localday.Of(time.Now())
	year := int32(today.Year()) //nolint:gosec // a year
	const reason = "Mời họp dân"
	calls := map[string]func(context.Context) error{
		"cover": func(ctx context.Context) error {
			_, err := p.registers().GetRegister(ctx, &pb.GetRegisterRequest{UnitId: p.mine, Year: year})
			return err
		},
		"rows": func(ctx context.Context) error {
			_, err := p.registers().ListRegisterRows(ctx, &pb.ListRegisterRowsRequest{UnitId: p.mine, Year: year})
			return err
		},
		"missing": func(ctx context.Context) error {
			_, err := p.registers().ListMissingResults(ctx, &pb.ListMissingResultsRequest{UnitId: p.mine, Year: year})
			return err
		},
		"check": func(ctx context.Context) error {
			_, err := p.registers().VerifyRegister(ctx, &pb.VerifyRegisterRequest{UnitId: p.mine, Year: year})
			return err
		},
		"file": func(ctx context.Context) error {
			_, err := p.exported(ctx, &pb.ExportRegisterRequest{UnitId: p.mine, Year: year, Format: "csv"})
			return err
		},
		"persons": func(ctx context.Context) error {
			_, err := p.registers().RevealRegister(ctx, &pb.RevealRegisterRequest{UnitId: p.mine, Year: year, Reason: reason})
			return err
		},
		"file with persons": func(ctx context.Context) error {
			_, err := p.exported(ctx, &pb.ExportRegisterRequest{UnitId: p.mine, Year: year, Format: "csv", Reason: reason})
			return err
		},
		"seal": func(ctx context.Context) error {
			_, err := p.registers().SealRegister(ctx, &pb.SealRegisterRequest{UnitId: p.mine, Year: year})
			return err
		},
	}
	reads := []string{"cover", "rows", "missing", "check", "file"}
	for _, who := range []struct {
		name                 string
		ctx                  context.Context
		reads, persons, seal codes.Code
	}{
		{"nobody", t.Context(), codes.Unauthenticated, codes.Unauthenticated, codes.Unauthenticated},
		{"operator", p.operator, codes.OK, codes.OK, codes.PermissionDenied},
		{"leader", p.leader, codes.OK, codes.OK, codes.InvalidArgument}, // the year runs
		{"inspector", p.inspector, codes.OK, codes.OK, codes.PermissionDenied},
		{"official", p.official, codes.PermissionDenied, codes.PermissionDenied, codes.PermissionDenied},
		{"administrator", p.admin, codes.PermissionDenied, codes.PermissionDenied, codes.PermissionDenied},
		{"head of an office below", p.head, codes.NotFound, codes.PermissionDenied, codes.PermissionDenied},
		{"leader next door", p.stranger, codes.NotFound, codes.NotFound, codes.NotFound},
	} {
		check := func(call string, want codes.Code) {
			if got := status.Code(calls[call](who.ctx)); got != want {
				t.Errorf("%s, %s: %v, want %v", who.name, call, got, want)
			}
		}
		for _, call := range reads {
			check(call, who.reads)
		}
		check("persons", who.persons)
		check("file with persons", who.persons)
		check("seal", who.seal)
	}
	t.Run("without a reason nobody is named, with one they are, and it is kept", func(t *testing.T) {
		plain, err := p.registers().ListRegisterRows(p.leader, &pb.ListRegisterRowsRequest{UnitId: p.mine, Year: year})
		if err != nil || len(plain.GetRows()) != 2 || strings.Contains(plain.String(), "Tèo") || strings.Contains(plain.String(), "0912") || !plain.GetRows()[0].GetHasPerson() {
			t.Errorf("%v %v", plain, err)
		}
		named, err := p.registers().RevealRegister(p.leader, &pb.RevealRegisterRequest{UnitId: p.mine, Year: year, Reason: reason, PageSize: 1})
		if err != nil || len(named.GetRows()) != 1 || named.GetRows()[0].GetPerson().GetName() != "Nguyễn Văn Tèo" || named.GetNextPageToken() != "2" {
			t.Errorf("%v %v", named, err)
		}
		file, err := p.exported(p.leader, &pb.ExportRegisterRequest{UnitId: p.mine, Year: year, Format: "csv"})
		if err != nil || strings.Contains(file, "Tèo") || !strings.Contains(file, "Chờ lâu") {
			t.Errorf("%q %v", file, err)
		}
		entries, err := p.operations().ListAudit(p.admin, &pb.ListAuditRequest{Action: "RevealRegister"})
		if err != nil || len(entries.GetEntries()) == 0 {
			t.Fatalf("%v %v", entries, err)
		}
		for _, e := range entries.GetEntries() {
			if e.GetReason() != reason || !strings.HasPrefix(e.GetSubject(), p.mine+"/") {
				t.Errorf("%v", e)
			}
		}
	})
	t.Run("a result leaves the list of what is missing", func(t *testing.T) {
		p.answered(t, second)
		missing, err := p.registers().ListMissingResults(p.leader, &pb.ListMissingResultsRequest{UnitId: p.mine, Year: year})
		if err != nil || len(missing.GetRows()) != 1 || missing.GetRows()[0].GetNumber() != 1 {
			t.Errorf("%v %v", missing, err)
		}
	})
}
