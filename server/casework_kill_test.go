package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/mail"
	"net/textproto"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// TestKilledAmongCases kills the program again and again while cases are dealt with and the server of e-mail takes nothing. What was
// acknowledged stands, the register has no gap, and in the end everybody was told of everything: on the pages once, by e-mail under one
// Message-ID a message.
func TestKilledAmongCases(t *testing.T) {
	kills := 6
	if testing.Short() {
		t.Log("short: the program is killed twice instead of six times, which leaves fewer places where it can die")
		kills = 2
	}
	program := filepath.Join(build(t, "./hailong-server"), "hailong-server")
	data, box := t.TempDir(), openMailbox(t)
	serve := func() *process {
		settings := []string{"HAILONG_SMTP_URL=" + box.address(), "HAILONG_SMTP_FROM=" + mailSender}
		return launch(t, true, settings, program, "-data", data, "-grpc", "127.0.0.1:0", "-http", "127.0.0.1:0")
	}
	p := serve()
	s := p.connect(t)
	staff := newCaseStaff(t, s)
	staff.mailTo(t, s, box)
	box.refuse(true)

	var acknowledged atomic.Int64
	clients := make([]*caseClient, 4)
	for i := range clients {
		clients[i] = &caseClient{caseStaff: staff, acknowledged: &acknowledged}
	}
	for range kills {
		var working sync.WaitGroup
		for _, c := range clients {
			working.Go(func() {
				if err := c.work(s, false); err != nil {
					t.Error(err)
				}
			})
		}
		target := acknowledged.Load() + 10 + rand.Int64N(50) //nolint:gosec // no secret
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && !t.Failed(); time.Sleep(time.Millisecond) {
			if acknowledged.Load() >= target && box.refusals() > 0 {
				break
			}
		}
		p.kill()
		working.Wait()
		p = serve()
		s = p.connect(t) // the sessions of before still hold
	}
	var finishing sync.WaitGroup
	for _, c := range clients {
		finishing.Go(func() {
			if err := c.work(s, true); err != nil {
				t.Error(err)
			}
		})
	}
	finishing.Wait()
	p.kill() // right after the last answer: who is to be told of it may not be
	if t.Failed() {
		return
	}

	// What a program that died left untold another one tells after a while. That while has passed by this one's clock.
	box.refuse(false)
	last := start(t, Config{Data: data, SMTP: box.address(), SMTPFrom: mailSender, Clock: func() time.Time { return time.Now().Add(10 * time.Minute) }})
	var followed []*followedCase
	landed := 0
	for _, c := range clients {
		followed, landed = append(followed, c.done...), landed+c.landed
	}
	want := staff.stand(t, last, followed)
	nothingOwed(t, data)
	for who := range staff.accounts {
		staff.heard(t, last, who, want[who])
	}
	staff.mailed(t, last, box, want["leader"])
	t.Logf("killed %d times over %d cases and %d acknowledged events; %d stood whose answer was lost; %d mails were refused %d times",
		kills+1, len(followed), acknowledged.Load(), landed, len(box.offered), box.refusals())
}

// caseStaff are the people of one commune and its office.
type caseStaff struct {
	unit, office string
	asked, rated string                     // officials: who is to explain, and whom the cases are about
	accounts     map[string]string          // ids, by whom we mean
	as           map[string]context.Context // the same, signed in
	admin        context.Context
}

func newCaseStaff(t *testing.T, s *running) *caseStaff {
	t.Helper()
	admin := s.admin()
	staff := &caseStaff{admin: admin, accounts: map[string]string{}, as: map[string]context.Context{}}
	staff.unit = s.unit(admin, "", "Xã Một")
	staff.office = s.unit(admin, staff.unit, "Bộ phận một cửa")
	official := func(name string) string {
		made, err := s.directory().CreateOfficial(admin, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: staff.office, Name: name}})
		if err != nil {
			t.Fatal(err)
		}
		return made.GetId()
	}
	staff.asked, staff.rated = official("Trần Thị Bình"), official("Lê Văn Cường")
	for _, one := range []*pb.CreateAccountRequest{
		{Name: "operator", Role: pb.Role_ROLE_OPERATOR, UnitId: staff.unit},
		{Name: "leader", Role: pb.Role_ROLE_LEADER, UnitId: staff.unit},
		{Name: "head", Role: pb.Role_ROLE_HEAD, UnitId: staff.office},
		{Name: "official", Role: pb.Role_ROLE_OFFICIAL, UnitId: staff.office, OfficialId: staff.asked},
		{Name: "rated", Role: pb.Role_ROLE_OFFICIAL, UnitId: staff.office, OfficialId: staff.rated},
	} {
		one.Password = rolePassword
		made, err := s.identity().CreateAccount(admin, one)
		if err != nil {
			t.Fatal(err)
		}
		staff.accounts[one.GetName()], staff.as[one.GetName()] = made.GetId(), s.signIn(one.GetName(), rolePassword)
	}
	return staff
}

