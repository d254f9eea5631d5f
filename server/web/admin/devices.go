package admin

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/poster"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// deviceRow is a device as people speak of it.
type deviceRow struct {
	*pb.Device
	Link   string
	Kiosk  string // address of the page about how it works
	State  string // key of its words, which are those of the pages about kiosks: kioskspage.state.KEY
	Symbol string // the same for those who look at shapes
	Tone   string // of its badge
	Seen   string
	Places []place
	Past   []place // bindings that ended
}

// place is what a device sends for.
type place struct {
	*pb.DeviceBinding
	Unit, Counter string // names
	Unbind        string // address where the binding is ended
}

type devicesPage struct {
	Devices []deviceRow
	Next    string
}

// bound tells whether a binding holds now.
func bound(v *web.Visit, b *pb.DeviceBinding) bool {
	return b.GetValidTo() == nil || b.GetValidTo().AsTime().After(v.Clock())
}

// counterNames answers names of counters, asking once a unit.
type counterNames map[string]map[string]string

func (n counterNames) of(v *web.Visit, unit, id string) string {
	if id == "" {
		return ""
	}
	if n[unit] == nil {
		n[unit] = map[string]string{}
		if counters, err := v.CountersOf(unit); err == nil {
			for _, c := range counters {
				n[unit][c.GetId()] = c.GetName()
			}
		}
	}
	if name := n[unit][id]; name != "" {
		return name
	}
	return id
}

func rowOf(v *web.Visit, d *pb.Device, units web.UnitNames, counters counterNames) deviceRow {
	row := deviceRow{
		Device: d, Link: "/admin/devices/" + url.PathEscape(d.GetId()), Kiosk: "/kiosks/devices/" + url.PathEscape(d.GetId()), Seen: ago(v, d.GetLastSeenAt()),
		State: strings.ToLower(strings.TrimPrefix(d.GetState().String(), "DEVICE_STATE_")), Symbol: "–",
	}
	switch d.GetState() { //nolint:exhaustive // of another one only its words are known
	case pb.DeviceState_DEVICE_STATE_REVOKED:
		row.Symbol = "✕"
	case pb.DeviceState_DEVICE_STATE_WAITING:
		row.Symbol = "○"
	case pb.DeviceState_DEVICE_STATE_SILENT:
		row.Symbol, row.Tone = "◐", "bad"
	case pb.DeviceState_DEVICE_STATE_CLONED:
		row.Symbol, row.Tone = "▲", "bad"
	case pb.DeviceState_DEVICE_STATE_BEHIND:
		row.Symbol = "…"
	case pb.DeviceState_DEVICE_STATE_RESTING:
		row.Symbol = "☾"
	case pb.DeviceState_DEVICE_STATE_LIVE:
		row.Symbol, row.Tone = "●", "good"
	}
	for _, b := range d.GetBindings() {
		at := place{DeviceBinding: b, Unit: units.Of(b.GetUnitId()), Counter: counters.of(v, b.GetUnitId(), b.GetCounterId())}
		at.Unbind = row.Link + "/unbind?" + url.Values{"unit": {b.GetUnitId()}, "counter": {b.GetCounterId()}}.Encode()
		if bound(v, b) {
			row.Places = append(row.Places, at)
		} else {
			row.Past = append(row.Past, at)
		}
	}
	return row
}

func (p pages) devices(v *web.Visit) error {
	list, err := v.Directory.ListDevices(v.Context(), &pb.ListDevicesRequest{PageSize: 100, PageToken: v.Value("page")})
	if err != nil {
		return err
	}
	page := devicesPage{}
	units, counters := v.UnitNames(), counterNames{}
	for _, d := range list.GetDevices() {
		page.Devices = append(page.Devices, rowOf(v, d, units, counters))
	}
	if token := list.GetNextPageToken(); token != "" {
		page.Next = "/admin/devices?" + url.Values{"page": {token}}.Encode()
	}
	return v.Render(p.Pages, "devices", page)
}

type devicePage struct {
	deviceRow
	Gaps    []*pb.SequenceGap
	MayGaps bool
}

// deviceOf answers the device that a page's address names.
func deviceOf(v *web.Visit) (deviceRow, error) {
	d, err := v.Directory.GetDevice(v.Context(), &pb.GetDeviceRequest{DeviceId: v.R.PathValue("device")})
	if err != nil {
		return deviceRow{}, err
	}
	return rowOf(v, d, v.UnitNames(), counterNames{}), nil
}

func (p pages) device(v *web.Visit) error {
	row, err := deviceOf(v)
	if err != nil {
		return err
	}
	page := devicePage{deviceRow: row, MayGaps: v.May("manage_quarantine")}
	if page.MayGaps {
		gaps, err := v.Operations.ListSequenceGaps(v.Context(), &pb.ListSequenceGapsRequest{DeviceId: row.GetId()})
		if err != nil {
			return err
		}
		page.Gaps = gaps.GetGaps()
	}
	return v.Render(p.Pages, "device", page)
}

// Missing is how many ratings a gap is of.
func (devicePage) Missing(gap *pb.SequenceGap) uint64 {
	return gap.GetLastSequence() - gap.GetFirstSequence() + 1
}

type codePage struct {
	deviceRow
	Code     string
	Drawn    template.HTML
	Expires  *timestamppb.Timestamp
	Server   string // the address to type on the device
	OnlyHere string // the same where other machines cannot open it; "" = they can
}

// tellCode goes to the page that shows a device's one-time code.
func tellCode(v *web.Visit, made *pb.CreateDeviceResponse) error {
	path := "/admin/devices/" + url.PathEscape(made.GetDevice().GetId()) + "/code"
	return v.TellOnce(path, made.GetEnrollmentCode()+" "+strconv.FormatInt(made.GetCodeExpiresAt().AsTime().Unix(), 10))
}

func (p pages) code(v *web.Visit) error {
	row, err := deviceOf(v)
	if err != nil {
		return err
	}
	page := codePage{deviceRow: row, Server: v.DeviceAddress(), OnlyHere: onlyHere(v)}
	code, until, ok := strings.Cut(v.ToldOnce(), " ")
	seconds, err := strconv.ParseInt(until, 10, 64)
	if !ok || err != nil {
		return v.Render(p.Pages, "code", page)
	}
	drawn, err := poster.QR(code)
	if err != nil {
		return err
	}
	page.Code, page.Drawn, page.Expires = code, drawn.SVG(v.Text("adminpage.code_drawn", "code", code)), timestamppb.New(time.Unix(seconds, 0))
	return v.Render(p.Pages, "code", page)
}

func (p pages) renewCode(v *web.Visit) error {
	made, err := v.Directory.RenewDeviceCode(v.Context(), &pb.RenewDeviceCodeRequest{DeviceId: v.R.PathValue("device")})
	if err != nil {
		return err
	}
	return tellCode(v, made)
}
