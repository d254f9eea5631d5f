package server

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/notice"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// openNotices opens what tells people and machines.
func (a *application) openNotices(ctx context.Context, keys secret.Keys) (err error) {
	options := notice.Options{
		Keys: keys, Limits: a.bus, Logger: a.Logger, Now: a.Clock, PublicURL: a.PublicURL, Within: a.within, UnitName: a.unitName,
		Recipient: a.recipient, Keepers: a.webhookKeepers, Observe: a.metrics.delivered, Digest: a.digest,
	}
	if options.Networks, err = networks("-webhook-networks", a.WebhookNetworks); err != nil {
		return err
	}
	if a.SMTP != "" {
		mailer, err := notice.ParseSMTP(a.SMTP, a.SMTPFrom)
		if err != nil {
			return fmt.Errorf("HAILONG_SMTP_URL, HAILONG_SMTP_FROM: %w", err)
		}
		options.Mailer = mailer
	}
	a.notices, err = notice.Open(ctx, a.engine, options)
	return err
}

// networks reads networks separated by commas; an address alone is a network of one.
func networks(setting, text string) ([]netip.Prefix, error) {
	list, err := parseProxies(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is no list of networks such as 10.20.0.0/16", setting, text)
	}
	return list, nil
}

// unitName is what a unit is called today, or was last.
func (a *application) unitName(id string) string {
	tree := a.directory.Tree()
	unit, ok := tree.Get(id)
	if !ok {
		return id
	}
	return unit.Near(tree.Today()).Name
}

// recipient tells what an account is called and whether it can still sign in.
func (a *application) recipient(ctx context.Context, account string) (string, bool, error) {
	known, err := a.accounts.Known(ctx, account)
	if fault.Is(err, fault.NotFound) {
		return "", false, nil
	}
	return known.Called(), known.DisabledAt.IsZero(), err
}

// webhookKeepers are the administrators nearest above a unit.
func (a *application) webhookKeepers(ctx context.Context, unit string) ([]string, error) {
	found, err := a.audiences().nearest(ctx, unit, pb.Role_ROLE_ADMINISTRATOR)
	return accountIDs(found), err
}

func accountIDs(accounts []identity.Account) []string {
	var ids []string
	for _, one := range accounts {
		ids = append(ids, one.ID)
	}
	return ids
}

// noticeService tells accounts what happened, and keeps webhooks.
type noticeService struct {
	pb.UnimplementedNoticeServiceServer
	*application
}

// reader is the account that asks for its own notices.
func (s noticeService) reader(ctx context.Context) (string, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadNotices); err != nil {
		return "", err
	}
	if caller.AccountID == "" { // the program itself has none
		return "", fault.New(fault.Denied, "action_denied")
	}
	return caller.AccountID, nil
}

func (s noticeService) ListNotices(ctx context.Context, request *pb.ListNoticesRequest) (*pb.ListNoticesResponse, error) {
	account, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := s.notices.List(ctx, account, request.GetUnreadOnly(), store.Cursor(request.GetPageToken()), pageSize(request.GetPageSize()))
	if err != nil {
		return nil, err
	}
	response := &pb.ListNoticesResponse{NextPageToken: string(next)}
	for _, one := range list {
		response.Notices = append(response.Notices, s.noticeProto(one, languageOf(ctx)))
	}
	return response, nil
}

func (s noticeService) noticeProto(one notice.Notice, in language.Language) *pb.Notice {
	words := s.notices.Words(in, one)
	out := &pb.Notice{
		Id: one.ID, Topic: one.Topic, Subject: words.Subject, Text: words.Text, UnitId: one.Unit, Link: one.Link, At: timestamp(one.At), ReadAt: timestamp(one.ReadAt),
	}
	for _, line := range one.Lines {
		out.Lines = append(out.Lines, &pb.NoticeLine{Text: s.notices.Line(in, one.Unit, line), Link: line.Link})
	}
	return out
}

func (s noticeService) GetUnreadCount(ctx context.Context, _ *pb.GetUnreadCountRequest) (*pb.GetUnreadCountResponse, error) {
	account, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	count, more, err := s.notices.Unread(ctx, account)
	if err != nil {
		return nil, err
	}
	return &pb.GetUnreadCountResponse{Count: int32(count), More: more}, nil //nolint:gosec // 99 at most
}

