package server

import (
	"context"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/analysis"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// analyticsService answers figures, within the caller's subtree.
type analyticsService struct {
	pb.UnimplementedAnalyticsServiceServer
	*application
}

// period is what every question for figures holds.
type period interface {
	GetUnitId() string
	GetFrom() string
	GetTo() string
	GetChannels() []pb.Channel
	GetTree() pb.TreeView
	GetQuestionnaireId() string
}

// reading checks the caller's right to the unit's figures and answers the question. A unit outside the scope is not
// found rather than denied.
func (s analyticsService) reading(ctx context.Context, action identity.Action, asked period) (analysis.Query, error) {
	if err := s.mayRead(ctx, action, asked.GetUnitId()); err != nil {
		return analysis.Query{}, err
	}
	return analysis.Query{
		Unit: asked.GetUnitId(), From: asked.GetFrom(), To: asked.GetTo(), Channels: asked.GetChannels(),
		Tree: asked.GetTree(), Questionnaire: asked.GetQuestionnaireId(),
	}, nil
}

func (s analyticsService) mayRead(ctx context.Context, action identity.Action, unitID string) error {
	caller := callerOf(ctx)
	if err := caller.Check(action); err != nil {
		return err
	}
	if !s.within(unitID, identity.Scope(caller)) {
		return fault.New(fault.NotFound, "unit_unknown", "unit", unitID)
	}
	return nil
}

func (s analyticsService) GetUnitSummary(ctx context.Context, request *pb.GetUnitSummaryRequest) (*pb.GetUnitSummaryResponse, error) {
	query, err := s.reading(ctx, identity.ReadFigures, request)
	if err != nil {
		return nil, err
	}
	summary, err := s.analysis.Summary(ctx, query)
	if err != nil {
		return nil, err
	}
	return summaryProto(summary), nil
}

func (s analyticsService) GetTrend(ctx context.Context, request *pb.GetTrendRequest) (*pb.GetTrendResponse, error) {
	query, err := s.reading(ctx, identity.ReadFigures, request)
	if err != nil {
		return nil, err
	}
	trend, err := s.analysis.Trend(ctx, query, request.GetStep())
	if err != nil {
		return nil, err
	}
	response := &pb.GetTrendResponse{FreshThrough: timestamp(trend.FreshThrough)}
	for _, point := range trend.Points {
		response.Points = append(response.Points, &pb.TrendPoint{
			From: string(point.Period.From), To: string(point.Period.To), Distribution: distributionProto(point.Distribution),
		})
	}
	return response, nil
}

func (s analyticsService) RankUnits(ctx context.Context, request *pb.RankUnitsRequest) (*pb.RankUnitsResponse, error) {
	query, err := s.reading(ctx, identity.ReadRanking, request)
	if err != nil {
		return nil, err
	}
	ranking, err := s.analysis.Rank(ctx, query, request.GetLevel(), request.GetMinimumN())
	if err != nil {
		return nil, err
	}
	response := &pb.RankUnitsResponse{
		FreshThrough: timestamp(ranking.FreshThrough), From: string(ranking.Period.From), To: string(ranking.Period.To),
	}
	for _, ranked := range ranking.Units {
		response.Units = append(response.Units, &pb.RankedUnit{
			Unit: ranked.Unit.Proto(ranking.Day), Distribution: distributionProto(ranked.Distribution),
			Rank: uint32(ranked.Rank.Rank), RankLow: uint32(ranked.Rank.Low), RankHigh: uint32(ranked.Rank.High), //nolint:gosec // places are small and not negative
		})
	}
	return response, nil
}

func (s analyticsService) ListFollowUps(ctx context.Context, request *pb.ListFollowUpsRequest) (*pb.ListFollowUpsResponse, error) {
	query, err := s.reading(ctx, identity.ReadFollowUps, request)
	if err != nil {
		return nil, err
	}
	found, err := s.analysis.FollowUps(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &pb.ListFollowUpsResponse{
		UnitsExamined: uint32(found.Examined), FalseDiscoveryRate: found.DiscoveryRate, FreshThrough: timestamp(found.FreshThrough), //nolint:gosec // a count
		From: string(found.Period.From), To: string(found.Period.To),
	}
	in := languageOf(ctx)
	for _, followUp := range found.Units {
		notes, err := s.notes(ctx, followUp.Unit.ID, found.Period.From, found.Period.To)
		if err != nil {
			return nil, err
		}
		response.FollowUps = append(response.FollowUps, &pb.FollowUp{
			Unit: followUp.Unit.Proto(found.Day), Dissatisfied: figureProto(followUp.Dissatisfied), ParentDissatisfied: figureProto(followUp.Parent),
			PValue: followUp.P, QValue: followUp.Q, Sentence: followUp.Sentence(in), Notes: notes,
		})
	}
	return response, nil
}

func (s analyticsService) WatchUnit(request *pb.WatchUnitRequest, stream grpc.ServerStreamingServer[pb.GetUnitSummaryResponse]) error {
	ctx := stream.Context()
	if err := s.mayRead(ctx, identity.ReadFigures, request.GetUnitId()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(s.ending, cancel) // a server that stops does not wait for its watchers
	defer stop()
	err := s.analysis.Watch(ctx, request.GetUnitId(), s.bus.Subscribe(ctx, analysis.Topic), func(summary analysis.Summary) error {
		// Whose session ended while it watched must see no more: the token is looked at again.
		now, err := s.withCaller(stream.Context())
		if err != nil {
			return err
		}
		if err := s.mayRead(now, identity.ReadFigures, request.GetUnitId()); err != nil {
			return err
		}
		return stream.Send(summaryProto(summary))
	})
	if s.ending.Err() != nil {
		return fault.New(fault.Unavailable, "server_stopping")
	}
	return err
}

func summaryProto(summary analysis.Summary) *pb.GetUnitSummaryResponse {
	response := &pb.GetUnitSummaryResponse{
		UnitId: summary.Unit, From: string(summary.Period.From), To: string(summary.Period.To),
		Pooled: distributionProto(summary.Pooled), FreshThrough: timestamp(summary.FreshThrough), Questionnaires: summary.Questionnaires,
	}
	for _, channel := range summary.Channels {
		response.Channels = append(response.Channels, &pb.ChannelDistribution{
			Channel: channel.Channel, Distribution: distributionProto(channel.Distribution),
		})
	}
	return response
}

func distributionProto(d figure.Distribution) *pb.Distribution {
	distribution := &pb.Distribution{
		N: d.N, Satisfied: figureProto(d.Satisfied), Neutral: figureProto(d.Neutral), Dissatisfied: figureProto(d.Dissatisfied), Mean: figureProto(d.Mean),
	}
	if !d.Suppressed {
		distribution.Counts, distribution.Flagged = d.Counts[:], d.Flagged
	}
	return distribution
}

func figureProto(f figure.Figure) *pb.Figure {
	return &pb.Figure{Formula: f.Formula, N: f.N, Value: f.Value, Low: f.Low, High: f.High, Suppressed: f.Suppressed}
}
