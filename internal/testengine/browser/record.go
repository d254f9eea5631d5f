package browser

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// record is what a page's events told: where it went, what it fetched, what went wrong.
type record struct {
	mu       sync.Mutex
	moves    int          // how often the page went somewhere, within a document too
	loader   cdp.LoaderID // of the document that is shown
	loaded   map[cdp.LoaderID]bool
	requests map[network.RequestID]*request
	problems []string
}

type request struct {
	loader  cdp.LoaderID
	kind    network.ResourceType
	address string
	status  int64 // 0 = no answer yet
	headers network.Headers
	stream  bool    // an answer that need not end
	bytes   float64 // as transferred, with headers
	ended   bool
}

func newRecord() *record {
	return &record{loaded: map[cdp.LoaderID]bool{}, requests: map[network.RequestID]*request{}}
}

// document tells whether the request is for a page itself: what it is answered is the test's to judge.
func (r *record) document(id network.RequestID) bool {
	known := r.requests[id]
	return known != nil && known.kind == network.ResourceTypeDocument
}

func (r *record) event(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			r.moves++
			r.loader = e.Frame.LoaderID
			if e.Type == page.NavigationTypeBackForwardCacheRestore {
				r.loaded[r.loader] = true
			}
		}
	case *page.EventNavigatedWithinDocument:
		r.moves++
	case *page.EventLifecycleEvent:
		if e.Name == "load" {
			r.loaded[e.LoaderID] = true
		}
	case *network.EventRequestWillBeSent:
		r.requests[e.RequestID] = &request{loader: e.LoaderID, kind: e.Type, address: e.Request.URL}
	case *network.EventResponseReceived:
		if known := r.requests[e.RequestID]; known != nil {
			known.status, known.headers = e.Response.Status, e.Response.Headers
			known.stream = e.Response.MimeType == "text/event-stream"
		}
	case *network.EventLoadingFinished:
		if known := r.requests[e.RequestID]; known != nil {
			known.ended, known.bytes = true, e.EncodedDataLength
		}
	case *network.EventLoadingFailed:
		if known := r.requests[e.RequestID]; known != nil {
			known.ended = true
			if !e.Canceled {
				r.problems = append(r.problems, fmt.Sprintf("request failed: %s %s %s", known.address, e.ErrorText, e.BlockedReason))
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !r.document(e.Entry.NetworkRequestID) {
			r.problems = append(r.problems, strings.TrimSpace(fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)))
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			r.problems = append(r.problems, "console."+string(e.Type)+": "+words(e.Args))
		}
	case *runtime.EventExceptionThrown:
		details := e.ExceptionDetails
		text := details.Text
		if details.Exception != nil {
			text += " " + details.Exception.Description
		}
		r.problems = append(r.problems, fmt.Sprintf("exception: %s (%s:%d)", text, details.URL, details.LineNumber+1))
	}
}

func words(args []*runtime.RemoteObject) string {
	var texts []string
	for _, arg := range args {
		if arg.Description != "" {
			texts = append(texts, arg.Description)
			continue
		}
		var text any
		if err := json.Unmarshal(arg.Value, &text); err != nil {
			text = string(arg.Type)
		}
		texts = append(texts, fmt.Sprint(text))
	}
	return strings.Join(texts, " ")
}

// arrived tells whether the page went somewhere since that many moves and has loaded, and what the server answered for it.
func (r *record) arrived(since int) (bool, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.moves <= since || !r.loaded[r.loader] {
		return false, 0
	}
	if known := r.requests[network.RequestID(r.loader)]; known != nil {
		return true, int(known.status)
	}
	return true, 0
}

func (r *record) moved() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moves
}

// transferred sums up the bytes of the document that is shown and all it asked for, by kind; ok is false while some are under way.
func (r *record) transferred() (weight Weight, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	weight = Weight{}
	for known := range maps.Values(r.requests) {
		if known.loader != r.loader || known.stream || known.kind == network.ResourceTypeEventSource {
			continue
		}
		if !known.ended {
			return nil, false
		}
		weight[strings.ToLower(string(known.kind))] += int(known.bytes)
	}
	return weight, true
}

func (r *record) header(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.requests[network.RequestID(r.loader)]; known != nil {
		for key, value := range known.headers {
			if strings.EqualFold(key, name) {
				return fmt.Sprint(value)
			}
		}
	}
	return ""
}

func (r *record) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.problems)
}

func (r *record) forget(upTo int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = r.problems[:min(upTo, len(r.problems))]
}

// ConsoleErrors lists what went wrong on the page so far: errors on the console, exceptions, broken rules of the content security
// policy, requests that failed or were refused. A refusal of the page itself is no error: Go tells its status.
func (p *Page) ConsoleErrors() []string { return p.seen.told() }

// ForgetConsole forgets what went wrong so far, where a test meant it.
func (p *Page) ForgetConsole() { p.seen.forget(0) }

// CheckConsole fails the test where anything went wrong since the page was opened or last checked.
func (p *Page) CheckConsole() {
	p.t.Helper()
	if problems := p.ConsoleErrors(); len(problems) > 0 {
		p.ForgetConsole()
		p.t.Errorf("%s went wrong on the page:\n  %s\n  at %s", pick(len(problems) == 1, "this", "these"), strings.Join(problems, "\n  "), p.URL())
	}
}