func (s noticeService) MarkNoticesRead(ctx context.Context, request *pb.MarkNoticesReadRequest) (*pb.MarkNoticesReadResponse, error) {
	account, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range request.GetNoticeIds() {
		if _, err := s.notices.Read(ctx, account, id); err != nil {
			return nil, err
		}
	}
	if request.GetAllUntil() != nil {
		if _, err := s.notices.ReadAll(ctx, account, request.GetAllUntil().AsTime()); err != nil {
			return nil, err
		}
	}
	left, _, err := s.notices.Unread(ctx, account)
	if err != nil {
		return nil, err
	}
	return &pb.MarkNoticesReadResponse{Unread: int32(left)}, nil //nolint:gosec // 99 at most
}

func (s noticeService) settingsProto(settings notice.Settings, err error) (*pb.NoticeSettings, error) {
	if err != nil {
		return nil, err
	}
	out := &pb.NoticeSettings{
		Language: string(settings.Language), WeeklyDigest: settings.Digest, Email: settings.Address, PendingEmail: settings.Pending, EmailPossible: s.notices.Mailer != nil, DigestPossible: s.notices.Digest != nil,
	}
	for _, group := range settings.Groups {
		out.EmailGroups = append(out.EmailGroups, string(group))
	}
	return out, nil
}

func (s noticeService) GetNoticeSettings(ctx context.Context, _ *pb.GetNoticeSettingsRequest) (*pb.NoticeSettings, error) {
	account, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	return s.settingsProto(s.notices.Settings(ctx, account))
}

func (s noticeService) UpdateNoticeSettings(ctx context.Context, request *pb.UpdateNoticeSettingsRequest) (*pb.NoticeSettings, error) {
	account, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	var groups []notice.Group
	for _, group := range request.GetEmailGroups() {
		groups = append(groups, notice.Group(group))
	}
	return s.settingsProto(s.notices.Choose(ctx, account, language.Language(request.GetLanguage()), groups, request.GetWeeklyDigest()))
}

func (s noticeService) SetNoticeEmail(ctx context.Context, request *pb.SetNoticeEmailRequest) (*pb.NoticeSettings, error) {
	account, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	return s.settingsProto(s.notices.SetAddress(ctx, account, request.GetEmail()))
}

func (s noticeService) ConfirmNoticeEmail(ctx context.Context, request *pb.ConfirmNoticeEmailRequest) (*pb.NoticeSettings, error) {
	account, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	return s.settingsProto(s.notices.Confirm(ctx, account, request.GetCode()))
}

func (s noticeService) RemoveNoticeEmail(ctx context.Context, _ *pb.RemoveNoticeEmailRequest) (*pb.NoticeSettings, error) {
	account, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	return s.settingsProto(s.notices.RemoveAddress(ctx, account))
}

// webhookTests bounds how often an account may send a test, which tells something of whatever answers.
func webhookTests() bus.Limit { return bus.Limit{Rate: 10, Per: time.Minute, Burst: 10} }

// keeper checks that the caller keeps webhooks and answers its scope.
func keeper(ctx context.Context) (identity.Caller, string, error) {
	caller := callerOf(ctx)
	return caller, identity.Scope(caller), caller.Check(identity.ManageWebhooks)
}

// kept answers a webhook of the caller's subtree.
func (s noticeService) kept(ctx context.Context, id string) (notice.Webhook, error) {
	_, scope, err := keeper(ctx)
	if err != nil {
		return notice.Webhook{}, err
	}
	hook, err := s.notices.Webhook(ctx, id)
	if err != nil {
		return hook, err
	}
	if !s.governs(hook.Unit, scope) {
		return hook, fault.New(fault.NotFound, "notice_webhook_unknown")
	}
	return hook, nil
}

// governs tells whether who acts in scope may act on what belongs to a unit, "" being everything.
func (a *application) governs(unit, scope string) bool {
	return scope == "" || unit != "" && a.within(unit, scope)
}

