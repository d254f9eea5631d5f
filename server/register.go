package server

import (
	"context"
	"iter"
	"strconv"
	"time"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/audit"
	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/register"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// registerService reads and seals the registers of units.
type registerService struct {
	pb.UnimplementedRegisterServiceServer
	*application
}

// reader checks that the caller may do something with the registers of a unit.
func (s registerService) reader(ctx context.Context, unitID string, actions ...identity.Action) error {
	caller := callerOf(ctx)
	for _, action := range append(actions, identity.ReadRegister) {
		if err := caller.Check(action); err != nil {
			return err
		}
	}
	if _, there := s.directory.Tree().Get(unitID); !there || !s.within(unitID, identity.Scope(caller)) {
		return fault.New(fault.NotFound, "unit_unknown", "unit", unitID)
	}
	return nil
}

// wholeReads bounds how often an account reads a register from end to end.
var wholeReads = bus.Limit{Rate: 20, Per: time.Minute, Burst: 30}

func (s registerService) wholly(ctx context.Context) error {
	if decision := s.bus.Allow(ctx, "register/"+callerOf(ctx).AccountID, wholeReads, 1); !decision.Allowed {
		return fault.New(fault.Exhausted, "too_often", "seconds", int(decision.RetryAfter.Seconds())+1)
	}
	return nil
}

func (s registerService) GetRegister(ctx context.Context, request *pb.GetRegisterRequest) (*pb.Register, error) {
	unit, year := request.GetUnitId(), int(request.GetYear())
	if err := s.reader(ctx, unit); err != nil {
		return nil, err
	}
	today := s.directory.Tree().Today()
	if year == 0 {
		year = today.Year()
	}
	last, err := s.registers.Last(ctx, unit, year)
	if err != nil {
		return nil, err
	}
	missing, _, err := s.registers.Missing(ctx, unit, year)
	if err != nil {
		return nil, err
	}
	years, err := s.registers.Years(ctx, unit)
	if err != nil {
		return nil, err
	}
	seal, sealed, err := s.registers.Seal(ctx, unit, year)
	if err != nil {
		return nil, err
	}
	on := today
	if sealed {
		on = seal.AsOf
	}
	u, _ := s.directory.Tree().Get(unit)
	response := &pb.Register{
		UnitId: unit, UnitName: u.Near(on).Name, UnitCode: u.Near(on).Code, Year: int32(year), LastNumber: int32(last), //nolint:gosec // both are bounded far below
		MissingCount: int32(min(len(missing), 1000)), MaySeal: !sealed && last > 0 && s.registers.MaySeal(year) && callerOf(ctx).May(identity.SealRegister), //nolint:gosec // at most 1,000
	}
	if sealed {
		response.Seal = sealProto(seal)
	}
	for _, one := range years {
		response.Years = append(response.Years, int32(one)) //nolint:gosec // a year
	}
	return response, nil
}

func sealProto(s register.Seal) *pb.RegisterSeal {
	out := &pb.RegisterSeal{
		SealedAt: timestamp(s.At), SealedBy: s.By.Name, AccountId: s.By.Account, AsOf: string(s.AsOf), Rows: int32(s.Rows), Head: s.Head, GapReason: s.GapReason, //nolint:gosec // rows are numbered by int32
	}
	for _, n := range s.Gaps {
		out.Gaps = append(out.Gaps, int32(n)) //nolint:gosec // as above
	}
	return out
}

// asked reads which rows a caller wants.
func asked(unit string, year int32, asOf string, from int32, token string, limit int) (register.Asked, error) {
	a := register.Asked{Unit: unit, Year: int(year), From: max(int(from), 1), Limit: limit}
	if asOf != "" {
		day, err := localday.Parse(asOf)
		if err != nil {
			return a, fault.New(fault.Invalid, "register_day", "day", asOf)
		}
		a.AsOf = day
	}
	if token != "" {
		n, err := strconv.Atoi(token)
		if err != nil || n < 1 {
			return a, fault.New(fault.Invalid, "register_page_invalid")
		}
		a.From = n
	}
	return a, nil
}

func (s registerService) ListRegisterRows(ctx context.Context, request *pb.ListRegisterRowsRequest) (*pb.ListRegisterRowsResponse, error) {
	if err := s.reader(ctx, request.GetUnitId()); err != nil {
		return nil, err
	}
	which, err := asked(request.GetUnitId(), request.GetYear(), request.GetAsOf(), request.GetFromNumber(), request.GetPageToken(), pageSize(request.GetPageSize()))
	if err != nil {
		return nil, err
	}
	lines := s.registers.Rows(ctx, which)
	if request.GetAnnex() {
		lines = s.registers.Annex(ctx, which)
	}
	return s.page(ctx, which, request.GetAnnex(), lines)
}

func (s registerService) page(ctx context.Context, which register.Asked, annex bool, lines iter.Seq2[register.Line, error]) (*pb.ListRegisterRowsResponse, error) {
	namer := s.namer(ctx, which)
	response := &pb.ListRegisterRowsResponse{}
	for line, err := range lines {
		if err != nil {
			return nil, err
		}
		if line.Gap() {
			response.Gaps = append(response.Gaps, int32(line.N)) //nolint:gosec // numbers are int32
		}
		response.Rows = append(response.Rows, namer(line))
	}
	if annex {
		if n := len(response.GetRows()); n == which.Limit {
			response.NextPageToken = strconv.Itoa(int(response.GetRows()[n-1].GetNumber()) + 1)
		}
		return response, nil
	}
	last, err := s.registers.Last(ctx, which.Unit, which.Year)
	if err != nil {
		return nil, err
	}
	if next := which.From + which.Limit; next <= last {
		response.NextPageToken = strconv.Itoa(next)
	}
	return response, nil
}

// namer puts names into the rows of a register: those that units had on its day.
func (s registerService) namer(ctx context.Context, which register.Asked) func(register.Line) *pb.RegisterRow {
	tree := s.directory.Tree()
	today := tree.Today()
	on := today
	if which.AsOf != "" {
		on = which.AsOf
	} else if seal, sealed, err := s.registers.Seal(ctx, which.Unit, which.Year); err == nil && sealed {
		on = seal.AsOf
	}
	name := func(id string) string {
		if u, ok := tree.Get(id); ok {
			return u.Near(on).Name
		}
		return id
	}
	result := func(r register.Result) *pb.RegisterResult {
		return &pb.RegisterResult{State: string(r.State), Finding: string(r.Finding), On: string(r.On), Text: r.Text, Unit: name(r.Unit)}
	}
	return func(line register.Line) *pb.RegisterRow {
		row := &pb.RegisterRow{
			Number: int32(line.N), Shown: s.shownNumber(casework.Number{Unit: which.Unit, Year: which.Year, N: line.N}), //nolint:gosec // numbers are int32
			CaseId: line.Case, AfterSeal: line.AfterSeal,
		}
		if line.Gap() {
			return row
		}
		row.ReceivedOn, row.Content, row.Source, row.Kind, row.People = string(line.Received), line.Content, string(line.Source), line.Kind, int32(line.People) //nolint:gosec // at most casework.MaxRatings
		row.SettledByUnitId, row.SettledBy, row.Handling = line.SettledBy, name(line.SettledBy), string(line.Handling)
		row.PassedTo, row.PassedBy, row.Result, row.HasPerson = line.PassedTo, line.PassedBy, result(line.Result), line.Person
		row.Returns, row.Reopened, row.Missing = int32(line.Returns), line.Reopened, line.Missing() //nolint:gosec // at most casework.MaxReturns
		if row.Missing && which.AsOf == "" {
			row.Days = int32(today.Start().Sub(line.Received.Start()).Hours() / 24) //nolint:gosec // days
		}
		if line.MergedInto != "" {
			if into, err := s.casebook.Get(ctx, line.MergedInto); err == nil {
				row.MergedInto = s.shownNumber(into.Number)
			}
		}
		if line.Later != nil {
			row.Later = result(*line.Later)
		}
		return row
	}
}

func (s registerService) ListMissingResults(ctx context.Context, request *pb.ListMissingResultsRequest) (*pb.ListMissingResultsResponse, error) {
	if err := s.reader(ctx, request.GetUnitId()); err != nil {
		return nil, err
	}
	which, err := asked(request.GetUnitId(), request.GetYear(), "", 0, request.GetPageToken(), pageSize(request.GetPageSize()))
	if err != nil {
		return nil, err
	}
	numbers, _, err := s.registers.Missing(ctx, which.Unit, which.Year)
	if err != nil {
		return nil, err
	}
	namer := s.namer(ctx, which)
	response := &pb.ListMissingResultsResponse{}
	for _, n := range numbers {
		if n < which.From {
			continue
		}
		if len(response.GetRows()) == which.Limit {
			response.NextPageToken = strconv.Itoa(n)
			break
		}
		row, err := s.registers.Row(ctx, which.Unit, which.Year, n)
		if err != nil {
			return nil, err
		}
		response.Rows = append(response.Rows, namer(register.Line{Row: row}))
	}
	return response, nil
}

func (s registerService) RevealRegister(ctx context.Context, request *pb.RevealRegisterRequest) (response *pb.ListRegisterRowsResponse, err error) {
	defer func() {
		s.looked(ctx, "RevealRegister", request.GetUnitId(), request.GetYear(), request.GetReason(), err)
	}()
	if err := s.reader(ctx, request.GetUnitId(), identity.RevealContacts); err != nil {
		return nil, err
	}
	if err := s.wholly(ctx); err != nil {
		return nil, err
	}
	which, err := asked(request.GetUnitId(), request.GetYear(), "", request.GetFromNumber(), request.GetPageToken(), pageSize(request.GetPageSize()))
	if err != nil {
		return nil, err
	}
	if response, err = s.page(ctx, which, false, s.registers.Rows(ctx, which)); err != nil {
		return nil, err
	}
	for _, row := range response.GetRows() {
		if err := s.reveal(ctx, row); err != nil {
			return nil, err
		}
	}
	return response, nil
}

// reveal puts into a row who spoke, where the caller may know.
func (s registerService) reveal(ctx context.Context, row *pb.RegisterRow) error {
	if !row.GetHasPerson() {
		return nil
	}
	kept, err := s.casebook.Get(ctx, row.GetCaseId())
	if fault.Is(err, fault.NotFound) { // it stood there when it was sealed; Verify tells
		return nil
	}
	if err != nil {
		return err
	}
	if !s.mayKnowWho(callerOf(ctx), kept) {
		return nil
	}
	contact, left, err := s.casebook.Contact(ctx, kept.ID)
	if err != nil {
		return err
	}
	if left {
		row.Person = &pb.CaseContact{Name: contact.Name, Phone: contact.Phone, Email: contact.Email, Address: contact.Address}
	}
	return nil
}

// looked adds to the audit that somebody took a register out, or asked who stands in it, and why.
func (s registerService) looked(ctx context.Context, action, unit string, year int32, reason string, err error) {
	caller := callerOf(ctx)
	s.audit.Add(ctx, audit.Entry{
		Account: caller.AccountID, Name: caller.Name, Unit: caller.UnitID, Action: action, Subject: unit + "/" + strconv.Itoa(int(year)),
		Outcome: outcomeOf(err), Address: caller.Address, Reason: reason,
	})
}

// maxRevealed is how many rows with persons one file may hold.
const maxRevealed = 20_000

func (s registerService) ExportRegister(request *pb.ExportRegisterRequest, stream grpc.ServerStreamingServer[pb.ExportRegisterResponse]) (err error) {
	ctx := stream.Context()
	defer func() {
		s.looked(ctx, "ExportRegister", request.GetUnitId(), request.GetYear(), request.GetReason(), err)
	}()
	var actions []identity.Action
	if request.GetReason() != "" {
		actions = append(actions, identity.RevealContacts)
	}
	if err := s.reader(ctx, request.GetUnitId(), actions...); err != nil {
		return err
	}
	if err := s.wholly(ctx); err != nil {
		return err
	}
	which, err := asked(request.GetUnitId(), request.GetYear(), request.GetAsOf(), 0, "", 0)
	if err != nil {
		return err
	}
	limit := register.MaxFileRows
	if request.GetReason() != "" {
		limit = maxRevealed
	}
	if last, err := s.registers.Last(ctx, which.Unit, which.Year); err != nil {
		return err
	} else if last > limit {
		return fault.New(fault.Invalid, "register_rows_many", "limit", limit)
	}
	cover, err := s.cover(ctx, which)
	if err != nil {
		return err
	}
	namer := s.namer(ctx, which)
	rows := func(yield func(*pb.RegisterRow, error) bool) {
		for line, err := range s.registers.Rows(ctx, which) {
			var row *pb.RegisterRow
			if err == nil {
				if row = namer(line); request.GetReason() != "" {
					err = s.reveal(ctx, row)
				}
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
	to := &fileStream{stream: stream, name: cover.Words.Text("register.file", "year", strconv.Itoa(which.Year)) + "." + request.GetFormat()}
	if request.GetFormat() == "csv" {
		to.mediaType = "text/csv; charset=utf-8"
		err = register.WriteCSV(to, cover, rows)
	} else {
		to.mediaType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		err = register.WriteXLSX(to, cover, rows)
	}
	if err != nil {
		return err
	}
	return to.flush()
}

// cover is what stands above the rows of a file.
func (s registerService) cover(ctx context.Context, which register.Asked) (register.Cover, error) {
	tree := s.directory.Tree()
	u, _ := tree.Get(which.Unit)
	cover := register.Cover{Unit: u.Near(tree.Today()).Name, Year: which.Year, AsOf: string(which.AsOf), Made: s.Clock(), Words: languageOf(ctx)}
	if which.AsOf != "" {
		cover.Unit = u.Near(which.AsOf).Name
		return cover, nil
	}
	seal, sealed, err := s.registers.Seal(ctx, which.Unit, which.Year)
	if sealed {
		cover.Seal, cover.Unit = sealProto(seal), u.Near(seal.AsOf).Name
	}
	return cover, err
}

// fileStream sends what is written to it in parts.
type fileStream struct {
	stream          grpc.ServerStreamingServer[pb.ExportRegisterResponse]
	name, mediaType string // of the first part; "" once it is sent
	held            []byte
}

const filePart = 256 << 10

func (f *fileStream) Write(p []byte) (int, error) {
	f.held = append(f.held, p...)
	for len(f.held) >= filePart {
		if err := f.send(f.held[:filePart]); err != nil {
			return 0, err
		}
		f.held = append([]byte(nil), f.held[filePart:]...)
	}
	return len(p), nil
}

func (f *fileStream) flush() error { return f.send(f.held) }

func (f *fileStream) send(content []byte) error {
	part := &pb.ExportRegisterResponse{Name: f.name, Type: f.mediaType, Content: content}
	f.name, f.mediaType = "", ""
	return f.stream.Send(part)
}

func (s registerService) SealRegister(ctx context.Context, request *pb.SealRegisterRequest) (*pb.RegisterSeal, error) {
	if err := s.reader(ctx, request.GetUnitId(), identity.SealRegister); err != nil {
		return nil, err
	}
	if err := s.wholly(ctx); err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	by := register.Sealer{Account: caller.AccountID, Name: caller.Name}
	if account, err := s.accounts.Known(ctx, caller.AccountID); err == nil && account.Called() != "" {
		by.Name = account.Called()
	}
	seal, err := s.registers.Close(ctx, request.GetUnitId(), int(request.GetYear()), by, request.GetGapReason())
	if err != nil {
		return nil, err
	}
	return sealProto(seal), nil
}

func (s registerService) VerifyRegister(ctx context.Context, request *pb.VerifyRegisterRequest) (*pb.VerifyRegisterResponse, error) {
	if err := s.reader(ctx, request.GetUnitId()); err != nil {
		return nil, err
	}
	if err := s.wholly(ctx); err != nil {
		return nil, err
	}
	found, err := s.registers.Verify(ctx, request.GetUnitId(), int(request.GetYear()))
	if err != nil {
		return nil, err
	}
	response := &pb.VerifyRegisterResponse{
		Intact: found.Intact(), Rows: int32(found.Rows), Head: found.Head, FirstDifferent: int32(found.First), Different: found.How, //nolint:gosec // numbers are int32
	}
	for _, n := range found.Gaps {
		response.Gaps = append(response.Gaps, int32(n)) //nolint:gosec // as above
	}
	if found.Seal != nil {
		response.Seal = sealProto(*found.Seal)
	}
	return response, nil
}
