package notice

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
)

// Headers of a webhook, by Standard Webhooks.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// testTopic is the topic of what an administrator sends to see whether a webhook hears.
const testTopic = "webhook.test"

// payload is what a webhook is sent.
type payload struct {
	Type      string  `json:"type"`
	Timestamp string  `json:"timestamp"` // when it happened, RFC 3339 in UTC
	Data      content `json:"data"`
}

type content struct {
	ID       string            `json:"id"` // of what happened
	UnitID   string            `json:"unit_id,omitempty"`
	UnitName string            `json:"unit_name,omitempty"`
	Link     string            `json:"link,omitempty"`
	Subject  string            `json:"subject"` // in Vietnamese
	Text     string            `json:"text"`
	Args     map[string]string `json:"args,omitempty"`
}

// body is the same each time a delivery is tried but for a unit that was renamed.
func (n *Notices) body(d Delivery) ([]byte, error) {
	told := words(language.Vietnamese, d.Topic, n.values(language.Vietnamese, d.Unit, d.Args), d.Args)
	p := payload{Type: d.Topic, Timestamp: d.At.UTC().Format(time.RFC3339Nano), Data: content{
		ID: d.Message, UnitID: d.Unit, Link: n.address(d.Link), Subject: told.Subject, Text: told.Text, Args: d.Args,
	}}
	if d.Unit != "" {
		p.Data.UnitName = n.unitName(d.Unit)
	}
	return json.Marshal(p)
}

// sign is a signature of Standard Webhooks. The secret's prefix is no part of the key.
func sign(secret, id, timestamp string, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil {
		return "", errors.New("the secret is not base64")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// signatures are those of the secret and, for a day after it was changed, of the one before.
func (n *Notices) signatures(hook Webhook, id, timestamp string, body []byte) (string, error) {
	sealed := [][]byte{hook.Secret}
	if len(hook.Before) > 0 && n.Now().Before(hook.BeforeUntil) {
		sealed = append(sealed, hook.Before)
	}
	var all []string
	for _, one := range sealed {
		secret, err := n.Keys.Open(one, hookSeal(hook.ID))
		if err != nil {
			return "", err
		}
		signature, err := sign(string(secret), id, timestamp, body)
		if err != nil {
			return "", err
		}
		all = append(all, signature)
	}
	return strings.Join(all, " "), nil
}

// post sends a delivery to a webhook once and answers the status. Errors are failures.
func (n *Notices) post(ctx context.Context, hook Webhook, d Delivery) (int, error) {
	ours := func(err error) (int, error) { return 0, &failure{outcome: OutcomeOurs, cause: err} }
	body, err := n.body(d)
	if err != nil {
		return ours(err)
	}
	id, timestamp := d.PublicID(), strconv.FormatInt(n.Now().Unix(), 10)
	signatures, err := n.signatures(hook, id, timestamp, body)
	if err != nil {
		return ours(err)
	}
	ctx, cancel := context.WithTimeout(ctx, n.poster.within)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return ours(err)
	}
	if request.URL.Scheme != "https" && !n.poster.trial(request.URL.Hostname()) {
		return 0, &failure{outcome: OutcomeTLS, down: true}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Hailong-Webhooks/1")
	request.Header.Set(headerID, id)
	request.Header.Set(headerTimestamp, timestamp)
	request.Header.Set(headerSignature, signatures)
	response, err := n.poster.client.Do(request)
	if err != nil {
		return 0, posted(err)
	}
	defer func() { _ = response.Body.Close() }()
	// Nothing of the answer is kept; it is read, not without end, so that the connection can be used again.
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)); err != nil {
		return response.StatusCode, posted(err)
	}
	switch status := response.StatusCode; {
	case status >= 200 && status < 300:
		return status, nil
	case status >= 300 && status < 400:
		return status, &failure{outcome: OutcomeRedirect, status: status}
	default:
		return status, &failure{outcome: OutcomeStatus, status: status, down: status >= 500 || status == http.StatusTooManyRequests}
	}
}

// posted is what an error of a connection means. Its text may hold the address, and is kept for the log alone.
func posted(err error) *failure {
	f := &failure{outcome: OutcomeUnreachable, down: true, cause: err}
	var slow net.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, errInside):
		f.outcome = OutcomeInside
	case errors.As(err, &certificate), errors.As(err, &record):
		f.outcome = OutcomeTLS
	case errors.As(err, &slow) && slow.Timeout():
		f.outcome = OutcomeTimeout
	}
	return f
}

// TestWebhook sends a webhook, paused or not, something to see whether it hears, and answers how that went.
func (n *Notices) TestWebhook(ctx context.Context, id string) (Delivery, error) {
	hook, err := n.Webhook(ctx, id)
	if err != nil {
		return Delivery{}, err
	}
	now := store.Milliseconds(n.Now())
	message := Message{ID: "test/" + id + "/" + strconv.FormatInt(now.UnixMilli(), 10), Topic: testTopic, Unit: hook.Unit, Args: map[string]string{"title": hook.Name}, At: now}
	d := message.delivery(hook.ID, "", now)
	tried := Attempt{At: now, Outcome: OutcomeSent}
	d.Attempts = 1
	if tried.Status, err = n.post(ctx, hook, d); err != nil {
		tried.Outcome = failureOf(err).outcome
		d.end(GivenUp)
	} else {
		d.end(Sent)
	}
	tried.Milliseconds = n.Now().Sub(now).Milliseconds()
	d.tried(tried)
	n.Observe("webhook", string(tried.Outcome))
	if err := insertAll(ctx, n.deliveries, []Delivery{d}); err != nil {
		return Delivery{}, told(err)
	}
	return d, nil
}
