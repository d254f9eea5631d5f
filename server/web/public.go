package web

import (
	"net"
	"net/url"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// PublicAddress is where citizens and devices reach this site, such as "https://danhgia.tinh.gov.vn": as it was set, else as this
// visitor reached it.
func (v *Visit) PublicAddress() string {
	if v.PublicURL != "" {
		return strings.TrimSuffix(v.PublicURL, "/")
	}
	scheme := "http://"
	if v.Secure(v.R) {
		scheme = "https://"
	}
	return scheme + v.R.Host
}

// DeviceAddress is where devices reach the server.
func (v *Visit) DeviceAddress() string {
	parsed, err := url.Parse(v.PublicAddress())
	if err != nil || v.DeviceServer == nil {
		return v.PublicAddress()
	}
	return v.DeviceServer(parsed.Hostname())
}

// OnlyHere tells whether PublicAddress can be opened on this very machine alone: what is printed with it leads nobody anywhere.
func (v *Visit) OnlyHere() bool {
	parsed, err := url.Parse(v.PublicAddress())
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(parsed.Hostname(), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// FormAddress is the address of a place's form for citizens.
type FormAddress struct {
	Lasting string // by its id, for codes: it holds whatever the place is called
	Typed   string // the shortest that leads there today, for people who type it
	Long    bool   // even that one is too long to be typed
}

// typable is how long the part of an address that names the place may be to be typed from a wall.
const typable = 16

// FormAddress answers where the form of a unit, or of one of its counters (nil = the unit), stands. A shorter address than the
// place's id is taken only where the form that stands there is this place's: a code that two units have names neither.
func (v *Visit) FormAddress(unit *pb.Unit, counter *pb.Counter) FormAddress {
	base := v.PublicAddress() + "/r/"
	id, among := unit.GetId(), []string{unit.GetCode()}
	if counter != nil {
		id, among = counter.GetId(), []string{unit.GetCode() + "/" + counter.GetCode(), unit.GetId() + "/" + counter.GetCode()}
		if unit.GetCode() == "" {
			among = among[1:]
		}
		if !plain(counter.GetCode()) {
			among = nil
		}
	}
	typed := id
	for _, place := range among {
		if place == "" || len(place) >= len(typed) {
			continue
		}
		form, err := v.Citizen.GetForm(v.Context(), &pb.GetFormRequest{Place: place})
		if err == nil && form.GetUnitId() == unit.GetId() && form.GetCounterId() == counter.GetId() {
			typed = place
			break
		}
	}
	return FormAddress{Lasting: base + url.PathEscape(id), Typed: base + typed, Long: len(typed) > typable}
}

// plain tells whether a counter's sign can stand in an address as it is, and is not the name of another page there.
func plain(sign string) bool {
	if sign == "embed" || sign == "thanks" || strings.Trim(sign, ".") == "" {
		return false
	}
	return !strings.ContainsFunc(sign, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && r != '-' && r != '_' && r != '.'
	})
}