// listeners are who an audience is in this office.
func (staff *caseStaff) listeners(to casework.Audience) string {
	return map[casework.Audience]string{
		casework.TellDesk: "operator", casework.TellLeaders: "leader", casework.TellUnit: "head", casework.TellAsked: "official",
		casework.TellAuthor: "official", casework.TellSubjects: "rated",
	}[to]
}

// caseStep is something that is done to each case.
type caseStep struct {
	who   string
	event *pb.CaseEvent
}

// script is the way of every case. The first step is its opening.
func (staff *caseStaff) script() []caseStep {
	return []caseStep{
		{"operator", &pb.CaseEvent{Name: "open"}},
		{"leader", &pb.CaseEvent{Name: "request_explanation", UnitId: staff.office, OfficialIds: []string{staff.asked}}},
		{"official", &pb.CaseEvent{Name: "submit", Explanation: goodExplanation()}},
		{"leader", &pb.CaseEvent{Name: "return", Reasons: []string{"too_general"}}},
		{"official", &pb.CaseEvent{Name: "submit", Explanation: goodExplanation()}},
		{"leader", &pb.CaseEvent{Name: "accept", Finding: "upheld"}},
		{"operator", &pb.CaseEvent{Name: "reply", Text: "Từ tuần sau có thêm người trực."}},
	}
}

// followedCase is what a client keeps of a case: what it must still find after any death of the program.
type followedCase struct {
	id     string
	steps  int // acknowledged
	number *pb.CaseNumber
}

// caseClient sees cases through, one after the other.
type caseClient struct {
	*caseStaff
	acknowledged *atomic.Int64
	now          *followedCase
	uncertain    bool // nobody knows whether the next step of the case was done
	done         []*followedCase
	landed       int // steps that were done though no answer came
}

// work goes on until the program is gone or, finishing, until the case in hand is seen through.
func (c *caseClient) work(s *running, finish bool) error {
	err := c.again(s)
	for err == nil {
		if c.now == nil {
			if finish {
				return nil
			}
			c.now = &followedCase{id: uuid.Must(uuid.NewV7()).String()}
		}
		err = c.step(s)
	}
	if !finish && status.Code(err) == codes.Unavailable {
		return nil
	}
	return err
}

// again sends the last acknowledged step once more, as a client does whose answer got lost: nothing may come of it.
func (c *caseClient) again(s *running) error {
	if c.now == nil || c.now.steps == 0 {
		return nil
	}
	if c.now.steps == 1 {
		return c.open(s)
	}
	_, err := c.apply(s, c.now.steps-1)
	if status.Code(err) == codes.Aborted {
		return nil
	}
	if err == nil {
		return fmt.Errorf("case %s: step %d was done twice", c.now.id, c.now.steps)
	}
	return err
}

// step does the next step and writes down that it was acknowledged.
func (c *caseClient) step(s *running) error {
	var err error
	if c.now.steps == 0 {
		err = c.open(s)
	} else {
		var after *pb.Case
		after, err = c.apply(s, c.now.steps)
		switch {
		case err == nil && after.GetVersion() != int64(c.now.steps)+1:
			return fmt.Errorf("case %s: step %d made version %d", c.now.id, c.now.steps+1, after.GetVersion())
		case status.Code(err) == codes.Aborted && c.uncertain:
			err = c.didLand(s)
		}
	}
	if err != nil {
		c.uncertain = c.uncertain || status.Code(err) == codes.Unavailable
		return err
	}
	c.uncertain = false
	c.now.steps++
	c.acknowledged.Add(1)
	if c.now.steps == len(c.script()) {
		c.done, c.now = append(c.done, c.now), nil
	}
	return nil
}

