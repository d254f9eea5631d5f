package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/analysis"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s analyticsService) ListReasons(ctx context.Context, request *pb.ListReasonsRequest) (*pb.ListReasonsResponse, error) {
	query, err := s.reading(ctx, identity.ReadFigures, request)
	if err != nil {
		return nil, err
	}
	found, err := s.analysis.Reasons(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &pb.ListReasonsResponse{
		FreshThrough: timestamp(found.FreshThrough), From: string(found.Period.From), To: string(found.Period.To),
	}
	in := languageOf(ctx)
	for _, reason := range found.Reasons {
		response.Reasons = append(response.Reasons, &pb.Reason{
			QuestionId: reason.Question, ChoiceId: reason.Choice, Question: said(reason.Asked, in, reason.Question),
			Label: said(reason.Says, in, reason.Choice), Share: figureProto(reason.Share), Count: reason.Count,
		})
	}
	return response, nil
}

// said is a text in the caller's language; the id where nothing is known of it.
func said(texts []questionnaire.LocalText, in language.Language, id string) string {
	if text := questionnaire.Says(texts, string(in)); text != "" {
		return text
	}
	return id
}

func (s analyticsService) GetHours(ctx context.Context, request *pb.GetHoursRequest) (*pb.GetHoursResponse, error) {
	query, err := s.reading(ctx, identity.ReadFigures, request)
	if err != nil {
		return nil, err
	}
	found, err := s.analysis.Hours(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &pb.GetHoursResponse{
		FreshThrough: timestamp(found.FreshThrough), From: string(found.Period.From), To: string(found.Period.To),
	}
	for _, hour := range found.Hours {
		response.Hours = append(response.Hours, &pb.WeekHour{
			Weekday: int32(hour.Weekday), Hour: int32(hour.Hour), N: hour.N, Dissatisfied: figureProto(hour.Dissatisfied), //nolint:gosec // 1 to 7, 0 to 23
		})
	}
	return response, nil
}

func (s analyticsService) ListFacets(ctx context.Context, request *pb.ListFacetsRequest) (*pb.ListFacetsResponse, error) {
	action := identity.ReadFigures
	if request.GetKind() == pb.FacetKind_FACET_KIND_OFFICIAL {
		if err := callerOf(ctx).Check(identity.ReadFigures); err != nil {
			return nil, err
		}
		action = identity.ReadOfficials
	}
	if err := s.mayRead(ctx, action, request.GetUnitId()); err != nil {
		return nil, err
	}
	query := analysis.Query{Unit: request.GetUnitId(), From: request.GetFrom(), To: request.GetTo(), Tree: request.GetTree()}
	found, err := s.analysis.Facets(ctx, query, request.GetKind())
	if err != nil {
		return nil, err
	}
	response := &pb.ListFacetsResponse{
		FreshThrough: timestamp(found.FreshThrough), From: string(found.Period.From), To: string(found.Period.To),
	}
	for _, facet := range found.Facets {
		one := &pb.Facet{Id: facet.ID, Name: facet.ID, Distribution: distributionProto(facet.Distribution)}
		s.nameFacet(ctx, one, request.GetKind(), facet)
		response.Facets = append(response.Facets, one)
	}
	return response, nil
}

// nameFacet says what a facet is called and to which unit it belongs today, where that one is within the caller's subtree: an
// official or a counter may have moved away since.
func (s analyticsService) nameFacet(ctx context.Context, facet *pb.Facet, kind pb.FacetKind, found analysis.Facet) {
	var unit string
	switch kind {
	case pb.FacetKind_FACET_KIND_COUNTER:
		if counter, ok := s.directory.Counter(found.ID); ok {
			facet.Name, unit = counter.Name, counter.UnitID
		}
	case pb.FacetKind_FACET_KIND_OFFICIAL:
		if official, ok := s.directory.Official(found.ID); ok {
			facet.Name, unit = official.Name, official.UnitID
		}
	case pb.FacetKind_FACET_KIND_PROCEDURE:
		if procedure, ok := s.directory.Procedure(found.ID); ok {
			facet.Name = procedure.Name
		}
	case pb.FacetKind_FACET_KIND_QUESTION:
		facet.Name = said(found.Says, languageOf(ctx), found.ID)
	}
	if unit != "" && s.within(unit, identity.Scope(callerOf(ctx))) {
		facet.UnitId = unit
	}
}

func (s analyticsService) ComparePeriods(ctx context.Context, request *pb.ComparePeriodsRequest) (*pb.ComparePeriodsResponse, error) {
	query, err := s.reading(ctx, identity.ReadFigures, request)
	if err != nil {
		return nil, err
	}
	found, err := s.analysis.Compare(ctx, query, request.GetOtherFrom(), request.GetOtherTo())
	if err != nil {
		return nil, err
	}
	side := func(summary analysis.Summary) *pb.PeriodDistribution {
		return &pb.PeriodDistribution{
			From: string(summary.Period.From), To: string(summary.Period.To),
			Distribution: distributionProto(summary.Pooled), Questionnaires: summary.Questionnaires,
		}
	}
	return &pb.ComparePeriodsResponse{
		Period: side(found.Period), Other: side(found.Other), FreshThrough: timestamp(found.FreshThrough),
		SatisfiedDifference: figureProto(found.Satisfied), DissatisfiedDifference: figureProto(found.Dissatisfied),
		DifferentQuestionnaires: found.DifferentForms,
	}, nil
}
