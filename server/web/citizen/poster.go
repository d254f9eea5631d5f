package citizen

import (
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/poster"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// pieces are the sheets by the name they have in an address.
func pieces(size string) (poster.Piece, bool) {
	switch size {
	case "", "a4":
		return poster.A4Poster, true
	case "a6":
		return poster.A6Card, true
	case "a4x4":
		return poster.A4Cards, true
	}
	return "", false
}

// poster prints the code that opens the form of a unit or, with ?counter=, of one of its counters: ?size=a4 (poster), a6 (card),
// a4x4 (four cards on a sheet).
func (p pages) poster(v *web.Visit) error {
	piece, ok := pieces(v.Value("size"))
	if !ok {
		return web.ErrNotFound
	}
	unit, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: v.R.PathValue("id")})
	if err != nil {
		return err
	}
	var counter *pb.Counter
	if id := v.Value("counter"); id != "" {
		if counter, err = counterOf(v, unit.GetId(), id); err != nil {
			return err
		}
	}
	// Its form is no longer there: whoever pointed a phone at the code would find nothing.
	switch {
	case unit.GetValidTo() != "" && unit.GetValidTo() <= string(v.Today()):
		return status.Error(codes.FailedPrecondition, v.Text("citizenpage.poster.ended", "name", unit.GetName(), "day", web.Day(v.Language, unit.GetValidTo())))
	case counter.GetClosedAt() != nil:
		return status.Error(codes.FailedPrecondition, v.Text("citizenpage.poster.closed", "name", counter.GetName(), "at", web.Moment(v.Language, counter.GetClosedAt())))
	}
	address := v.FormAddress(unit, counter)
	at := poster.Place{Office: unit.GetName(), Counter: counter.GetName(), Link: address.Lasting, Typed: address.Typed}
	options := poster.Options{Piece: piece, Made: v.Clock()}
	if v.Value("second") == string(language.English) {
		options.Second = language.English
	}
	printed, err := poster.Poster(at, options)
	if err != nil {
		if f := fault.Of(err); f.Code == fault.Invalid {
			return status.Error(codes.InvalidArgument, v.Text("fault."+f.Reason, f.Args...))
		}
		return err
	}
	h := v.W.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Length", strconv.Itoa(len(printed)))
	h.Set("Content-Disposition", `inline; filename="hailong-`+string(piece)+`.pdf"`)
	_, _ = v.W.Write(printed)
	return nil
}

func counterOf(v *web.Visit, unit, id string) (*pb.Counter, error) {
	counters, err := v.CountersOf(unit)
	if err != nil {
		return nil, err
	}
	for _, counter := range counters {
		if counter.GetId() == id {
			return counter, nil
		}
	}
	return nil, web.ErrNotFound
}