// open opens the case, or finds that it was: under the number it had.
func (c *caseClient) open(s *running) error {
	opened, err := s.cases().OpenCase(c.as["operator"], &pb.OpenCaseRequest{
		CaseId: c.now.id, ReceivingUnitId: c.unit, AboutUnitId: c.office, Source: "letter", Title: "Chờ lâu không được giải thích",
		Words: "Tôi chờ hai tiếng mà không ai nói vì sao.", OfficialIds: []string{c.rated},
	})
	if err != nil {
		return err
	}
	if was := c.now.number; was != nil && was.String() != opened.GetNumber().String() {
		return fmt.Errorf("case %s had number %v, and has %v", c.now.id, was, opened.GetNumber())
	}
	c.now.number = opened.GetNumber()
	return nil
}

func (c *caseClient) apply(s *running, step int) (*pb.Case, error) {
	next := c.script()[step]
	return s.cases().ApplyCaseEvent(c.as[next.who], &pb.ApplyCaseEventRequest{CaseId: c.now.id, Version: int64(step), Event: next.event})
}

// didLand finds that a step stands of which no answer came.
func (c *caseClient) didLand(s *running) error {
	stands, err := s.cases().GetCase(c.as["leader"], &pb.GetCaseRequest{CaseId: c.now.id})
	if err != nil {
		return err
	}
	if n := len(stands.GetHistory()); n != c.now.steps+1 || stands.GetHistory()[n-1].GetEvent() != c.script()[c.now.steps].event.GetName() {
		return fmt.Errorf("case %s: step %d was refused, and its history has %d entries", c.now.id, c.now.steps+1, n)
	}
	c.landed++
	return nil
}

// toldOnce is what makes a notice one of its own for whoever gets it.
type toldOnce struct {
	topic, link string
	at          int64 // milliseconds
}

// stand checks that the cases are as they were acknowledged, and nothing else is there, and answers by whom what is to be heard.
func (staff *caseStaff) stand(t *testing.T, s *running, followed []*followedCase) map[string]map[toldOnce]int {
	t.Helper()
	want := map[string]map[toldOnce]int{}
	for who := range staff.accounts {
		want[who] = map[toldOnce]int{}
	}
	numbers := map[string]string{} // by id
	for _, f := range followed {
		full, err := s.cases().GetCase(staff.as["leader"], &pb.GetCaseRequest{CaseId: f.id})
		if err != nil {
			t.Fatalf("an acknowledged case: %v", err)
		}
		numbers[f.id] = f.number.String()
		if n := full.GetCase().GetNumber(); n.String() != f.number.String() {
			t.Errorf("case %s was acknowledged with number %v, and has %v", f.id, f.number, n)
		}
		if len(full.GetWords()) != 1 {
			t.Errorf("case %s: the citizen's words stand %d times", f.id, len(full.GetWords()))
		}
		var happened, acknowledged []string
		for _, e := range full.GetHistory() {
			happened = append(happened, e.GetEvent()+" by "+e.GetAccountId())
			for _, who := range staff.hear(t, e) {
				want[who][toldOnce{"case." + e.GetEvent(), "/cases/" + f.id, e.GetAt().AsTime().UnixMilli()}]++
			}
		}
		for _, step := range staff.script()[:f.steps] {
			acknowledged = append(acknowledged, step.event.GetName()+" by "+staff.accounts[step.who])
		}
		if !slices.Equal(happened, acknowledged) {
			t.Errorf("case %s: acknowledged was\n%v, there is\n%v", f.id, acknowledged, happened)
		}
	}
	// The rule once more by hand, so that the table cannot be wrong in both places.
	for _, c := range []struct {
		who, event string
		each       int // of a case
	}{
		{"head", "request_explanation", 1}, {"official", "request_explanation", 1}, {"leader", "submit", 2}, {"head", "return", 1}, {"official", "return", 1},
		{"head", "accept", 1}, {"official", "accept", 1}, {"rated", "accept", 1}, {"operator", "accept", 1}, {"leader", "accept", 0}, {"head", "reply", 1},
	} {
		n := 0
		for told, times := range want[c.who] {
			if told.topic == "case."+c.event {
				n += times
			}
		}
		if n != c.each*len(followed) {
			t.Errorf("%s is to hear of %s %d times by the table, of %d cases", c.who, c.event, n, len(followed))
		}
	}
	staff.registered(t, s, numbers)
	return want
}

