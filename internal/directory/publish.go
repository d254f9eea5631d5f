package directory

import (
	"context"
	"fmt"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/store"
)

// PublishQuestionnaire publishes a version from YAML. A published version never changes: the same text again answers it,
// other text under a published version is fault.Exists. What is wrong with the text comes as questionnaire.Faults.
func (d *Directory) PublishQuestionnaire(ctx context.Context, yaml string) (*questionnaire.Questionnaire, error) {
	q, err := questionnaire.Parse([]byte(yaml))
	if err != nil {
		return nil, err
	}
	err = d.commit(ctx, func(s *snapshot) (change, error) {
		if published, ok := s.questionnaires[q.Key()]; ok {
			if published.YAML != q.YAML {
				return change{}, fault.New(fault.Exists, "directory_questionnaire_published", "questionnaire", q.ID, "version", q.Version)
			}
			q = published
			return change{}, nil
		}
		return change{questionnaires: []publication{{ID: q.Key(), YAML: q.YAML, PublishedAt: store.Milliseconds(d.options.Now())}}}, nil
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}

// PublishBuiltIn publishes the questionnaires that come with the product, where they are not yet.
func (d *Directory) PublishBuiltIn(ctx context.Context) error {
	all, err := questionnaire.BuiltIn()
	if err != nil {
		return err
	}
	for _, q := range all {
		if _, err := d.PublishQuestionnaire(ctx, q.YAML); err != nil {
			return fmt.Errorf("publish built-in %s: %w", q.Key(), err)
		}
	}
	return nil
}
