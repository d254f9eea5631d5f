package server

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/hailong-vn/hailong/internal/device"
	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// administering are commands for what an administrator does most: the same as the pages, at the machine. Who may write the data
// folder may do anything to it already, so no account is asked for. A server that runs beside them sees within seconds
// what they changed.
func administering() []command {
	return []command{
		{"list counters", listCounters},
		{"create counter", createCounter},
		{"close counter", closeCounter},
		{"list devices", listDevices},
		{"create device", createDevice},
		{"renew code", renewCode},
		{"revoke device", revokeDevice},
		{"list accounts", listAccounts},
		{"create account", createAccount},
		{"disable account", disableAccount},
		{"enable account", enableAccount},
		{"publish questionnaire", publishQuestionnaire},
	}
}

// administer opens the store that is there for a command with so many words: usage names them.
func administer(ctx context.Context, t *terminal, usage string, args []string, more func(*flag.FlagSet), do func(*application, []string) error) error {
	var config Config
	flags := t.flags("hailong-server " + usage)
	config.registerStore(flags, t.Language)
	if more != nil {
		more(flags)
	}
	wanted := 0
	for word := range strings.FieldsSeq(usage) {
		if word == strings.ToUpper(word) {
			wanted++
		}
	}
	words, err := parseWith(flags, args, wanted)
	if err != nil {
		return err
	}
	a, err := openExisting(ctx, t, config)
	if err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	return do(a, words)
}

// rows prints lines in columns.
func (t *terminal) rows(lines [][]string) error {
	w := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		_, _ = fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	return w.Flush()
}

func (t *terminal) tell(text string) error {
	_, err := fmt.Fprintln(t.stdout, text)
	return err
}

func listCounters(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "list counters UNIT", args, nil, func(a *application, words []string) error {
		unit, err := unitResolver{a.directory}.find(words[0])
		if err != nil {
			return err
		}
		var lines [][]string
		for token := ""; ; {
			counters, next, err := a.directory.ListCounters(unit, directory.Page{Size: 1000, Token: token})
			if err != nil {
				return err
			}
			for _, c := range counters {
				if c.Open() {
					lines = append(lines, []string{c.ID, c.Code, c.Name, c.UnitID})
				}
			}
			if token = next; token == "" {
				return t.rows(lines)
			}
		}
	})
}

func createCounter(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "create counter UNIT SIGN NAME", args, nil, func(a *application, words []string) error {
		unit, err := unitResolver{a.directory}.find(words[0])
		if err != nil {
			return err
		}
		made, err := a.directory.CreateCounter(ctx, directory.Counter{UnitID: unit, Code: words[1], Name: words[2]})
		if err != nil {
			return err
		}
		return t.tell(made.ID)
	})
}

func closeCounter(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "close counter ID", args, nil, func(a *application, words []string) error {
		closed, err := a.directory.CloseCounter(ctx, words[0])
		if err != nil {
			return err
		}
		return t.tell(t.Text("adminpage.counter_closed", "name", closed.Name))
	})
}

func listDevices(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "list devices", args, nil, func(a *application, _ []string) error {
		var lines [][]string
		for page := ""; ; {
			devices, next, err := a.devices.List(ctx, 1000, page, device.Filter{})
			if err != nil {
				return err
			}
			for _, d := range devices {
				state, seen := strings.ToLower(strings.TrimPrefix(a.judged(ctx, d).GetState().String(), "DEVICE_STATE_")), t.Text("adminpage.ago.never")
				if !d.LastSeenAt.IsZero() {
					seen = t.moment(d.LastSeenAt)
				}
				lines = append(lines, []string{d.ID, t.Text("kioskspage.state." + state), seen, d.Name})
			}
			if page = next; page == "" {
				return t.rows(lines)
			}
		}
	})
}

func createDevice(ctx context.Context, t *terminal, args []string) error {
	var counters string
	return administer(ctx, t, "create device NAME UNIT", args, func(flags *flag.FlagSet) {
		flags.StringVar(&counters, "counters", "", t.Text("flag.counters"))
	}, func(a *application, words []string) error {
		unit, err := unitResolver{a.directory}.find(words[1])
		if err != nil {
			return err
		}
		bindings := []device.Binding{{UnitID: unit}}
		if counters != "" {
			bindings = nil
			for id := range strings.SplitSeq(counters, ",") {
				bindings = append(bindings, device.Binding{UnitID: unit, CounterID: strings.TrimSpace(id)})
			}
		}
		for _, binding := range bindings {
			if err := a.checkBinding(binding); err != nil {
				return err
			}
		}
		made, code, err := a.devices.Create(ctx, "", words[0], bindings)
		if err != nil {
			return err
		}
		return t.tell(t.Text("administer.code", "name", made.Name, "id", made.ID, "code", code.Text, "until", t.moment(code.ExpiresAt)))
	})
}

