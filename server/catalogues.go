package server

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/questionnaire"
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
		return nil, everyFault(ctx, err)
	}
	return published.ToProto(), nil
}

// everyFault tells all that is wrong with a text or a form: the first as the message, each as a detail whose field is its line, or the
// name of the field.
func everyFault(ctx context.Context, err error) error {
	var faults questionnaire.Faults
	if !errors.As(err, &faults) {
		return err
	}
	all := &errdetails.BadRequest{}
	for _, f := range faults {
		line := ""
		for i := 0; i+1 < len(f.Args); i += 2 {
			if f.Args[i] == "line" || f.Args[i] == "field" && line == "" {
				line = fmt.Sprint(f.Args[i+1])
			}
		}
		all.FieldViolations = append(all.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: line, Description: languageOf(ctx).Text("fault."+f.Reason, f.Args...), Reason: f.Reason,
		})
	}
	first := statusOf(faults[0], languageOf(ctx)) // alone: all of them stand in one detail
	if detailed, err := status.Convert(first).WithDetails(all); err == nil {
		return detailed.Err()
	}
	return first
}

// faults says everything that is wrong with a text but the first thing, which is the error.
func (t *terminal) faults(err error) error {
	var faults questionnaire.Faults
	if errors.As(err, &faults) {
		for _, f := range faults[1:] {
			t.say("fault."+f.Reason, f.Args...)
		}
	}
	return err
}