func webhookProto(hook notice.Webhook, now time.Time) *pb.Webhook {
	out := &pb.Webhook{
		Id: hook.ID, UnitId: hook.Unit, Name: hook.Name, Topics: hook.Topics, Url: hook.URL, Paused: string(hook.Paused), PausedAt: timestamp(hook.PausedAt),
		FailingSince: timestamp(hook.FailingSince), CreatedAt: timestamp(hook.CreatedAt),
	}
	if hook.BeforeUntil.After(now) {
		out.PreviousSecretUntil = timestamp(hook.BeforeUntil)
	}
	return out
}

func (s noticeService) hookProto(hook notice.Webhook, err error) (*pb.Webhook, error) {
	if err != nil {
		return nil, err
	}
	return webhookProto(hook, s.Clock()), nil
}

func (s noticeService) CreateWebhook(ctx context.Context, request *pb.CreateWebhookRequest) (*pb.CreateWebhookResponse, error) {
	caller, scope, err := keeper(ctx)
	if err != nil {
		return nil, err
	}
	unit := request.GetUnitId()
	if unit == "" {
		unit = scope
	}
	if _, ok := s.directory.Tree().Get(unit); unit != "" && !ok || !s.governs(unit, scope) {
		return nil, fault.New(fault.NotFound, "unit_unknown", "unit", unit)
	}
	hook, secret, err := s.notices.MakeWebhook(ctx, notice.NewWebhook{
		ID: request.GetId(), Unit: unit, Name: request.GetName(), Topics: request.GetTopics(), URL: request.GetUrl(), By: caller.AccountID,
	})
	if err != nil {
		return nil, err
	}
	return &pb.CreateWebhookResponse{Webhook: webhookProto(hook, s.Clock()), Secret: secret}, nil
}