func renewCode(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "renew code DEVICE", args, nil, func(a *application, words []string) error {
		renewed, code, err := a.devices.RenewCode(ctx, "", words[0])
		if err != nil {
			return err
		}
		return t.tell(t.Text("administer.code", "name", renewed.Name, "id", renewed.ID, "code", code.Text, "until", t.moment(code.ExpiresAt)))
	})
}

func revokeDevice(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "revoke device DEVICE", args, nil, func(a *application, words []string) error {
		revoked, err := a.devices.Revoke(ctx, "", words[0])
		if err != nil {
			return err
		}
		return t.tell(t.Text("adminpage.revoked", "name", revoked.Name))
	})
}

func listAccounts(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "list accounts", args, nil, func(a *application, _ []string) error {
		var lines [][]string
		for page := ""; ; {
			accounts, next, err := a.accounts.List(ctx, identity.System(), a.within, 1000, page)
			if err != nil {
				return err
			}
			for _, account := range accounts {
				state, where := "adminpage.works", account.UnitID
				if !account.DisabledAt.IsZero() {
					state = "adminpage.is_disabled"
				}
				if where == "" {
					where = t.Text("adminpage.everywhere")
				}
				lines = append(lines, []string{account.Name, t.Text("web.role." + account.Role.String()), t.Text(state), where})
			}
			if page = next; page == "" {
				return t.rows(lines)
			}
		}
	})
}

func createAccount(ctx context.Context, t *terminal, args []string) error {
	var unit string
	return administer(ctx, t, "create account NAME ROLE", args, func(flags *flag.FlagSet) {
		flags.StringVar(&unit, "unit", "", t.Text("flag.account-unit"))
	}, func(a *application, words []string) error {
		wanted := identity.NewAccount{Name: words[0], Role: pb.Role(pb.Role_value["ROLE_"+strings.ToUpper(words[1])])}
		if unit != "" {
			var err error
			if wanted.UnitID, err = (unitResolver{a.directory}).find(unit); err != nil {
				return err
			}
		}
		account, oneTime, err := a.accounts.CreateWithOneTime(ctx, identity.System(), a.within, wanted)
		if err != nil {
			return err
		}
		return t.tell(t.Text("reset.done", "name", account.Name, "password", oneTime))
	})
}

func disableAccount(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "disable account NAME", args, nil, func(a *application, words []string) error {
		account, err := a.accounts.Named(ctx, identity.System(), a.within, words[0])
		if err != nil {
			return err
		}
		if _, err := a.accounts.Disable(ctx, identity.System(), a.within, account.ID); err != nil {
			return err
		}
		return t.tell(t.Text("adminpage.disabled", "name", account.Name))
	})
}

func enableAccount(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "enable account NAME", args, nil, func(a *application, words []string) error {
		account, err := a.accounts.Named(ctx, identity.System(), a.within, words[0])
		if err != nil {
			return err
		}
		oneTime, err := a.accounts.Enable(ctx, identity.System(), a.within, account.ID)
		if err != nil {
			return err
		}
		return t.tell(t.Text("reset.done", "name", account.Name, "password", oneTime))
	})
}

// maxQuestionnaire is how long a questionnaire may be, in bytes: as the contract takes it.
const maxQuestionnaire = 1_000_000

func publishQuestionnaire(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "publish questionnaire FILE", args, nil, func(a *application, words []string) error {
		file, err := os.Open(words[0])
		if err != nil {
			return fault.New(fault.NotFound, "file_unreadable", "file", words[0]).Because(err)
		}
		defer func() { _ = file.Close() }()
		text, err := io.ReadAll(io.LimitReader(file, maxQuestionnaire+1))
		if err != nil {
			return fault.New(fault.Invalid, "file_unreadable", "file", words[0]).Because(err)
		}
		if len(text) > maxQuestionnaire {
			return fault.New(fault.Invalid, "questionnaire_too_long", "limit", maxQuestionnaire)
		}
		published, err := a.directory.PublishQuestionnaire(ctx, string(text))
		if err != nil {
			return t.faults(err)
		}
		return t.tell(t.Text("adminpage.published", "id", published.ID, "version", published.Version))
	})
}
