package notice

import (
	"slices"
	"strings"
)

// Group is what people choose e-mail by: nobody wants to choose among fifty topics.
type Group string

// The groups.
const (
	Tasks    Group = "tasks"    // something waits for whoever is told
	Late     Group = "late"     // something is due or late
	Progress Group = "progress" // everything else
)

// Groups lists them.
func Groups() []Group { return []Group{Tasks, Late, Progress} }

// GroupOf is the group of a topic.
func GroupOf(topic string) Group {
	switch topic {
	case "case.open", "case.assign", "case.reassign", "case.request_explanation", "case.submit", "case.return", "case.accept", "case.reopen",
		"case.put_back", "action.order", "action.report", "action.send_back", "action.hand_on", "contest.open", "webhook.paused":
		return Tasks
	case "case.escalate", "action.overdue":
		return Late
	}
	if strings.HasPrefix(topic, "clock.") {
		return Late
	}
	return Progress
}

// digestTopic is the topic of the weekly digest, which is chosen apart.
const digestTopic = "digest.weekly"

// Families are what webhooks choose by: topics that begin alike, "case.*" for all of cases.
func Families() []string { return []string{"case.*", "clock.*", "action.*", "contest.*"} }

// hears tells whether a topic is among those chosen: itself, or its family.
func hears(chosen []string, topic string) bool {
	family, _, _ := strings.Cut(topic, ".")
	return slices.Contains(chosen, topic) || slices.Contains(chosen, family+".*")
}