func (s noticeService) ListWebhooks(ctx context.Context, request *pb.ListWebhooksRequest) (*pb.ListWebhooksResponse, error) {
	_, scope, err := keeper(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.notices.Webhooks(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(hook notice.Webhook) bool { return !s.governs(hook.Unit, scope) })
	// There are 200 at most: a page begins after the one named.
	if after := request.GetPageToken(); after != "" {
		at := slices.IndexFunc(all, func(hook notice.Webhook) bool { return hook.ID == after })
		if at < 0 {
			return nil, fault.New(fault.Invalid, "notice_page_token")
		}
		all = all[at+1:]
	}
	response := &pb.ListWebhooksResponse{}
	for i, hook := range all {
		if i == pageSize(request.GetPageSize()) {
			response.NextPageToken = all[i-1].ID
			break
		}
		response.Webhooks = append(response.Webhooks, webhookProto(hook, s.Clock()))
	}
	return response, nil
}

func (s noticeService) GetWebhook(ctx context.Context, request *pb.GetWebhookRequest) (*pb.Webhook, error) {
	return s.hookProto(s.kept(ctx, request.GetWebhookId()))
}

func (s noticeService) UpdateWebhook(ctx context.Context, request *pb.UpdateWebhookRequest) (*pb.Webhook, error) {
	if _, err := s.kept(ctx, request.GetWebhookId()); err != nil {
		return nil, err
	}
	return s.hookProto(s.notices.ChangeWebhook(ctx, request.GetWebhookId(), request.GetName(), request.GetUrl(), request.GetTopics()))
}

func (s noticeService) RotateWebhookSecret(ctx context.Context, request *pb.RotateWebhookSecretRequest) (*pb.RotateWebhookSecretResponse, error) {
	if _, err := s.kept(ctx, request.GetWebhookId()); err != nil {
		return nil, err
	}
	hook, secret, err := s.notices.RotateSecret(ctx, request.GetWebhookId())
	if err != nil {
		return nil, err
	}
	return &pb.RotateWebhookSecretResponse{Webhook: webhookProto(hook, s.Clock()), Secret: secret}, nil
}

func (s noticeService) PauseWebhook(ctx context.Context, request *pb.PauseWebhookRequest) (*pb.Webhook, error) {
	if _, err := s.kept(ctx, request.GetWebhookId()); err != nil {
		return nil, err
	}
	return s.hookProto(s.notices.PauseWebhook(ctx, request.GetWebhookId()))
}

func (s noticeService) ResumeWebhook(ctx context.Context, request *pb.ResumeWebhookRequest) (*pb.Webhook, error) {
	if _, err := s.kept(ctx, request.GetWebhookId()); err != nil {
		return nil, err
	}
	return s.hookProto(s.notices.ResumeWebhook(ctx, request.GetWebhookId()))
}

func (s noticeService) DeleteWebhook(ctx context.Context, request *pb.DeleteWebhookRequest) (*pb.DeleteWebhookResponse, error) {
	if _, err := s.kept(ctx, request.GetWebhookId()); err != nil {
		return nil, err
	}
	return &pb.DeleteWebhookResponse{}, s.notices.RemoveWebhook(ctx, request.GetWebhookId())
}

func (s noticeService) TestWebhook(ctx context.Context, request *pb.TestWebhookRequest) (*pb.Delivery, error) {
	if _, err := s.kept(ctx, request.GetWebhookId()); err != nil {
		return nil, err
	}
	if !s.bus.Allow(ctx, "webhook-test/"+callerOf(ctx).AccountID, webhookTests(), 1).Allowed {
		return nil, fault.New(fault.Exhausted, "notice_tests_many")
	}
	tried, err := s.notices.TestWebhook(ctx, request.GetWebhookId())
	if err != nil {
		return nil, err
	}
	return s.deliveryProto(tried, languageOf(ctx)), nil
}

func (s noticeService) deliveryProto(d notice.Delivery, in language.Language) *pb.Delivery {
	out := &pb.Delivery{
		Id: d.ID, Channel: d.Channel, PublicId: d.PublicID(), Topic: d.Topic, UnitId: d.Unit, State: string(d.State), CreatedAt: timestamp(d.CreatedAt),
		Subject:  s.notices.Words(in, notice.Notice{Topic: d.Topic, Unit: d.Unit, Args: d.Args}).Subject,
		Attempts: int32(d.Attempts), //nolint:gosec // 40 at most
	}
	if d.State == notice.Waiting {
		out.NextAttemptAt = timestamp(d.NextAt)
	}
	for _, one := range d.Log {
		out.Log = append(out.Log, &pb.DeliveryAttempt{
			At: timestamp(one.At), Milliseconds: one.Milliseconds, Outcome: string(one.Outcome), Status: int32(one.Status), //nolint:gosec // three digits
			Text: in.Text("notice.outcome." + string(one.Outcome)),
		})
	}
	return out
}

// mayLook checks that the caller may see what leaves by a channel: webhooks of its subtree; of e-mail what concerns units of its subtree.
func (s noticeService) mayLook(ctx context.Context, channel string) (func(notice.Delivery) bool, error) {
	_, scope, err := keeper(ctx)
	if err != nil {
		return nil, err
	}
	if channel == "email" {
		return func(d notice.Delivery) bool { return s.governs(d.Unit, scope) }, nil
	}
	_, err = s.kept(ctx, channel)
	return func(notice.Delivery) bool { return true }, err
}

func (s noticeService) ListDeliveries(ctx context.Context, request *pb.ListDeliveriesRequest) (*pb.ListDeliveriesResponse, error) {
	sees, err := s.mayLook(ctx, request.GetChannel())
	if err != nil {
		return nil, err
	}
	list, next, err := s.notices.Deliveries(ctx, request.GetChannel(), store.Cursor(request.GetPageToken()), pageSize(request.GetPageSize()))
	if err != nil {
		return nil, err
	}
	response := &pb.ListDeliveriesResponse{NextPageToken: string(next)}
	for _, one := range list {
		if sees(one) {
			response.Deliveries = append(response.Deliveries, s.deliveryProto(one, languageOf(ctx)))
		}
	}
	return response, nil
}

func (s noticeService) RetryDelivery(ctx context.Context, request *pb.RetryDeliveryRequest) (*pb.Delivery, error) {
	if _, _, err := keeper(ctx); err != nil {
		return nil, err
	}
	stands, err := s.notices.Delivery(ctx, request.GetDeliveryId())
	if err != nil {
		return nil, err
	}
	if sees, err := s.mayLook(ctx, stands.Channel); err != nil || !sees(stands) {
		return nil, fault.New(fault.NotFound, "notice_delivery_unknown").Because(err)
	}
	d, err := s.notices.Retry(ctx, request.GetDeliveryId())
	if err != nil {
		return nil, err
	}
	return s.deliveryProto(d, languageOf(ctx)), nil
}
