package simulate

import (
	"crypto/x509"
	"flag"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

// Options of a simulation. Start from Defaults.
type Options struct {
	Devices int
	Rate    float64 // ratings a second of all devices together, over a whole day; 0 = none

	Server     string // https://host:port
	AllowPlain bool   // http:// to other machines too
	Roots      *x509.CertPool
	Really     bool // a server on another machine is allowed

	Account  string // may manage devices
	Password string
	Unit     string   // whose counters the devices stand at; "" = all the account sees
	Codes    []string // enrols with these and needs no account; nothing is revoked
	Keep     bool     // leaves the devices enrolled at the end

	State string        // folder of the journals; "" = in memory
	For   time.Duration // ends by itself; 0 = when it is interrupted
	After int           // ends by itself after so many ratings beside the backlog; 0 = when it is interrupted
	Wait  time.Duration // at most for the queues to become empty at the end
	Seed  uint64        // the same seed, the same people

	DayLength    time.Duration // of the eight hours an office is open
	Outage       float64       // share of time a device is without its server, 0 to less than 1
	OutageLength time.Duration // mean of one; 0 = a 24th of the day
	Duplicates   float64       // share of ratings after which the device sends again what was acknowledged
	Backlog      int           // ratings queued before the start
	WrongClocks  float64       // share of devices whose clock is off by minutes

	Share    float64    // of those served who rate
	Scores   [5]float64 // weights of 1 to 5
	Reasons  float64    // share of those not satisfied who say why
	Comments float64    // share that writes something
	Changes  float64    // share that changes their mind

	Language language.Language
	Version  string       // told in heartbeats
	Logger   *slog.Logger // of the devices; nil = nothing is logged
	Figures  io.Writer    // the live line; nil = none
	Words    io.Writer    // words for people; nil = none
	Terminal func() int   // width of Figures where it is a terminal, whose line is written over; nil = it is none

	Random func() float64 // the jitter of the uplinks' pauses, 0 to 1; nil = at random

	Abort <-chan struct{} // closed: the end does not wait for the queues; nil = never
}

// Defaults are a quiet office for which most things go well, at the demonstration.
func Defaults() Options {
	return Options{
		Devices: 10, Rate: 5, Server: "http://127.0.0.1:9090", Account: "quantri", Wait: 5 * time.Minute, Seed: 1, DayLength: 10 * time.Minute,
		Outage: 0.05, Duplicates: 0.01, WrongClocks: 0.1, Share: 0.4, Scores: [5]float64{2, 4, 9, 30, 55}, Reasons: 0.6, Comments: 0.05, Changes: 0.03,
		Language: language.Vietnamese,
	}
}

// Register declares the settings of the play itself as flags; where the server is, is the caller's.
func (o *Options) Register(flags *flag.FlagSet, in language.Language) {
	usage := func(name string) string { return in.Text("kiosksim.flag." + name) }
	flags.IntVar(&o.Devices, "devices", o.Devices, usage("devices"))
	flags.Float64Var(&o.Rate, "rate", o.Rate, usage("rate"))
	flags.BoolVar(&o.Really, "really", o.Really, usage("really"))
	flags.StringVar(&o.Account, "account", o.Account, usage("account"))
	flags.StringVar(&o.Unit, "unit", o.Unit, usage("unit"))
	flags.Func("code", usage("code"), func(text string) error {
		o.Codes = append(o.Codes, strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })...)
		return nil
	})
	flags.BoolVar(&o.Keep, "keep", o.Keep, usage("keep"))
	flags.StringVar(&o.State, "state", o.State, usage("state"))
	flags.DurationVar(&o.For, "for", o.For, usage("for"))
	flags.IntVar(&o.After, "after", o.After, usage("after"))
	flags.DurationVar(&o.Wait, "wait", o.Wait, usage("wait"))
	flags.Uint64Var(&o.Seed, "seed", o.Seed, usage("seed"))
	flags.DurationVar(&o.DayLength, "day-length", o.DayLength, usage("day-length"))
	flags.Float64Var(&o.Outage, "outage", o.Outage, usage("outage"))
	flags.DurationVar(&o.OutageLength, "outage-length", o.OutageLength, usage("outage-length"))
	flags.Float64Var(&o.Duplicates, "duplicates", o.Duplicates, usage("duplicates"))
	flags.IntVar(&o.Backlog, "backlog", o.Backlog, usage("backlog"))
	flags.Float64Var(&o.WrongClocks, "wrong-clocks", o.WrongClocks, usage("wrong-clocks"))
	flags.Float64Var(&o.Share, "share", o.Share, usage("share"))
	flags.Var((*weights)(&o.Scores), "scores", usage("scores"))
	flags.Float64Var(&o.Reasons, "reasons", o.Reasons, usage("reasons"))
	flags.Float64Var(&o.Comments, "comments", o.Comments, usage("comments"))
	flags.Float64Var(&o.Changes, "changes", o.Changes, usage("changes"))
}

// weights are five numbers with commas between them.
type weights [5]float64

func (w *weights) String() string {
	words := make([]string, len(w))
	for i, one := range w {
		words[i] = strconv.FormatFloat(one, 'f', -1, 64)
	}
	return strings.Join(words, ",")
}

func (w *weights) Set(text string) error {
	words := strings.Split(text, ",")
	if len(words) != len(w) {
		return strconv.ErrSyntax
	}
	for i, word := range words {
		one, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil {
			return err
		}
		w[i] = one
	}
	return nil
}

// Bounds of a simulation on one machine.
const (
	maxDevices = 2000
	maxRate    = 10_000
	maxBacklog = 1_000_000
)

// Check refuses what cannot be meant, and fills in what may be left out.
func (o *Options) Check() error {
	if len(o.Codes) > 0 {
		o.Devices = len(o.Codes)
	}
	if o.OutageLength == 0 {
		o.OutageLength = o.DayLength / 24
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Figures == nil {
		o.Figures = io.Discard
	}
	if o.Words == nil {
		o.Words = io.Discard
	}
	if !o.Really && !Loopback(o.Server) {
		return fault.New(fault.Denied, "kiosksim_really", "server", o.Server)
	}
	sum := 0.0
	for _, one := range o.Scores {
		if !within(one, 0, 1e9) {
			sum = -1
			break
		}
		sum += one
	}
	for _, c := range []struct {
		flag string
		ok   bool
	}{
		{"devices", within(float64(o.Devices), 1, maxDevices)}, {"rate", within(o.Rate, 0, maxRate)}, {"for", o.For >= 0}, {"wait", o.Wait >= 0}, {"after", o.After >= 0},
		{"day-length", o.DayLength >= time.Second && o.DayLength <= 24*time.Hour}, {"outage", within(o.Outage, 0, 0.95)},
		{"outage-length", o.OutageLength > 0}, {"duplicates", within(o.Duplicates, 0, 1)}, {"backlog", within(float64(o.Backlog), 0, maxBacklog)},
		{"wrong-clocks", within(o.WrongClocks, 0, 1)}, {"share", within(o.Share, 0.001, 1)}, {"scores", sum > 0}, {"reasons", within(o.Reasons, 0, 1)},
		{"comments", within(o.Comments, 0, 1)}, {"changes", within(o.Changes, 0, 1)},
	} {
		if !c.ok {
			return fault.New(fault.Invalid, "kiosksim_flag", "flag", "-"+c.flag)
		}
	}
	return nil
}

// within is false for what is no number too.
func within(value, low, high float64) bool { return value >= low && value <= high }
