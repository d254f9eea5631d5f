package server

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/actions"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// chunk is how many bytes of a file are sent at once.
const chunk = 256 << 10

func (s caseService) UploadAttachment(stream grpc.ClientStreamingServer[pb.UploadAttachmentRequest, pb.Attachment]) error {
	ctx := stream.Context()
	if err := callerOf(ctx).Check(identity.ActOnCases); err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return fault.New(fault.Invalid, "casework_attachment_name")
		}
		return err
	}
	owner, err := s.holder(ctx, first.GetCaseId(), first.GetActionId())
	if err != nil {
		return err
	}
	file, err := s.casebook.AttachTo(ctx, owner, first.GetName(), &parts{left: first.GetContent(), next: func() ([]byte, error) {
		part, err := stream.Recv()
		return part.GetContent(), err
	}}, callerOf(ctx).AccountID)
	if err != nil {
		return err
	}
	return stream.SendAndClose(attachmentProto(file))
}

// holder names the holder of files, a case or an action that the caller may see.
func (s caseService) holder(ctx context.Context, caseID, actionID string) (string, error) {
	if caseID == "" && actionID != "" {
		action, err := actionService{application: s.application}.readAction(ctx, actionID)
		return actions.Owner(action.ID), err
	}
	c, err := s.readCase(ctx, caseID)
	return c.ID, err
}

// parts reads a file as it comes.
type parts struct {
	left []byte
	next func() ([]byte, error)
}

func (p *parts) Read(into []byte) (int, error) {
	for len(p.left) == 0 {
		part, err := p.next()
		if err != nil {
			return 0, err
		}
		p.left = part
	}
	n := copy(into, p.left)
	p.left = p.left[n:]
	return n, nil
}

func (s caseService) DownloadAttachment(request *pb.DownloadAttachmentRequest, stream grpc.ServerStreamingServer[pb.DownloadAttachmentResponse]) error {
	ctx := stream.Context()
	owner, err := s.holder(ctx, request.GetCaseId(), request.GetActionId())
	if err != nil {
		return err
	}
	file, content, err := s.casebook.OpenAttachment(ctx, owner, request.GetAttachmentId())
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	return sendFile(file, content, func(of *casework.Attachment, part []byte) error {
		response := &pb.DownloadAttachmentResponse{Content: part}
		if of != nil {
			response.Attachment = attachmentProto(*of)
		}
		return stream.Send(response)
	})
}

func sendFile(file casework.Attachment, content io.Reader, send func(*casework.Attachment, []byte) error) error {
	if err := send(&file, nil); err != nil {
		return err
	}
	for {
		part := make([]byte, chunk)
		n, err := io.ReadFull(content, part)
		if n > 0 {
			if err := send(nil, part[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
