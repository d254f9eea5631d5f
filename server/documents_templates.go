package server

import (
	"context"
	"errors"
	"slices"

	"github.com/hailong-vn/hailong/internal/document"
	"github.com/hailong-vn/hailong/internal/document/archive"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// templatesFor checks that the caller may see a unit's templates, or change them. Those of everybody are changed by accounts of
// everything.
func (s documentService) templatesFor(ctx context.Context, unitID string, actions ...identity.Action) error {
	caller := callerOf(ctx)
	if err := mayAny(caller, actions...); err != nil {
		return err
	}
	if unitID == "" && identity.Scope(caller) == "" {
		return nil
	}
	if _, there := s.directory.Tree().Get(unitID); !there || !s.within(unitID, identity.Scope(caller)) {
		return fault.New(fault.NotFound, "unit_unknown", "unit", unitID)
	}
	return nil
}

// templateOf answers the template that holds for a unit, or a version of its own; nil where the unit inherits from there on.
func (s documentService) templateOf(ctx context.Context, unitID string, kind document.Kind, version int) (archive.Version, *document.Template, error) {
	var held archive.Version
	var err error
	if version == 0 {
		held, err = s.documents.Template(ctx, s.upwards(unitID), kind)
	} else {
		held, err = s.documents.VersionOf(ctx, unitID, kind, version)
	}
	if err != nil || held.Source == "" {
		return held, nil, err
	}
	read, err := document.ReadTemplate([]byte(held.Source))
	if err != nil {
		// It was read when it was saved; a later version of the program asks more of it.
		s.Logger.WarnContext(ctx, "a kept template cannot be read any more", "unit", held.Unit, "kind", string(kind), "version", held.Version, "error", err)
		return held, nil, err
	}
	return held, read, nil
}

func (s documentService) templateProto(ctx context.Context, unitID string, held archive.Version, read *document.Template) *pb.DocumentTemplate {
	caller, in := callerOf(ctx), languageOf(ctx)
	out := &pb.DocumentTemplate{
		Kind: string(held.Kind), UnitId: unitID, FromUnitId: held.Unit, FromUnitName: s.unitNameFor(caller, held.Unit), ProductDefault: held.Version == 0,
		Own: held.Version > 0 && held.Unit == unitID, Version: int32(min(held.Version, 1<<30)), Sha256: held.Reference().SHA256, //nolint:gosec // bounded just here
		SavedAt: timestamp(held.SavedAt), SavedBy: held.SavedBy.Name, Note: held.Note,
	}
	if read == nil {
		return out
	}
	out.Series, out.Authorities, out.Positions = read.Series, read.Forms, read.Posts
	for _, f := range read.Used {
		if !f.Given {
			out.Fields = append(out.Fields, &pb.DocumentField{
				Name: f.Name, Label: f.Words(in), Long: f.Long, Personal: f.Personal, Required: slices.Contains(read.Required, f.Name),
			})
		}
	}
	return out
}

func (s documentService) ListTemplates(ctx context.Context, request *pb.ListTemplatesRequest) (*pb.ListTemplatesResponse, error) {
	if err := s.templatesFor(ctx, request.GetUnitId(), identity.PrepareDocuments, identity.ChangeTemplates); err != nil {
		return nil, err
	}
	response := &pb.ListTemplatesResponse{}
	for _, kind := range document.Kinds() {
		held, read, err := s.templateOf(ctx, request.GetUnitId(), kind, 0)
		if err != nil && !fault.Is(err, fault.Invalid) { // one that cannot be read is listed, to be mended
			return nil, err
		}
		response.Templates = append(response.Templates, s.templateProto(ctx, request.GetUnitId(), held, read))
	}
	return response, nil
}

func (s documentService) GetTemplate(ctx context.Context, request *pb.GetTemplateRequest) (*pb.DocumentTemplate, error) {
	if err := s.templatesFor(ctx, request.GetUnitId(), identity.PrepareDocuments, identity.ChangeTemplates); err != nil {
		return nil, err
	}
	kind := document.Kind(request.GetKind())
	held, read, err := s.templateOf(ctx, request.GetUnitId(), kind, int(request.GetVersion()))
	if err != nil && (!fault.Is(err, fault.Invalid) || held.Source == "") {
		return nil, err
	}
	out, err := s.wholeTemplate(ctx, request.GetUnitId(), held, read)
	if err != nil {
		return nil, err
	}
	for _, f := range document.Fields() {
		out.KnownFields = append(out.KnownFields, &pb.DocumentField{Name: f.Name, Label: f.Words(languageOf(ctx)), Long: f.Long, Personal: f.Personal})
	}
	return out, nil
}

// wholeTemplate is a template with its text and the last version of the unit's own.
func (s documentService) wholeTemplate(ctx context.Context, unitID string, held archive.Version, read *document.Template) (*pb.DocumentTemplate, error) {
	own, err := s.documents.Own(ctx, unitID, held.Kind)
	if err != nil {
		return nil, err
	}
	out := s.templateProto(ctx, unitID, held, read)
	out.Source, out.OwnVersion = held.Source, int32(min(own.Version, 1<<30)) //nolint:gosec // bounded just here
	return out, nil
}

func (s documentService) ListTemplateVersions(ctx context.Context, request *pb.ListTemplateVersionsRequest) (*pb.ListTemplateVersionsResponse, error) {
	if err := s.templatesFor(ctx, request.GetUnitId(), identity.PrepareDocuments, identity.ChangeTemplates); err != nil {
		return nil, err
	}
	kind := document.Kind(request.GetKind())
	if err := document.CheckKind(kind); err != nil {
		return nil, err
	}
	list, next, err := s.documents.Versions(ctx, request.GetUnitId(), kind, store.Cursor(request.GetPageToken()), pageSize(request.GetPageSize()))
	if err != nil {
		return nil, err
	}
	response := &pb.ListTemplateVersionsResponse{NextPageToken: string(next)}
	for _, v := range list {
		response.Versions = append(response.Versions, &pb.TemplateVersion{
			Version: int32(min(v.Version, 1<<30)), SavedAt: timestamp(v.SavedAt), SavedBy: v.SavedBy.Name, Note: v.Note, Inherits: v.Source == "", //nolint:gosec // bounded just here
		})
	}
	return response, nil
}

func (s documentService) SaveTemplate(ctx context.Context, request *pb.SaveTemplateRequest) (*pb.DocumentTemplate, error) {
	if err := s.templatesFor(ctx, request.GetUnitId(), identity.ChangeTemplates); err != nil {
		return nil, err
	}
	caller, kind := callerOf(ctx), document.Kind(request.GetKind())
	if err := document.CheckKind(kind); err != nil {
		return nil, err
	}
	if request.GetCheckOnly() {
		read, err := archive.Check(request.GetSource())
		if err != nil {
			return nil, templateFaults(ctx, err)
		}
		return s.templateProto(ctx, request.GetUnitId(), archive.Version{Kind: kind, Unit: request.GetUnitId(), Source: request.GetSource()}, read), nil
	}
	_, err := s.documents.Save(ctx, archive.Change{
		Unit: request.GetUnitId(), Kind: kind, Source: request.GetSource(), Note: request.GetNote(), Seen: int(request.GetSeenVersion()),
		By: archive.Person{Account: caller.AccountID, Name: caller.Name},
	})
	if err != nil {
		return nil, templateFaults(ctx, err)
	}
	held, read, err := s.templateOf(ctx, request.GetUnitId(), kind, 0)
	if err != nil {
		return nil, err
	}
	return s.wholeTemplate(ctx, request.GetUnitId(), held, read)
}

// templateFaults tells everything that is wrong with a template at once.
func templateFaults(ctx context.Context, err error) error {
	var all fault.Faults
	if errors.As(err, &all) {
		return everyFault(ctx, all)
	}
	return err
}

func (s documentService) PreviewDocument(ctx context.Context, request *pb.PreviewDocumentRequest) (*pb.PreviewDocumentResponse, error) {
	actions := []identity.Action{identity.PrepareDocuments, identity.ChangeTemplates}
	if request.GetSource() != "" {
		actions = actions[1:]
	}
	if err := s.templatesFor(ctx, request.GetUnitId(), actions...); err != nil {
		return nil, err
	}
	if err := s.mayDraw(ctx); err != nil {
		return nil, err
	}
	kind := document.Kind(request.GetKind())
	var read *document.Template
	var err error
	if request.GetSource() != "" {
		read, err = document.ReadTemplate([]byte(request.GetSource()))
	} else {
		_, read, err = s.templateOf(ctx, request.GetUnitId(), kind, 0)
	}
	if err != nil {
		return nil, templateFaults(ctx, err)
	}
	values, signer := request.GetValues(), signerOf(request.GetSigner())
	if request.GetSample() {
		values, signer = document.Samples(read.Own), document.SampleSigner()
	}
	paper, err := read.Fill(values, signer, document.Number{})
	if err != nil {
		return nil, err
	}
	format := document.Format(request.GetFormat())
	if format == "" {
		format = document.PDF
	}
	drawn, err := paper.Draw(ctx, format, s.Clock())
	if err != nil {
		return nil, err
	}
	return &pb.PreviewDocumentResponse{Content: drawn, MediaType: format.MediaType()}, nil
}
