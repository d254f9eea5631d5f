package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Procedures and questionnaires belong to all units: everybody who reads the directory reads them, and only an
// administrator of everything changes them.
func changingCatalogues(ctx context.Context) error {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ChangeCatalogues); err != nil {
		return err
	}
	if identity.Scope(caller) != "" {
		return fault.New(fault.Denied, "action_denied")
	}
	return nil
}

func (s directoryService) ListProcedures(ctx context.Context, request *pb.ListProceduresRequest) (*pb.ListProceduresResponse, error) {
	if _, err := readScope(ctx, identity.ReadDirectory); err != nil {
		return nil, err
	}
	procedures, next, err := s.directory.ListProcedures(directory.Page{Size: int(request.GetPageSize()), Token: request.GetPageToken()})
	if err != nil {
		return nil, err
	}
	response := &pb.ListProceduresResponse{NextPageToken: next}
	for _, procedure := range procedures {
		response.Procedures = append(response.Procedures, procedure.Proto())
	}
	return response, nil
}

func (s directoryService) CreateProcedure(ctx context.Context, request *pb.CreateProcedureRequest) (*pb.Procedure, error) {
	if err := changingCatalogues(ctx); err != nil {
		return nil, err
	}
	asked := request.GetProcedure()
	made, err := s.directory.CreateProcedure(ctx, directory.Procedure{Code: asked.GetCode(), Name: asked.GetName(), Field: asked.GetField()})
	if err != nil {
		return nil, err
	}
	return made.Proto(), nil
}

func (s directoryService) ListQuestionnaires(ctx context.Context, request *pb.ListQuestionnairesRequest) (*pb.ListQuestionnairesResponse, error) {
	if _, err := readScope(ctx, identity.ReadDirectory); err != nil {
		return nil, err
	}
	questionnaires, next, err := s.directory.ListQuestionnaires(directory.Page{Size: int(request.GetPageSize()), Token: request.GetPageToken()})
	if err != nil {
		return nil, err
	}
	response := &pb.ListQuestionnairesResponse{NextPageToken: next}
	for _, q := range questionnaires {
		response.Questionnaires = append(response.Questionnaires, q.ToProto())
	}
	return response, nil
}

func (s directoryService) PublishQuestionnaire(ctx context.Context, request *pb.PublishQuestionnaireRequest) (*pb.Questionnaire, error) {
	if err := changingCatalogues(ctx); err != nil {
		return nil, err
	}
	published, err := s.directory.PublishQuestionnaire(ctx, request.GetYaml())
	if err != nil {
		return nil, err
	}
	return published.ToProto(), nil
}
