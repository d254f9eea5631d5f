// Package web is what every page is made with: the frame around it, its words and numbers, who is visiting, what goes wrong.
//
// Pages are a client of the contract. They call the same gRPC services as any program, over a connection in memory, with the
// visitor's own session: a page can never do more than the interface allows its visitor, and whatever a page can do a program
// can do too. Each topic of pages is a package below this one with a function Mount(*web.Site) error.
package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Config is what a site needs from the program around it. Conn and Address are required.
type Config struct {
	Conn    grpc.ClientConnInterface
	Address func(*http.Request) string // where a visitor is, as limits and audit see it
	Secure  func(*http.Request) bool   // whether the visitor came over TLS; nil = where the server itself speaks it

	DeviceServer      func(host string) string // address of a host for devices, such as "https://hailong.example.vn:9090"; nil = that of the pages
	PublicURL         string                   // such as "https://hailong.example.vn", for posters; "" = as the visitor wrote it
	EmbedOrigins      []string                 // where the citizen's form may stand in a frame
	Accounts          func() []DemoAccount     // of the demonstration; nil = none
	AdministratorName string                   // of the first account
	Filling           func() bool              // whether the demonstration's sample data is still being loaded; nil = never
	FirstRun          func() bool              // whether the first administrator still has the one-time password; nil = never

	Clock  func() time.Time // nil = time.Now
	Logger *slog.Logger     // nil = nothing is logged
}

// DemoAccount is an account of the demonstration, shown on the sign-in page.
type DemoAccount struct{ Name, Password, Role string }

// Site holds what all pages share. Topics are mounted first, then Handler is asked once.
type Site struct {
	Config
	mux       *http.ServeMux
	base      map[language.Language]*templates
	styles    []byte // one sheet: the frame's, then each topic's
	assets    map[string]asset
	links     map[string]string // name of an asset → its address
	pages     *Pages
	protected *http.CrossOriginProtection

	Ratings    pb.RatingServiceClient
	Analytics  pb.AnalyticsServiceClient
	Directory  pb.DirectoryServiceClient
	Identity   pb.IdentityServiceClient
	Operations pb.OperationsServiceClient
	Citizen    pb.CitizenServiceClient
	Remedies   pb.RemedyServiceClient
	Desk       pb.DeskServiceClient
	Notices    pb.NoticeServiceClient
	Calls      pb.CallServiceClient
	CaseRules  pb.CaseRulesServiceClient
	Cases      pb.CaseServiceClient
	Documents  pb.DocumentServiceClient
	Registers  pb.RegisterServiceClient
	Coverage   pb.CoverageServiceClient
	Correct    pb.ActionServiceClient // corrective actions and contests
}