// hear is who hears of an entry by the table, without who did it.
func (staff *caseStaff) hear(t *testing.T, e *pb.CaseEntry) (who []string) {
	t.Helper()
	rows := slices.DeleteFunc(casework.Rows(), func(r casework.Row) bool { return string(r.Event) != e.GetEvent() || string(r.From) != e.GetFrom() })
	if len(rows) != 1 {
		t.Fatalf("the table has %d rows for %s in %q", len(rows), e.GetEvent(), e.GetFrom())
	}
	for _, to := range rows[0].Tell {
		name := staff.listeners(to)
		if name != "" && staff.accounts[name] != e.GetAccountId() && !slices.Contains(who, name) {
			who = append(who, name)
		}
	}
	return who
}

// registered checks that the unit's register holds these cases, each once, and counts from 1 without a gap.
func (staff *caseStaff) registered(t *testing.T, s *running, numbers map[string]string) {
	t.Helper()
	got, years := map[string]string{}, map[int32][]int32{}
	for token := ""; ; {
		page, err := s.cases().ListCases(staff.as["leader"], &pb.ListCasesRequest{List: "all", PageSize: 1000, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.GetCases() {
			if _, twice := got[c.GetId()]; twice {
				t.Errorf("case %s is listed twice", c.GetId())
			}
			n := c.GetNumber()
			got[c.GetId()], years[n.GetYear()] = n.String(), append(years[n.GetYear()], n.GetN())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if !maps.Equal(got, numbers) {
		t.Errorf("the register holds %d cases, %d were acknowledged, or their numbers are others", len(got), len(numbers))
	}
	for year, list := range years { // two of them at midnight of New Year's Eve
		slices.Sort(list)
		for i, n := range list {
			if int(n) != i+1 {
				t.Fatalf("the register of %d: %v", year, list)
			}
		}
	}
}

// nothingOwed waits until no case has anybody left to be told: whatever is ever told of these events was told by then.
func nothingOwed(t *testing.T, data string) {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), data, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	kinds := casebook.Kinds()
	cases, err := engine.Documents(t.Context(), kinds[slices.IndexFunc(kinds, func(k store.Kind) bool { return k.Name == "cases" })])
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		owing := 0
		for _, err := range cases.Find(t.Context(), store.Query{Index: "owed", From: time.UnixMilli(0)}) {
			if err != nil {
				t.Fatal(err)
			}
			owing++
		}
		if owing == 0 {
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Errorf("%d cases still have somebody to be told", owing)
			return
		}
	}
}

// heard checks that somebody's notices of cases are exactly those, each once.
func (staff *caseStaff) heard(t *testing.T, s *running, who string, want map[toldOnce]int) {
	t.Helper()
	got := map[toldOnce]int{}
	for token := ""; ; {
		page, err := s.notices().ListNotices(staff.as[who], &pb.ListNoticesRequest{PageSize: 1000, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.GetNotices() {
			if strings.HasPrefix(n.GetTopic(), "case.") { // the others are of clocks, which go by the day on which this is run
				got[toldOnce{n.GetTopic(), n.GetLink(), n.GetAt().AsTime().UnixMilli()}]++
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	missing, doubled, strange := 0, 0, 0
	for told, n := range want {
		missing += max(0, n-got[told])
		doubled += max(0, got[told]-n)
	}
	for told, n := range got {
		if want[told] == 0 {
			strange += n
		}
	}
	if len(want) == 0 || missing+doubled+strange > 0 {
		t.Errorf("of %d kinds of notices of %s %d are missing, %d doubled, and %d are of nothing that happened", len(want), who, missing, doubled, strange)
	}
}

const (
	mailSender = "Một cửa <motcua@xa.example.vn>"
	mailTo     = "chutich@xa.example.vn"
)

var mailCode = regexp.MustCompile(`(?m)^ {4}(\d{6})\r?$`)

// mailTo lets the leader have e-mail of what waits for it.
func (staff *caseStaff) mailTo(t *testing.T, s *running, box *mailbox) {
	t.Helper()
	ctx := staff.as["leader"]
	if _, err := s.notices().SetNoticeEmail(ctx, &pb.SetNoticeEmailRequest{Email: mailTo}); err != nil {
		t.Fatal(err)
	}
	select {
	case code := <-box.codes:
		if _, err := s.notices().ConfirmNoticeEmail(ctx, &pb.ConfirmNoticeEmailRequest{Code: code}); err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("no code came by e-mail")
	}
	if _, err := s.notices().UpdateNoticeSettings(ctx, &pb.UpdateNoticeSettingsRequest{Language: "en", EmailGroups: []string{"tasks"}}); err != nil {
		t.Fatal(err)
	}
}

// mailed checks that for each of the leader's notices a mail came in the end, under an id of its own that it had from its first try on.
func (staff *caseStaff) mailed(t *testing.T, s *running, box *mailbox, told map[toldOnce]int) {
	t.Helper()
	want := 0
	for one, n := range told {
		if one.topic == "case.open" || one.topic == "case.submit" {
			want += n
		}
	}
	sent := func() (ids []string, waiting int) {
		for token := ""; ; {
			page, err := s.notices().ListDeliveries(staff.admin, &pb.ListDeliveriesRequest{Channel: "email", PageSize: 1000, PageToken: token})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page.GetDeliveries() {
				if strings.HasPrefix(d.GetTopic(), "case.") {
					ids = append(ids, "<"+d.GetPublicId()+"@xa.example.vn>")
					if d.GetState() != "sent" {
						waiting++
					}
				}
			}
			if token = page.GetNextPageToken(); token == "" {
				return ids, waiting
			}
		}
	}
	ids, waiting := sent()
	for began := time.Now(); waiting > 0 && time.Since(began) < 30*time.Second; ids, waiting = sent() {
		time.Sleep(20 * time.Millisecond)
	}
	box.mu.Lock()
	defer box.mu.Unlock()
	slices.Sort(ids)
	if taken := slices.Sorted(maps.Keys(box.taken)); waiting > 0 || len(ids) != want || !slices.Equal(taken, ids) {
		t.Errorf("%d mails are to be sent; %d wait among %d, and %d came", want, waiting, len(ids), len(taken))
	}
	for id, subject := range box.offered {
		if box.taken[id] != subject {
			t.Errorf("%q was offered as %s; under that id came %q", subject, id, box.taken[id])
		}
	}
	if len(box.offered) == 0 || len(box.strange) > 0 {
		t.Errorf("%d mails were refused at first; ids that stood for two mails: %v", len(box.offered), box.strange)
	}
}

// mailbox is a server of e-mail that can be made to take nothing.
type mailbox struct {
	listener net.Listener
	codes    chan string

	mu       sync.Mutex
	refusing bool
	refused  int
	offered  map[string]string // subjects of mails that were refused, by Message-ID
	taken    map[string]string // of those that came, of which nobody knows how often
	strange  []string          // ids under which different mails came
}

func openMailbox(t *testing.T) *mailbox {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := &mailbox{listener: listener, codes: make(chan string, 1), offered: map[string]string{}, taken: map[string]string{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { box.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return box
}

func (box *mailbox) address() string { return "smtp://" + box.listener.Addr().String() }

func (box *mailbox) refuse(refusing bool) {
	box.mu.Lock()
	defer box.mu.Unlock()
	box.refusing = refusing
}

func (box *mailbox) refusals() int {
	box.mu.Lock()
	defer box.mu.Unlock()
	return box.refused
}

func (box *mailbox) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // a test that fails must end too
	r := bufio.NewReader(conn)
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	for say("220 ready"); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " "); verb {
		case "DATA":
			say("354 go on")
			body, err := io.ReadAll(textproto.NewReader(r).DotReader())
			if err != nil { // whoever sent it died
				return
			}
			answer := box.take(string(body))
			if answer == "" {
				return
			}
			say(answer)
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// take takes a mail. Where it refuses, it says so or takes the mail and breaks off before it says anything: then it comes twice.
func (box *mailbox) take(body string) string {
	message, err := mail.ReadMessage(strings.NewReader(body))
	if err != nil {
		return "554 that is no mail"
	}
	id, subject := message.Header.Get("Message-ID"), message.Header.Get("Subject")
	box.mu.Lock()
	defer box.mu.Unlock()
	if code := mailCode.FindStringSubmatch(body); code != nil {
		box.codes <- code[1]
		return "250 taken"
	}
	for _, before := range []map[string]string{box.offered, box.taken} {
		if was, there := before[id]; there && was != subject {
			box.strange = append(box.strange, id)
		}
	}
	if !box.refusing {
		box.taken[id] = subject
		return "250 taken"
	}
	box.refused++
	box.offered[id] = subject
	if box.refused%2 == 0 {
		box.taken[id] = subject
		return ""
	}
	return "451 not now"
}
