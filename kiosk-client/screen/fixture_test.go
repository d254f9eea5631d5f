package screen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// monday is a Monday morning.
func monday() time.Time { return time.Date(2026, 11, 23, 2, 30, 0, 0, time.UTC) }

func builtIn(t testing.TB, id string) *pb.Questionnaire {
	t.Helper()
	all, err := questionnaire.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range all {
		if q.ID == id {
			return q.ToProto()
		}
	}
	t.Fatalf("no questionnaire %s", id)
	return nil
}

// configuration is a kiosk at one counter, asking the short form.
func configuration(t testing.TB, changes ...func(*pb.Configuration)) *pb.Configuration {
	t.Helper()
	c := &pb.Configuration{
		Version: "1", DeviceId: "device", DeviceName: "Kiosk 1, sảnh chính", ConsentVersion: consentVersion,
		Places: []*pb.ConfiguredPlace{{
			UnitId: "ward", UnitName: "Trung tâm Phục vụ hành chính công phường Bến Nghé", CounterId: "c1", CounterCode: "1", CounterName: "Quầy 1 – Tư pháp, hộ tịch",
			FormUrl: "https://hailong.example.vn/r/c1",
			Remedies: []*pb.Remedy{
				{Id: "r1", Text: "Thêm 10 ghế và 2 quạt ở sảnh chờ.", DoneOn: "2026-11-18"},
				{Id: "r2", Text: "Mở thêm quầy chứng thực vào sáng thứ Hai, nên thời gian chờ giảm từ 50 xuống còn 15 phút.", DoneOn: "2026-11-10"},
				{Id: "r3", Text: "Có mẫu đơn đã điền sẵn để bà con xem.", DoneOn: "2026-10-29"},
			},
		}},
		Officials: []*pb.ConfiguredOfficial{
			{Id: "o1", UnitId: "ward", Name: "Nguyễn Thị Hoa", Position: "Công chức tư pháp – hộ tịch", PhotoVersion: "1"},
			{Id: "o2", UnitId: "ward", Name: "Trần Văn Bình", Position: "Công chức địa chính"},
		},
		Duties:         []*pb.Duty{{Id: "d1", UnitId: "ward", CounterId: "c1", OfficialId: "o1"}},
		Questionnaires: []*pb.Questionnaire{builtIn(t, "kiosk")},
		Settings:       &pb.KioskSettings{Languages: []string{"vi", "en"}, IdleSeconds: 40},
		PublicUrl:      "https://hailong.example.vn",
	}
	for _, change := range changes {
		change(c)
	}
	return c
}

// twoCounters makes it serve a second counter.
func twoCounters(c *pb.Configuration) {
	c.Places = append(c.Places, &pb.ConfiguredPlace{UnitId: "ward", UnitName: c.GetPlaces()[0].GetUnitName(), CounterId: "c2", CounterCode: "2", CounterName: "Quầy 2 – Đất đai, xây dựng"})
}

func chooseOfficial(c *pb.Configuration) { c.Settings.ChooseOfficial = true }

func asking(t testing.TB, id string) func(*pb.Configuration) {
	return func(c *pb.Configuration) { c.Questionnaires = []*pb.Questionnaire{builtIn(t, id)} }
}

// notebook is a journal in memory that notes what it is told, and may refuse.
type notebook struct {
	mu       sync.Mutex
	begun    []*noted
	refuse   error // of everything
	wrong    []string
	kept     map[string][]byte
	troubles []string
}

func (n *notebook) Setting(_ context.Context, name string) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kept[name], nil
}

func (n *notebook) KeepSetting(_ context.Context, name string, value []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kept == nil {
		n.kept = map[string][]byte{}
	}
	n.kept[name] = value
	return nil
}

type noted struct {
	id      string
	start   journal.Start
	answers journal.Answers
	private *pb.Private
	changes int
	sealed  int
}

var errRefused = errors.New("refused")

func (n *notebook) Begin(_ context.Context, start journal.Start) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse != nil {
		return "", n.refuse
	}
	one := &noted{id: fmt.Sprintf("rating-%d", len(n.begun)+1), start: start, answers: start.Answers}
	n.begun = append(n.begun, one)
	return one.id, nil
}

func (n *notebook) find(id, what string) *noted {
	for _, one := range n.begun {
		if one.id == id && one.sealed == 0 {
			return one
		}
	}
	n.wrong = append(n.wrong, what+" of "+id+", which is not open")
	return nil
}

func (n *notebook) change(id, what string, do func(*noted)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse != nil {
		return n.refuse
	}
	one := n.find(id, what)
	if one == nil {
		return journal.ErrUnknown
	}
	do(one)
	return nil
}

func (n *notebook) Change(_ context.Context, id string, answers journal.Answers) error {
	return n.change(id, "change", func(one *noted) {
		if answers.OverallScore != one.answers.OverallScore {
			one.changes++
		}
		one.answers = answers
	})
}

func (n *notebook) Confirm(_ context.Context, id string, private *pb.Private) error {
	return n.change(id, "confirmation", func(one *noted) { one.private = private })
}

func (n *notebook) Seal(_ context.Context, id string) error {
	return n.change(id, "seal", func(one *noted) { one.sealed++ })
}

func (n *notebook) Status(context.Context) (journal.Status, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return journal.Status{Queue: 12, HighestSequence: 1204, AcknowledgedThrough: 1192, FreeBytes: 23_400_000_000, LastTouch: monday(), Troubles: n.troubles}, nil
}

func (n *notebook) refuseAll(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refuse = err
}

// all is what was noted so far.
func (n *notebook) all() []noted {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]noted, len(n.begun))
	for i, one := range n.begun {
		out[i] = *one
	}
	return out
}

// line is a server's side that says what it is told to say.
type line struct {
	mu      sync.Mutex
	state   uplink.State
	config  *pb.Configuration
	changed chan struct{}
	photos  map[string][]byte
	enroll  func(server, code string) error
	woken   int
}

func newLine(config *pb.Configuration) *line {
	return &line{state: uplink.State{Enrolled: true, Connected: true, DeviceName: config.GetDeviceName(), LastContact: monday()}, config: config, changed: make(chan struct{})}
}

func (l *line) State() uplink.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

func (l *line) Configuration() *pb.Configuration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.config
}

func (l *line) Photo(id string) ([]byte, bool) {
	photo, ok := l.photos[id]
	return photo, ok
}

func (l *line) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

func (l *line) Enroll(_ context.Context, server, code string) error { return l.enroll(server, code) }

func (l *line) Wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.woken++
}

// set changes what it says, and tells.
func (l *line) set(change func(*line)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
	close(l.changed)
	l.changed = make(chan struct{})
}

func unmarshal(t testing.TB, data []byte, into proto.Message) {
	t.Helper()
	if err := proto.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}