// New makes a site without pages.
func New(config Config) (*Site, error) {
	if config.Conn == nil || config.Address == nil {
		return nil, errors.New("a site needs a connection to the services and a way to tell addresses")
	}
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Secure == nil {
		config.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	if config.FirstRun == nil {
		config.FirstRun = func() bool { return false }
	}
	if config.Filling == nil {
		config.Filling = func() bool { return false }
	}
	s := &Site{
		Config: config, mux: http.NewServeMux(), assets: map[string]asset{}, links: map[string]string{},
		protected: http.NewCrossOriginProtection(),
		Ratings:   pb.NewRatingServiceClient(config.Conn), Analytics: pb.NewAnalyticsServiceClient(config.Conn),
		Directory: pb.NewDirectoryServiceClient(config.Conn), Identity: pb.NewIdentityServiceClient(config.Conn),
		Operations: pb.NewOperationsServiceClient(config.Conn), Citizen: pb.NewCitizenServiceClient(config.Conn),
		Remedies: pb.NewRemedyServiceClient(config.Conn), Desk: pb.NewDeskServiceClient(config.Conn),
		Notices:   pb.NewNoticeServiceClient(config.Conn),
		Calls:     pb.NewCallServiceClient(config.Conn),
		CaseRules: pb.NewCaseRulesServiceClient(config.Conn),
		Cases:     pb.NewCaseServiceClient(config.Conn),
		Documents: pb.NewDocumentServiceClient(config.Conn),
		Registers: pb.NewRegisterServiceClient(config.Conn),
		Coverage:  pb.NewCoverageServiceClient(config.Conn),
		Correct:   pb.NewActionServiceClient(config.Conn),
	}
	if err := s.ownAssets(); err != nil {
		return nil, err
	}
	s.protected.SetDenyHandler(http.HandlerFunc(s.refused))
	var err error
	if s.base, err = s.baseTemplates(); err != nil {
		return nil, err
	}
	s.pages, err = s.Pages(ownTemplates)
	return s, err
}

// Access says who may open a page.
type Access int

// The kinds of access.
const (
	SignedIn    Access = iota // whoever has a session; others are shown the sign-in page and come back
	Anyone                    // the account is known where somebody is signed in
	NewcomerToo               // signed in, even where the one-time password must still be changed
)

// Option changes how a page is served.
type Option func(*route)

// MaxBody lets a form carry so many bytes; without it 256 KB.
func MaxBody(bytes int64) Option { return func(r *route) { r.maxBody = bytes } }

// Framed lets a page stand in a frame of the configured origins (Config.EmbedOrigins).
func Framed() Option { return func(r *route) { r.framed = true } }

// Needs hides a page (404) from accounts that may not do this action, such as "read_ratings". The services decide all the
// same; this only spares people a page that could only refuse them.
func Needs(action string) Option { return func(r *route) { r.needs = action } }

// Meanwhile answers a page while the store is away, when it may not even be known who visits; without it visitors are told so in
// general words. What the handler shows is for anybody who comes with a session, be it one that has ended.
func Meanwhile(handler func(*Visit) error) Option {
	return func(r *route) { r.meanwhile = handler }
}

type route struct {
	maxBody   int64
	framed    bool
	needs     string
	meanwhile func(*Visit) error
}

const maxForm = 256 << 10

// Handle adds a page. The handler's error becomes a page of its own; see Visit for what it may do.
func (s *Site) Handle(pattern string, access Access, handler func(*Visit) error, options ...Option) {
	r := route{maxBody: maxForm}
	for _, option := range options {
		option(&r)
	}
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, request *http.Request) {
		request.Body = http.MaxBytesReader(w, request.Body, r.maxBody)
		s.serve(w, request, access, r, handler)
	})
}

// Style adds a style sheet to the one that every page links.
func (s *Site) Style(sheet []byte) { s.styles = append(append(s.styles, '\n'), sheet...) }

// Asset adds a file, such as a script, and answers its address, which changes with its content. Templates find it by
// {{asset "name"}}.
func (s *Site) Asset(name string, content []byte) string {
	sum := sha256.Sum256(content)
	address := "/assets/" + hex.EncodeToString(sum[:6]) + "/" + name
	s.assets[address] = newAsset(name, content)
	s.links[name] = address
	return address
}

// Handler answers everything: pages, assets, and a page for what is not there.
func (s *Site) Handler() http.Handler {
	s.Asset("site.css", s.styles)
	s.mux.HandleFunc("GET /assets/", s.serveAsset)
	s.Handle("/", Anyone, func(v *Visit) error { return v.notFound() })
	guarded := s.protected.Handler(s.mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy("'none'"))
		// Without a referrer even to ourselves, browsers would say that our own forms come from nowhere.
		w.Header().Set("Referrer-Policy", "same-origin")
		compress(guarded, w, r)
	})
}

// policy is the strict one: everything from here, nothing inline.
func policy(ancestors string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors " + ancestors
}

func (s *Site) ancestors() string {
	if len(s.EmbedOrigins) == 0 {
		return "'none'"
	}
	return strings.Join(s.EmbedOrigins, " ")
}
