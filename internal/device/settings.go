package device

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Settings is how a device's screen works, as KioskSettings of the contract says; the zero value is useful.
type Settings struct {
	Questionnaire   string   `bson:"questionnaire,omitempty"`
	Languages       []string `bson:"languages,omitempty"`
	IdleSeconds     int32    `bson:"idle_seconds,omitempty"`
	NewToneStyle    bool     `bson:"new_tone_style,omitempty"`
	Invitations     []Words  `bson:"invitations,omitempty"`
	Thanks          []Words  `bson:"thanks,omitempty"`
	SkipComment     bool     `bson:"skip_comment,omitempty"`
	SkipCallBack    bool     `bson:"skip_call_back,omitempty"`
	ChooseOfficial  bool     `bson:"choose_official,omitempty"`
	MinimumInterval int32    `bson:"minimum_interval,omitempty"` // seconds
	TicketPattern   string   `bson:"ticket_pattern,omitempty"`
	DossierPattern  string   `bson:"dossier_pattern,omitempty"`
	LowButtons      bool     `bson:"low_buttons,omitempty"`
}

// Words is a text in one language.
type Words struct {
	Language string `bson:"language"`
	Text     string `bson:"text"`
}

// maxWords is how many characters an invitation or thanks may have: what a small screen holds at twice its size.
const maxWords = 120

// Limits of the contract, for settings that did not come by it.
const (
	maxLanguages = 10
	maxSeconds   = 300
	maxPattern   = 200
	maxCode      = 64
)

// SettingsOf reads settings of the contract and judges them; whether the questionnaire is there is asked before. Invalid
// "device_setting_invalid", "device_language_unknown", "device_words_invalid", "device_pattern_invalid".
func SettingsOf(of *pb.KioskSettings) (Settings, error) {
	s := Settings{
		Questionnaire: of.GetQuestionnaireId(), Languages: slices.Clone(of.GetLanguages()), IdleSeconds: of.GetIdleSeconds(), NewToneStyle: of.GetNewToneStyle(),
		SkipComment: of.GetSkipComment(), SkipCallBack: of.GetSkipCallBack(), ChooseOfficial: of.GetChooseOfficial(),
		MinimumInterval: of.GetMinimumIntervalSeconds(), TicketPattern: of.GetTicketPattern(), DossierPattern: of.GetDossierPattern(), LowButtons: of.GetLowButtons(),
	}
	if len(s.Questionnaire) > maxCode || len(s.Languages) > maxLanguages ||
		min(s.IdleSeconds, s.MinimumInterval) < 0 || max(s.IdleSeconds, s.MinimumInterval) > maxSeconds {
		return s, fault.New(fault.Invalid, "device_setting_invalid")
	}
	for i, tag := range s.Languages {
		if !spoken(tag) || slices.Contains(s.Languages[:i], tag) {
			return s, fault.New(fault.Invalid, "device_language_unknown", "language", tag)
		}
	}
	var err error
	if s.Invitations, err = wordsOf(of.GetInvitations()); err != nil {
		return s, err
	}
	if s.Thanks, err = wordsOf(of.GetThanks()); err != nil {
		return s, err
	}
	for _, pattern := range []string{s.TicketPattern, s.DossierPattern} {
		if _, err := regexp.Compile(pattern); err != nil || utf8.RuneCountInString(pattern) > maxPattern {
			return s, fault.New(fault.Invalid, "device_pattern_invalid", "pattern", pattern).Because(err)
		}
	}
	return s, nil
}

func spoken(tag string) bool {
	_, err := language.Parse(tag)
	return err == nil
}

func wordsOf(texts []*pb.LocalText) ([]Words, error) {
	if len(texts) > maxLanguages {
		return nil, fault.New(fault.Invalid, "device_setting_invalid")
	}
	var all []Words
	for _, text := range texts {
		words := Words{text.GetLanguage(), strings.TrimSpace(norm.NFC.String(text.GetText()))}
		if !spoken(words.Language) || slices.ContainsFunc(all, func(other Words) bool { return other.Language == words.Language }) {
			return nil, fault.New(fault.Invalid, "device_language_unknown", "language", words.Language)
		}
		if n := utf8.RuneCountInString(words.Text); n == 0 || n > maxWords || !utf8.ValidString(words.Text) || strings.ContainsFunc(words.Text, unicode.IsControl) {
			return nil, fault.New(fault.Invalid, "device_words_invalid", "limit", maxWords)
		}
		all = append(all, words)
	}
	return all, nil
}

// Proto is the settings as the contract has them.
func (s Settings) Proto() *pb.KioskSettings {
	out := &pb.KioskSettings{
		QuestionnaireId: s.Questionnaire, Languages: slices.Clone(s.Languages), IdleSeconds: s.IdleSeconds, NewToneStyle: s.NewToneStyle,
		SkipComment: s.SkipComment, SkipCallBack: s.SkipCallBack, ChooseOfficial: s.ChooseOfficial,
		MinimumIntervalSeconds: s.MinimumInterval, TicketPattern: s.TicketPattern, DossierPattern: s.DossierPattern, LowButtons: s.LowButtons,
	}
	for _, words := range s.Invitations {
		out.Invitations = append(out.Invitations, &pb.LocalText{Language: words.Language, Text: words.Text})
	}
	for _, words := range s.Thanks {
		out.Thanks = append(out.Thanks, &pb.LocalText{Language: words.Language, Text: words.Text})
	}
	return out
}

// SetSettings says how the device's screen works, from SettingsOf. NotFound; Denied "device_revoked".
func (d *Devices) SetSettings(ctx context.Context, by, id string, settings Settings) (Device, error) {
	doc, err := d.devices.Update(ctx, id, func(doc *deviceDoc) (bool, error) {
		if !doc.RevokedAt.IsZero() {
			return false, fault.New(fault.Denied, "device_revoked")
		}
		doc.Settings = settings
		return true, nil
	})
	if err != nil {
		return Device{}, typed("set kiosk settings", err)
	}
	d.tell(ctx, id)
	d.log.InfoContext(ctx, "device's screen set", "device", id, "by", by)
	return d.whole(ctx, doc), nil
}

// whole is a device that was changed just now, with what is kept apart where that can be read.
func (d *Devices) whole(ctx context.Context, doc deviceDoc) Device {
	devices := []Device{doc.device()}
	if err := d.complete(ctx, devices); err != nil {
		d.log.WarnContext(ctx, "a changed device is answered without when it was heard of", "device", doc.ID, "error", err)
	}
	return devices[0]
}
